import type { OwnedNumber } from '../../config/port.ts';
import { isE164 } from '../../core/e164.ts';
import { DEFAULT_REGION } from '../../region/region.ts';
import type { RouteAuthor, RouteRecord } from '../../routing/port.ts';
import { invalid } from '../api-error.ts';
import type { Parameters } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';
import { fictitiousNumbers } from './available-number-ranges.ts';
import { unowned } from './available-numbers.ts';
import { voiceApplication } from './number-application.ts';
import { applyVoice, blankConfig, friendlyNameOf } from './number-configuration.ts';
import { type NumberType, typeOf } from './number-plan.ts';
import { numberResource } from './number-resource.ts';

/**
 * Creates a number: the one that is named, or with AreaCode the first of those on offer there (see
 * `available-numbers.ts`).
 *
 * @param by   who is named in the audit trail of its route
 * @param type what the path says it is to be; undefined: anything
 * @throws ApiError
 */
export async function createNumber(
  options: RegionOptions,
  accountSid: string,
  by: RouteAuthor,
  form: Parameters,
  type?: NumberType,
): Promise<object> {
  const now = options.clock.now();
  const phoneNumbers = newNumbers(options, form, type);
  const blank = { sid: options.ids.sid('PN'), accountSid, createdAt: now };
  const applicationSid = await voiceApplication(options, accountSid, form);
  // Read before anything is claimed: a form that is refused changes nothing.
  const written = applyVoice(form, blankConfig({ ...blank, phoneNumber: '' }, now), now, applicationSid);
  for await (const phoneNumber of phoneNumbers) {
    const number = { ...blank, phoneNumber };
    if (!(await options.ownership.claim(number))) continue;
    const friendlyName = form.text('FriendlyName') ?? friendlyNameOf(phoneNumber);
    return await keep(options, by, number, { ...written, friendlyName });
  }
  throw taken(form);
}

function taken(form: Parameters): Error {
  const phoneNumber = form.filled('PhoneNumber');
  return phoneNumber === undefined
    ? invalid(
        21452,
        `No phone numbers found in area code ${form.filled('AreaCode')}: give the number as PhoneNumber.`,
      )
    : invalid(21422, `PhoneNumber ${phoneNumber} is not available: it belongs to somebody already.`);
}

async function keep(
  { ownership, config, routes, ids, region }: RegionOptions,
  by: RouteAuthor,
  number: OwnedNumber,
  written: ReturnType<typeof applyVoice>,
): Promise<object> {
  try {
    await config.saveNumber(written);
    await ownership.configured(number.sid, region.id);
    // us1 needs no record: a number without one goes there (DESIGN §6).
    if (region.id !== DEFAULT_REGION) {
      const record: RouteRecord = {
        sid: ids.sid('QQ'),
        kind: 'phone-number',
        key: number.phoneNumber,
        accountSid: number.accountSid,
        voiceRegion: region.id,
        friendlyName: friendlyNameOf(number.phoneNumber),
        createdAt: number.createdAt,
        updatedAt: number.createdAt,
      };
      await routes.save(record, by);
    }
  } catch (error) {
    await ownership.release(number.sid); // half a number would be taken by nobody and available to nobody
    throw error;
  }
  return numberResource(number, written);
}

/** The numbers that would do, the best first. @throws ApiError */
function newNumbers(
  { ownership }: RegionOptions,
  form: Parameters,
  type: NumberType | undefined,
): AsyncIterable<string> | Iterable<string> {
  const phoneNumber = form.filled('PhoneNumber');
  const areaCode = form.filled('AreaCode');
  if (phoneNumber === undefined && areaCode !== undefined) {
    if (type !== undefined) {
      throw invalid(21457, 'AreaCode is not supported here: give PhoneNumber, or ask IncomingPhoneNumbers.');
    }
    if (!/^\d{3}$/.test(areaCode)) {
      throw invalid(21451, `AreaCode is '${areaCode}'; it must be three digits.`);
    }
    return unowned(inArea(areaCode), ownership);
  }
  if (phoneNumber === undefined || !isE164(phoneNumber)) {
    const found = phoneNumber === undefined ? 'is required' : `${phoneNumber} is not valid; give it`;
    throw invalid(21421, `PhoneNumber ${found} in E.164 form (+15105550100).`);
  }
  if (type !== undefined && typeOf(phoneNumber) !== type) {
    const actual = typeOf(phoneNumber);
    throw invalid(21458, `PhoneNumber ${phoneNumber} is ${actual}, not ${type}; create it as what it is.`);
  }
  return [phoneNumber];
}

function* inArea(areaCode: string): Generator<string> {
  for (const country of ['US', 'CA']) yield* fictitiousNumbers(country, 'local', areaCode);
  yield* fictitiousNumbers('US', 'toll-free', areaCode);
}
