import type { Request } from 'express';
import { readPlaceName } from '../../region/place-name.ts';
import { DEFAULT_REGION, isRegionId, type RegionId } from '../../region/region.ts';
import type { RouteAuthor, RouteRecord } from '../../routing/port.ts';
import { identityOf } from '../account-of.ts';
import { invalid } from '../api-error.ts';
import { formOf, type Parameters } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';
import { friendlyName, friendlyNameOf } from './number-configuration.ts';
import type { OwnedKey } from './routes-key.ts';
import { fromTable } from './routes-table.ts';

/** Who makes this request, for the audit trail. */
export function authorOf(req: Request, region: RegionId): RouteAuthor {
  const { accountSid, keySid } = identityOf(req);
  return { accountSid, credentialSid: keySid ?? accountSid, region };
}

/**
 * Creates the record of a key or changes it. What the form doesn't mention stays. A record always names a Region: one
 * that is created without says us1, where the calls of its key go anyway, so `voice_region` is null in no answer, and
 * an empty VoiceRegion is as wrong as any other that is none.
 *
 * @throws ApiError 400, 429, 503
 */
export async function changeRoute(
  options: RegionOptions,
  owned: OwnedKey,
  req: Request,
): Promise<RouteRecord> {
  const { clock, ids, region, routes, logger } = options;
  const form = formOf(req);
  const voiceRegion = voiceRegionOf(form, options.regions);
  const name = friendlyName(form);
  const { key, accountSid, shown, resource } = owned;
  const by = authorOf(req, region.id);
  const sid = ids.sid('QQ');
  const now = clock.now();
  let was: RegionId | null = null;
  const next = (found: RouteRecord | undefined): RouteRecord => {
    // A record that an earlier owner of the name left is not this account's to go on with.
    const before = found?.accountSid === accountSid ? found : undefined;
    was = before?.voiceRegion ?? null;
    return {
      sid: before?.sid ?? sid,
      kind: resource.kind,
      key,
      accountSid,
      voiceRegion: voiceRegion ?? before?.voiceRegion ?? DEFAULT_REGION,
      friendlyName: name ?? before?.friendlyName ?? friendlyNameOf(shown),
      createdAt: before?.createdAt ?? now,
      updatedAt: now,
    };
  };
  const record = await fromTable(options, req, routes.change(resource.kind, key, next, by));
  logger.info(
    { kind: resource.kind, key, region: record.voiceRegion, before: was, by },
    `calls to ${shown} go to ${record.voiceRegion}`,
  );
  return record;
}

/** @throws ApiError 21252, which says what the value is instead */
function voiceRegionOf(form: Parameters, running: readonly RegionId[]): RegionId | undefined {
  const value = form.text('VoiceRegion');
  if (value === undefined) return undefined;
  if (isRegionId(value) && running.includes(value)) return value;
  const why = isRegionId(value)
    ? `Region ${value} does not run here`
    : value.trim() === ''
      ? 'it is empty'
      : `'${value}' ${readPlaceName(value).says}`;
  throw invalid(21252, `Invalid VoiceRegion: ${why}. It must be one of ${running.join(', ')}.`);
}
