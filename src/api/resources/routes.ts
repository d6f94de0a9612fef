import { type Request, Router } from 'express';
import type { OwnedNumber } from '../../config/port.ts';
import { isoSeconds } from '../../core/dates.ts';
import { isE164 } from '../../core/e164.ts';
import { edgeFromLabel } from '../../region/edge.ts';
import { publicUrl } from '../../region/host-names.ts';
import { DEFAULT_REGION, isRegionId, type RegionId } from '../../region/region.ts';
import type { RouteRecord } from '../../routing/port.ts';
import { accountOf } from '../account-of.ts';
import { resource } from '../answer.ts';
import { invalid, missing, notFound } from '../api-error.ts';
import { formOf, type Parameters } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';
import { friendlyName, friendlyNameOf } from './number-configuration.ts';

/**
 * The global route table: which Region a number's calls go to. Any Region's host may read it and set any Region.
 * The guides spell the path in the singular, the API description and the clients in the plural: both work.
 *
 * @see https://www.twilio.com/docs/global-infrastructure/inbound-processing-api
 */
export function routes(options: RegionOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  for (const path of ['/PhoneNumbers/:key', '/PhoneNumber/:key']) {
    resource(router, path, {
      async get(req, res) {
        const number = await owned(options, req);
        const record = await options.routes.fetch('phone-number', number.phoneNumber);
        if (!record) {
          throw notFound(`${number.phoneNumber} has no route: its calls go to ${DEFAULT_REGION}.`);
        }
        res.json(routeResource(options, record));
      },
      async post(req, res) {
        const number = await owned(options, req);
        res.json(routeResource(options, await assign(options, number, formOf(req))));
      },
    });
  }
  return router;
}

async function owned(options: RegionOptions, req: Request): Promise<OwnedNumber> {
  const key = String(req.params['key']);
  const number = isE164(key) ? await options.ownership.byNumber(key) : undefined;
  if (number?.accountSid === accountOf(req)) return number;
  throw missing(req.originalUrl.split('?')[0] ?? '', options.region.id);
}

/** Creates the record or changes it; what the form doesn't mention stays, and is us1 to begin with. */
async function assign(options: RegionOptions, number: OwnedNumber, form: Parameters): Promise<RouteRecord> {
  const now = options.clock.now();
  const voiceRegion = region(form, options.regions);
  const name = friendlyName(form);
  const before = await options.routes.fetch('phone-number', number.phoneNumber);
  const record: RouteRecord = {
    sid: before?.sid ?? options.ids.sid('QQ'),
    kind: 'phone-number',
    key: number.phoneNumber,
    accountSid: number.accountSid,
    voiceRegion: voiceRegion ?? before?.voiceRegion ?? DEFAULT_REGION,
    friendlyName: name ?? before?.friendlyName ?? friendlyNameOf(number.phoneNumber),
    createdAt: before?.createdAt ?? now,
    updatedAt: now,
  };
  await options.routes.save(record);
  options.logger.info(
    { key: record.key, region: record.voiceRegion, before: before?.voiceRegion ?? null },
    `calls to ${record.key} go to ${record.voiceRegion}`,
  );
  return record;
}

/** @throws ApiError 21252 */
function region(form: Parameters, running: readonly RegionId[]): RegionId | undefined {
  const value = form.text('VoiceRegion');
  if (value === undefined) return undefined;
  if (isRegionId(value) && running.includes(value)) return value;
  const edge = edgeFromLabel(value);
  const lower = value.toLowerCase();
  const why = isRegionId(value)
    ? `Region ${value} does not run here`
    : isRegionId(lower)
      ? `'${value}' is written in lower case, ${lower}`
      : edge
        ? `'${value}' names an edge (${edge}), and an edge processes no calls`
        : `'${value}' is not a Region`;
  throw invalid(21252, `Invalid VoiceRegion: ${why}. It must be one of ${running.join(', ')}.`);
}

function routeResource(options: RegionOptions, record: RouteRecord): object {
  return {
    phone_number: record.key,
    url: `${publicUrl(options.publicUrl, 'routes', options.region.id)}/v2/PhoneNumbers/${record.key}`,
    sid: record.sid,
    account_sid: record.accountSid,
    friendly_name: record.friendlyName,
    voice_region: record.voiceRegion,
    date_created: isoSeconds(record.createdAt),
    date_updated: isoSeconds(record.updatedAt),
  };
}
