import { type Request, Router } from 'express';
import type { NumberOwnership } from '../../config/port.ts';
import { accountOf } from '../account-of.ts';
import { resource } from '../answer.ts';
import { invalid, missing } from '../api-error.ts';
import { type OperationParameters, PAGING } from '../operation.ts';
import { pageBody, pageRequest } from '../paging.ts';
import { type Parameters, queryOf } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';
import { fictitiousNumbers, OFFERED, type OfferedCountry } from './available-number-ranges.ts';
import { friendlyNameOf } from './number-configuration.ts';
import type { NumberType } from './number-plan.ts';

/** The last segment of a path, and what is found there. */
const LISTS: ReadonlyMap<string, { readonly type: NumberType; readonly operation: string }> = new Map([
  ['Local', { type: 'local', operation: 'ListAvailablePhoneNumberLocal' }],
  ['TollFree', { type: 'toll-free', operation: 'ListAvailablePhoneNumberTollFree' }],
  ['Mobile', { type: 'mobile', operation: 'ListAvailablePhoneNumberMobile' }],
]);

/** Filters on what is not known of a number here; asked for, they match nothing. */
const GEOGRAPHY = [
  'NearNumber',
  'NearLatLong',
  'InPostalCode',
  'InRegion',
  'InRateCenter',
  'InLata',
  'InLocality',
] as const;

/** Filters that only a number with more than voice passes. */
const BEYOND_VOICE = ['SmsEnabled', 'MmsEnabled', 'FaxEnabled'] as const;

const SEARCH: OperationParameters = {
  AreaCode: 'integer',
  Contains: 'string',
  SmsEnabled: 'boolean',
  MmsEnabled: 'boolean',
  VoiceEnabled: 'boolean',
  FaxEnabled: 'boolean',
  ExcludeAllAddressRequired: 'boolean',
  ExcludeLocalAddressRequired: 'boolean',
  ExcludeForeignAddressRequired: 'boolean',
  Beta: 'boolean',
  Distance: 'integer',
  ...Object.fromEntries(GEOGRAPHY.map((name) => [name, 'string'] as const)),
  ...PAGING,
};

/**
 * Numbers that may be created. Our choice: an installation has no inventory of its own, because its carrier's numbers
 * are named, not picked, when they are created. What is offered instead are the numbers that the numbering plans of
 * some countries set aside for fiction and that nobody has created yet: a program that searches, then buys works
 * unchanged, its number can be called within the installation, and never belongs to a stranger.
 *
 * @see https://www.twilio.com/docs/phone-numbers/api/availablephonenumber-resource
 */
export function availableNumbers(options: RegionOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  resource(
    router,
    '/AvailablePhoneNumbers{.json}',
    {
      async get(req, res) {
        const items = OFFERED.map((country) => countryResource(country, accountOf(req)));
        const page = { items, hasMore: false };
        res.json(pageBody(req, 'countries', pageRequest(queryOf(req)), page, undefined));
      },
    },
    { element: 'Country', get: { id: 'ListAvailablePhoneNumberCountry', parameters: PAGING } },
  );
  resource(
    router,
    '/AvailablePhoneNumbers/:country{.json}',
    {
      async get(req, res) {
        res.json(countryResource(countryOf(options, req), accountOf(req)));
      },
    },
    { element: 'Country', get: { id: 'FetchAvailablePhoneNumberCountry' } },
  );
  for (const [segment, { type, operation }] of LISTS) {
    resource(
      router,
      `/AvailablePhoneNumbers/:country/${segment}{.json}`,
      {
        async get(req, res) {
          res.json(await search(options, req, countryOf(options, req), type));
        },
      },
      { element: 'AvailablePhoneNumber', get: { id: operation, parameters: SEARCH } },
    );
  }
  return router;
}

function countryOf({ region }: RegionOptions, req: Request): OfferedCountry {
  const country = OFFERED.find((offered) => offered.country === String(req.params['country']));
  if (country) return country;
  throw missing(req.originalUrl.split('?')[0] ?? '', region.id);
}

function countryResource({ country, name, types }: OfferedCountry, accountSid: string) {
  const base = `/2010-04-01/Accounts/${accountSid}/AvailablePhoneNumbers/${country}`;
  const lists = [...LISTS].filter(([, { type }]) => types.includes(type));
  return {
    country_code: country,
    country: name,
    uri: `${base}.json`,
    beta: false,
    subresource_uris: Object.fromEntries(
      lists.map(([segment, { type }]) => [type.replace('-', '_'), `${base}/${segment}.json`]),
    ),
  };
}

/** One page of what is there: searches are narrowed, not paged through. */
async function search(
  { ownership }: RegionOptions,
  req: Request,
  { country }: OfferedCountry,
  type: NumberType,
): Promise<object> {
  const query = queryOf(req);
  const request = pageRequest(query);
  const areaCode = query.filled('AreaCode');
  if (areaCode !== undefined && !/^\d{3}$/.test(areaCode)) {
    throw invalid(21451, `AreaCode is '${areaCode}'; it must be three digits.`);
  }
  const pattern = matcher(query.filled('Contains'));
  const found: string[] = [];
  if (request.page === 0 && mayMatch(query)) {
    const matching = filtered(fictitiousNumbers(country, type, areaCode), pattern);
    for await (const number of unowned(matching, ownership)) {
      if (found.push(number) === request.pageSize) break;
    }
  }
  const items = found.map((number) => availableResource(number, country));
  return pageBody(req, 'available_phone_numbers', request, { items, hasMore: false }, undefined);
}

/** Reads every filter, so that a wrong value is told; false when none of what is offered can pass. */
function mayMatch(query: Parameters): boolean {
  for (const exclude of ['All', 'Local', 'Foreign']) query.boolean(`Exclude${exclude}AddressRequired`);
  query.boolean('Beta');
  query.integer('Distance', 20001, { min: 0, max: 500 });
  const beyond = BEYOND_VOICE.map((name) => query.boolean(name));
  const voice = query.boolean('VoiceEnabled');
  const placed = GEOGRAPHY.some((name) => query.filled(name) !== undefined);
  return !placed && voice !== false && !beyond.includes(true);
}

const KEYPAD = ['', '', 'abc', 'def', 'ghi', 'jkl', 'mno', 'pqrs', 'tuv', 'wxyz'];

/**
 * `Contains`: digits and letters (as on a keypad), `*` for one digit, `%` for several at the ends, `+` first and `$`
 * last to hold on to the ends.
 *
 * @see https://www.twilio.com/docs/phone-numbers/api/availablephonenumberlocal-resource#query-parameters
 * @throws ApiError
 */
function matcher(pattern: string | undefined): RegExp | undefined {
  if (pattern === undefined) return undefined;
  if (!/^\+?%?[0-9A-Za-z*]+%?\$?$/.test(pattern) || pattern.length < 2 || pattern.length > 16) {
    const expected = '2 to 16 digits, letters and *, with % and + first, % and $ last if need be';
    throw invalid(20001, `Contains is '${pattern}'; it must be ${expected}.`);
  }
  const wild = { '*': '\\d', '%': '\\d*', '+': '^\\+', $: '$' } as const;
  const source = [...pattern].map((sign) => {
    if (sign === '*' || sign === '%' || sign === '+' || sign === '$') return wild[sign];
    const key = KEYPAD.findIndex((letters) => letters !== '' && letters.includes(sign.toLowerCase()));
    return key < 0 ? sign : String(key);
  });
  return new RegExp(source.join(''));
}

function* filtered(numbers: Iterable<string>, pattern: RegExp | undefined): Generator<string> {
  for (const number of numbers) if (pattern === undefined || pattern.test(number)) yield number;
}

/** Looked up so many at once. */
const BATCH = 50;

/** Those of the numbers that nobody has. */
export async function* unowned(
  numbers: Iterable<string>,
  ownership: NumberOwnership,
): AsyncGenerator<string> {
  let batch: string[] = [];
  const free = async () => {
    const owners = await Promise.all(batch.map((number) => ownership.byNumber(number)));
    const left = batch.filter((_, n) => owners[n] === undefined);
    batch = [];
    return left;
  };
  for (const number of numbers) {
    if (batch.push(number) === BATCH) yield* await free();
  }
  yield* await free();
}

function availableResource(phoneNumber: string, country: string) {
  return {
    friendly_name: friendlyNameOf(phoneNumber),
    phone_number: phoneNumber,
    lata: null,
    locality: null,
    rate_center: null,
    latitude: null,
    longitude: null,
    region: null,
    postal_code: null,
    iso_country: country,
    address_requirements: 'none',
    beta: false,
    capabilities: { voice: true, sms: false, mms: false, fax: false },
  };
}
