/** What a number is sold as. */
export type NumberType = 'local' | 'mobile' | 'toll-free';

/** Where a number belongs, as far as its digits say. */
export interface NumberPlan {
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly name: string;
  readonly numbers: RegExp;
  readonly tollFree: RegExp;
  /** Undefined where mobile numbers look like others: in North America they do. */
  readonly mobile: RegExp | undefined;
}

/** https://www.nanpa.com/numbering: 800, 888, 877, 866, 855, 844, 833; 822 is reserved for the same */
const NORTH_AMERICAN_TOLL_FREE = /^\+18(00|22|33|44|55|66|77|88)/;

/** https://cnac.ca/area_code_maps/canadian_area_codes.htm */
const CANADIAN = [
  '204|226|236|249|250|257|263|289|306|343|354|365|367|368|382|403|416|418|428|431|437|438|450|468|474|506|514',
  '519|548|579|581|584|587|604|613|639|647|672|683|705|709|742|753|778|780|782|807|819|825|867|873|879|902|905',
].join('|');

/** Members of the North American plan that are countries of their own. https://www.nanpa.com/numbering */
const CARIBBEAN =
  '242|246|264|268|284|345|441|473|649|658|664|721|758|767|784|809|829|849|868|869|876|939|787|670|671|684|340';

/** Area codes that belong to services, not to places: N11, the 5XX, 700, 710 and 900. */
const SERVICES = '[2-9]11|5(00|2[1-9]|3[23]|44|66|77|88)|[79]00|710';

/**
 * The numbering plans that are known here, written down rather than looked up: nothing else in Trunkline needs one.
 *
 * @see https://www.ofcom.org.uk/phones-and-broadband/phone-numbers/national-telephone-numbering-plan
 * @see https://www.acma.gov.au/numbering-plan
 */
export const NUMBER_PLANS: readonly NumberPlan[] = [
  {
    country: 'CA',
    name: 'Canada',
    numbers: new RegExp(`^\\+1(${CANADIAN})[2-9]\\d{6}$`),
    tollFree: NORTH_AMERICAN_TOLL_FREE,
    mobile: undefined,
  },
  {
    country: 'US',
    name: 'United States',
    numbers: new RegExp(`^\\+1(?!${CANADIAN}|${CARIBBEAN}|${SERVICES})[2-9][0-8]\\d[2-9]\\d{6}$`),
    tollFree: NORTH_AMERICAN_TOLL_FREE,
    mobile: undefined,
  },
  {
    country: 'GB',
    name: 'United Kingdom',
    numbers: /^\+44[1-9]\d{6,9}$/,
    tollFree: /^\+4480[08]/,
    mobile: /^\+447(?!0|6(?!24))/, // 70 is personal numbering, 76 paging; 7624 is mobile
  },
  {
    country: 'AU',
    name: 'Australia',
    numbers: /^\+61[1-9]\d{5,9}$/,
    tollFree: /^\+61180[01]?/,
    mobile: /^\+614/,
  },
];

/**
 * The type of a number, from its digits: `local` wherever no plan that is known here says otherwise.
 *
 * @param phoneNumber E.164
 */
export function typeOf(phoneNumber: string): NumberType {
  if (NORTH_AMERICAN_TOLL_FREE.test(phoneNumber)) return 'toll-free';
  const plan = NUMBER_PLANS.find(({ numbers }) => numbers.test(phoneNumber));
  if (plan?.tollFree.test(phoneNumber)) return 'toll-free';
  return plan?.mobile?.test(phoneNumber) ? 'mobile' : 'local';
}
