import { type Request, Router } from 'express';
import type { NumberConfig, OwnedNumber } from '../../config/port.ts';
import { isE164 } from '../../core/e164.ts';
import { isSid } from '../../core/ids.ts';
import { DEFAULT_REGION } from '../../region/region.ts';
import { accountOf } from '../account-of.ts';
import { resource } from '../answer.ts';
import { invalid, missing } from '../api-error.ts';
import { pageBody, pageRequest, slice } from '../paging.ts';
import { formOf, type Parameters, queryOf } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';
import { applyVoice, blankConfig, friendlyNameOf } from './number-configuration.ts';
import { numberResource } from './number-resource.ts';

/**
 * Numbers: a global asset with one PN SID, and a voice configuration of its own in every Region (DESIGN §6). A
 * Region where the configuration was never written shows the voice fields as null.
 *
 * @see https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
 */
export function incomingPhoneNumbers(options: RegionOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  resource(router, '/IncomingPhoneNumbers{.json}', {
    async get(req, res) {
      res.json(await list(options, req));
    },
    async post(req, res) {
      res.status(201).json(await create(options, accountOf(req), formOf(req)));
    },
  });
  resource(router, '/IncomingPhoneNumbers/:sid{.json}', {
    async get(req, res) {
      const number = await owned(options, req);
      res.json(numberResource(number, await options.config.number(number.sid)));
    },
    async post(req, res) {
      const number = await owned(options, req);
      res.json(await update(options, number, formOf(req)));
    },
    async delete(req, res) {
      await release(options, await owned(options, req));
      res.status(204).end();
    },
  });
  return router;
}

async function owned(options: RegionOptions, req: Request): Promise<OwnedNumber> {
  const sid = String(req.params['sid']);
  const number = isSid(sid, 'PN') ? await options.ownership.bySid(sid) : undefined;
  if (number?.accountSid === accountOf(req)) return number;
  throw missing(req.originalUrl.split('?')[0] ?? '', options.region.id);
}

async function list(options: RegionOptions, req: Request): Promise<object> {
  const query = queryOf(req);
  const request = pageRequest(query);
  const friendlyName = query.filled('FriendlyName');
  const numbers = (await options.ownership.list(accountOf(req)))
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

async function create(options: RegionOptions, accountSid: string, form: Parameters): Promise<object> {
  const { ownership, config, routes, clock, ids, region } = options;
  const now = clock.now();
  const number: OwnedNumber = {
    sid: ids.sid('PN'),
    accountSid,
    phoneNumber: newNumber(form),
    createdAt: now,
  };
  const written = applyVoice(form, blankConfig(number, now), now);
  if (!(await ownership.claim(number))) {
    throw invalid(
      21422,
      `PhoneNumber ${number.phoneNumber} is not available: it belongs to somebody already.`,
    );
  }
  try {
    await config.saveNumber(written);
    await ownership.configured(number.sid, region.id);
    // us1 needs no record: a number without one goes there (DESIGN §6).
    if (region.id !== DEFAULT_REGION) {
      await routes.save({
        sid: ids.sid('QQ'),
        kind: 'phone-number',
        key: number.phoneNumber,
        accountSid,
        voiceRegion: region.id,
        friendlyName: friendlyNameOf(number.phoneNumber),
        createdAt: now,
        updatedAt: now,
      });
    }
  } catch (error) {
    await ownership.release(number.sid); // half a number would be taken by nobody and available to nobody
    throw error;
  }
  return numberResource(number, written);
}

/** There is no inventory to choose from: the carrier's numbers are named, not picked by area. */
function newNumber(form: Parameters): string {
  const phoneNumber = form.filled('PhoneNumber');
  const areaCode = form.filled('AreaCode');
  if (phoneNumber === undefined && areaCode !== undefined) {
    if (!/^\d{3}$/.test(areaCode))
      throw invalid(21451, `AreaCode is '${areaCode}'; it must be three digits.`);
    throw invalid(21452, `No phone numbers found in area code ${areaCode}: give the number as PhoneNumber.`);
  }
  if (phoneNumber === undefined)
    throw invalid(21421, 'PhoneNumber is required, in E.164 form (+15105550100).');
  if (!isE164(phoneNumber)) {
    throw invalid(21421, `PhoneNumber ${phoneNumber} is not valid; give it in E.164 form (+15105550100).`);
  }
  return phoneNumber;
}

async function update(options: RegionOptions, number: OwnedNumber, form: Parameters): Promise<object> {
  const now = options.clock.now();
  const account = form.filled('AccountSid');
  if (account !== undefined && account !== number.accountSid) {
    throw invalid(20001, `AccountSid is '${account}'; numbers cannot be moved to another account.`);
  }
  const before: NumberConfig = (await options.config.number(number.sid)) ?? blankConfig(number, now);
  const written = applyVoice(form, before, now);
  await options.config.saveNumber(written);
  await options.ownership.configured(number.sid, options.region.id);
  return numberResource(number, written);
}

/**
 * Releases the number everywhere. Other Regions' configurations become unreachable, since a PN SID is never used
 * again; this Region has no credentials to remove them with.
 */
async function release(options: RegionOptions, number: OwnedNumber): Promise<void> {
  await options.routes.remove('phone-number', number.phoneNumber);
  await options.ownership.release(number.sid);
  await options.config.removeNumber(number.sid);
}
