import { NUMBER_PLANS, type NumberType } from './number-plan.ts';

/** Numbers that begin alike, in order. */
interface NumberRange {
  readonly prefix: string;
  /** The digits that follow count from here … */
  readonly first: number;
  readonly count: number;
  /** … and have this many places. */
  readonly digits: number;
}

/** A country of the inventory. */
export interface OfferedCountry {
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly name: string;
  readonly types: readonly NumberType[];
}

const RANGE = (prefix: string, digits: number, first = 0, count = 10 ** digits): NumberRange => ({
  prefix,
  digits,
  first,
  count,
});

/** 555-0100 to 555-0199 of an area code. https://www.nanpa.com/numbering/555-line-numbers */
const AREA = (areaCode: string): NumberRange => RANGE(`+1${areaCode}5550`, 3, 100, 100);

/**
 * https://www.ofcom.org.uk/phones-and-broadband/phone-numbers/numbers-for-drama, compared with
 * https://www.area-codes.org.uk/01632: a thousand of each.
 */
const BRITISH_LOCAL = [
  '1134960', // Leeds
  '1144960', // Sheffield
  '1154960', // Nottingham
  '1164960', // Leicester
  '1174960', // Bristol
  '1184960', // Reading
  '1214960', // Birmingham
  '1314960', // Edinburgh
  '1414960', // Glasgow
  '1514960', // Liverpool
  '1614960', // Manchester
  '2079460', // London
  '1914980', // Tyneside, Durham and Sunderland
  '2896496', // Northern Ireland
  '2920180', // Cardiff
  '1632960', // no place at all
].map((block) => RANGE(`+44${block}`, 3));

/**
 * https://www.acma.gov.au/phone-numbers-use-tv-shows-films-and-creative-works, the blocks compared with
 * https://tvtonight.com.au/2024/10/phone-numbers-used-in-tv-shows.html
 */
const AUSTRALIAN_LOCAL = ['2', '3', '7', '8'].flatMap((area) =>
  ['5550', '7010'].map((block) => RANGE(`+61${area}${block}`, 4)),
);
const AUSTRALIAN_MOBILE = ['156', '157', '158', '159', '110'].map((end) => RANGE(`+61491570${end}`, 0));
const AUSTRALIAN_TOLL_FREE = ['160401', '975707', '975708', '975709', '975710', '975711'].map((end) =>
  RANGE(`+611800${end}`, 0),
);

/** Of the toll-free codes only this one number is set aside. */
const NORTH_AMERICAN_TOLL_FREE = [RANGE('+18005550199', 0)];

const OTHERS: ReadonlyMap<string, readonly NumberRange[]> = new Map([
  ['US toll-free', NORTH_AMERICAN_TOLL_FREE],
  ['CA toll-free', NORTH_AMERICAN_TOLL_FREE],
  ['GB local', BRITISH_LOCAL],
  ['GB mobile', [RANGE('+447700900', 3)]],
  ['GB toll-free', [RANGE('+448081570', 3)]],
  ['AU local', AUSTRALIAN_LOCAL],
  ['AU mobile', AUSTRALIAN_MOBILE],
  ['AU toll-free', AUSTRALIAN_TOLL_FREE],
]);

const NORTH_AMERICAN: ReadonlySet<string> = new Set(['US', 'CA']);

/** Whether a country has area codes in the sense of the API. */
export function hasAreaCodes(country: string): boolean {
  return NORTH_AMERICAN.has(country);
}

/** What is offered, country by country. */
export const OFFERED: readonly OfferedCountry[] = ['AU', 'CA', 'GB', 'US'].map((country) => ({
  country,
  name: NUMBER_PLANS.find((plan) => plan.country === country)?.name ?? country,
  types: (['local', 'toll-free', 'mobile'] as const).filter(
    (type) => OTHERS.has(`${country} ${type}`) || (type === 'local' && hasAreaCodes(country)),
  ),
}));

/**
 * The numbers of a country that are set aside for fiction: no network has given them to anybody, so whoever creates one
 * takes nothing away.
 *
 * @param areaCode three digits; only where there are area codes
 */
export function* fictitiousNumbers(country: string, type: NumberType, areaCode?: string): Generator<string> {
  const ranges =
    type === 'local' && hasAreaCodes(country)
      ? areas(country, areaCode).map(AREA)
      : (OTHERS.get(`${country} ${type}`) ?? []);
  for (const { prefix, digits, first, count } of ranges) {
    if (areaCode !== undefined && hasAreaCodes(country) && !prefix.startsWith(`+1${areaCode}`)) continue;
    for (let n = first; n < first + count; n++) {
      yield digits === 0 ? prefix : prefix + String(n).padStart(digits, '0');
    }
  }
}

function areas(country: string, areaCode: string | undefined): readonly string[] {
  const plan = NUMBER_PLANS.find((candidate) => candidate.country === country);
  const known = (area: string) =>
    plan?.numbers.test(`+1${area}5550100`) === true && !plan.tollFree.test(`+1${area}`);
  const all = areaCode === undefined ? Array.from({ length: 800 }, (_, n) => String(n + 200)) : [areaCode];
  return all.filter(known);
}
