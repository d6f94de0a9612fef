import { type Request, Router } from 'express';
import { settled } from '../../call/caller-id-validation.ts';
import type { OutgoingCallerId } from '../../config/applications.ts';
import { rfc2822 } from '../../core/dates.ts';
import { isSid } from '../../core/ids.ts';
import { DEFAULT_REGION } from '../../region/region.ts';
import { accountOf } from '../account-of.ts';
import { resource } from '../answer.ts';
import { missing, notFound } from '../api-error.ts';
import { PAGING } from '../operation.ts';
import { formOf, queryOf } from '../parameters.ts';
import { recordPage } from '../record-page.ts';
import type { RegionOptions } from '../region-options.ts';
import { friendlyName } from './number-configuration.ts';
import { requestValidation, storesOf } from './outgoing-caller-id-creation.ts';

/**
 * Numbers that an account may show though they aren't its own, because somebody there has typed a code. Only us1 has
 * them; other Regions refuse them with 20404.
 *
 * @see https://www.twilio.com/docs/voice/api/outgoing-caller-ids
 */
export function outgoingCallerIds(options: RegionOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  resource(
    router,
    '/OutgoingCallerIds{.json}',
    {
      async get(req, res) {
        onlyHere(options);
        const query = queryOf(req);
        const [number, name] = [query.filled('PhoneNumber'), query.filled('FriendlyName')];
        const found = (await verified(options, accountOf(req))).filter(
          (one) =>
            (number === undefined || one.phoneNumber === number) &&
            (name === undefined || one.friendlyName === name),
        );
        res.json(recordPage(req, 'outgoing_caller_ids', found, callerIdResource));
      },
      async post(req, res) {
        onlyHere(options);
        res.json(await requestValidation(options, accountOf(req), formOf(req)));
      },
    },
    {
      get: {
        id: 'ListOutgoingCallerId',
        parameters: { PhoneNumber: 'string', FriendlyName: 'string', ...PAGING },
      },
      post: {
        id: 'CreateValidationRequest',
        parameters: {
          PhoneNumber: 'string',
          FriendlyName: 'string',
          CallDelay: 'integer',
          Extension: 'string',
          StatusCallback: 'url',
          StatusCallbackMethod: 'method',
        },
        required: ['PhoneNumber'],
      },
    },
  );
  resource(
    router,
    '/OutgoingCallerIds/:sid{.json}',
    {
      async get(req, res) {
        res.json(callerIdResource(await owned(options, req)));
      },
      async post(req, res) {
        const { sid } = await owned(options, req);
        const name = friendlyName(formOf(req));
        const updatedAt = options.clock.now();
        const changed = await options.config.records.callerIds.change(sid, (before) => ({
          ...before,
          friendlyName: name ?? before.friendlyName,
          updatedAt,
        }));
        if (changed === undefined || changed === 'taken') throw gone(options, req);
        res.json(callerIdResource(changed));
      },
      async delete(req, res) {
        const { sid } = await owned(options, req);
        await options.config.records.callerIds.remove(sid);
        res.status(204).end();
      },
    },
    {
      get: { id: 'FetchOutgoingCallerId' },
      post: { id: 'UpdateOutgoingCallerId', parameters: { FriendlyName: 'string' } },
      delete: { id: 'DeleteOutgoingCallerId' },
    },
  );
  return router;
}

/** @see https://www.twilio.com/docs/global-infrastructure/regional-product-and-feature-availability */
function onlyHere({ region }: RegionOptions): void {
  if (region.id === DEFAULT_REGION) return;
  throw notFound(
    `Verified caller ids are there in ${DEFAULT_REGION} only: ${region.id} shows numbers of the account alone.`,
  );
}

async function verified(options: RegionOptions, accountSid: string): Promise<readonly OutgoingCallerId[]> {
  const known = await options.config.records.callerIds.list(accountSid);
  const found = await Promise.all(known.map((callerId) => settled(storesOf(options), callerId)));
  return found.flatMap((callerId) => (callerId && !callerId.validation ? [callerId] : []));
}

async function owned(options: RegionOptions, req: Request): Promise<OutgoingCallerId> {
  onlyHere(options);
  const sid = String(req.params['sid']);
  const found = isSid(sid, 'PN') ? await options.config.records.callerIds.fetch(sid) : undefined;
  const callerId = found?.accountSid === accountOf(req) ? await settled(storesOf(options), found) : undefined;
  if (callerId && !callerId.validation) return callerId;
  throw gone(options, req);
}

function gone({ region }: RegionOptions, req: Request): Error {
  return missing(req.originalUrl.split('?')[0] ?? '', region.id);
}

function callerIdResource(callerId: OutgoingCallerId) {
  const { sid, accountSid } = callerId;
  return {
    sid,
    date_created: rfc2822(callerId.createdAt),
    date_updated: rfc2822(callerId.updatedAt),
    friendly_name: callerId.friendlyName,
    account_sid: accountSid,
    phone_number: callerId.phoneNumber,
    uri: `/2010-04-01/Accounts/${accountSid}/OutgoingCallerIds/${sid}.json`,
  };
}
