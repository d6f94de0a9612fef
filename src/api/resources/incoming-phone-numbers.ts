import { type Request, Router } from 'express';
import type { NumberConfig, OwnedNumber } from '../../config/port.ts';
import { isSid } from '../../core/ids.ts';
import { accountOf } from '../account-of.ts';
import { resource } from '../answer.ts';
import { invalid, missing } from '../api-error.ts';
import { type OperationParameters, PAGING } from '../operation.ts';
import { pageBody, pageRequest, slice } from '../paging.ts';
import { formOf, type Parameters, queryOf } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';
import { voiceApplication } from './number-application.ts';
import { applyVoice, blankConfig, NUMBER_PARAMETERS } from './number-configuration.ts';
import { createNumber } from './number-creation.ts';
import { type NumberType, typeOf } from './number-plan.ts';
import { releaseNumber } from './number-release.ts';
import { numberResource } from './number-resource.ts';
import { authorOf } from './routes-change.ts';

/** The paths that list and create, what they hold, and the end of their operationIds. */
const LISTS: ReadonlyMap<string, { readonly type?: NumberType; readonly operation: string }> = new Map([
  ['', { operation: 'IncomingPhoneNumber' }],
  ['/Local', { type: 'local', operation: 'IncomingPhoneNumberLocal' }],
  ['/Mobile', { type: 'mobile', operation: 'IncomingPhoneNumberMobile' }],
  ['/TollFree', { type: 'toll-free', operation: 'IncomingPhoneNumberTollFree' }],
]);

const LIST_PARAMETERS: OperationParameters = {
  Beta: 'boolean',
  FriendlyName: 'string',
  PhoneNumber: 'string',
  Origin: ['twilio', 'hosted'],
  ...PAGING,
};

/**
 * Numbers: a global asset with one PN SID, and a voice configuration of its own in every Region (DESIGN §6). A
 * Region where the configuration was never written shows the voice fields as null.
 *
 * @see https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
 */
export function incomingPhoneNumbers(options: RegionOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  for (const [segment, { type, operation }] of LISTS) {
    resource(
      router,
      `/IncomingPhoneNumbers${segment}{.json}`,
      {
        async get(req, res) {
          res.json(await list(options, req, type));
        },
        async post(req, res) {
          res
            .status(201)
            .json(
              await createNumber(
                options,
                accountOf(req),
                authorOf(req, options.region.id),
                formOf(req),
                type,
              ),
            );
        },
      },
      {
        element: 'IncomingPhoneNumber',
        get: { id: `List${operation}`, parameters: LIST_PARAMETERS },
        post: {
          id: `Create${operation}`,
          parameters: { ...NUMBER_PARAMETERS, PhoneNumber: 'string', ...(!type && { AreaCode: 'string' }) },
          ...(type && { required: ['PhoneNumber'] }),
        },
      },
    );
  }
  resource(
    router,
    '/IncomingPhoneNumbers/:sid{.json}',
    {
      async get(req, res) {
        const number = await owned(options, req);
        res.json(numberResource(number, await options.config.number(number.sid)));
      },
      async post(req, res) {
        const number = await owned(options, req);
        res.json(await update(options, number, formOf(req)));
      },
      async delete(req, res) {
        const number = await owned(options, req);
        await releaseNumber(options, number, authorOf(req, options.region.id));
        res.status(204).end();
      },
    },
    {
      element: 'IncomingPhoneNumber',
      get: { id: 'FetchIncomingPhoneNumber' },
      post: { id: 'UpdateIncomingPhoneNumber', parameters: { AccountSid: 'sid', ...NUMBER_PARAMETERS } },
      delete: { id: 'DeleteIncomingPhoneNumber' },
    },
  );
  return router;
}

async function owned(options: RegionOptions, req: Request): Promise<OwnedNumber> {
  const sid = String(req.params['sid']);
  const number = isSid(sid, 'PN') ? await options.ownership.bySid(sid) : undefined;
  if (number?.accountSid === accountOf(req)) return number;
  throw missing(req.originalUrl.split('?')[0] ?? '', options.region.id);
}

async function list(options: RegionOptions, req: Request, type: NumberType | undefined): Promise<object> {
  const query = queryOf(req);
  const request = pageRequest(query);
  const friendlyName = query.filled('FriendlyName');
  const numbers = (await options.ownership.list(accountOf(req)))
    .filter((number) => type === undefined || typeOf(number.phoneNumber) === type)
    .filter((number) => matches(number, query) && number.createdAt <= (request.upTo ?? Infinity))
    .sort((a, b) => b.createdAt - a.createdAt || (a.sid < b.sid ? -1 : 1));
  const read = (some: readonly OwnedNumber[]) =>
    Promise.all(some.map(async (number) => numberResource(number, await options.config.number(number.sid))));
  if (friendlyName === undefined) {
    const page = slice(numbers, request);
    const items = await read(page.items);
    return pageBody(req, 'incoming_phone_numbers', request, { ...page, items }, numbers[0]?.createdAt);
  }
  const named = (await read(numbers)).filter((number) => number.friendly_name === friendlyName);
  return pageBody(req, 'incoming_phone_numbers', request, slice(named, request), numbers[0]?.createdAt);
}

/** `PhoneNumber` matches any part of a number, and `*` any digit; none of ours is beta or hosted elsewhere. */
function matches(number: OwnedNumber, query: Parameters): boolean {
  const pattern = query.filled('PhoneNumber')?.replace(/[^+\d*]/g, '');
  const digits = pattern?.replaceAll('+', '\\+').replaceAll('*', '\\d');
  if (digits !== undefined && !new RegExp(digits).test(number.phoneNumber)) return false;
  if (query.boolean('Beta') === true) return false;
  return (query.oneOf('Origin', ['twilio', 'hosted']) ?? 'twilio') === 'twilio';
}

async function update(options: RegionOptions, number: OwnedNumber, form: Parameters): Promise<object> {
  const now = options.clock.now();
  const account = form.filled('AccountSid');
  if (account !== undefined && account !== number.accountSid) {
    throw invalid(20001, `AccountSid is '${account}'; numbers cannot be moved to another account.`);
  }
  const before: NumberConfig = (await options.config.number(number.sid)) ?? blankConfig(number, now);
  const applicationSid = await voiceApplication(options, number.accountSid, form);
  const written = applyVoice(form, before, now, applicationSid);
  await options.config.saveNumber(written);
  await options.ownership.configured(number.sid, options.region.id);
  return numberResource(number, written);
}
