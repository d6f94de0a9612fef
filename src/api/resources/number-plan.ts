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

/**
 * In service, and 273, which is assigned. https://cnac.ca/area_code_maps/canadian_area_codes.htm, compared with Google's
 * libphonenumber (metadata of libphonenumber-js 1.13.16, npm).
 */
const CANADIAN = [
  '204|226|236|249|250|257|263|273|289|306|343|354|365|367|368|382|403|416|418|428|431|437|438|450|468|474|506|514',
  '519|548|579|581|584|587|604|613|639|647|672|683|705|709|742|753|778|780|782|807|819|825|867|873|879|902|905|942',
].join('|');

/**
 * Assigned, in service or soon: the others belong to nobody, to the Caribbean or to services. https://www.nanpa.com/reports,
 * as libphonenumber has them (metadata of libphonenumber-js 1.13.16, npm).
 */
const UNITED_STATES = [
  '201|202|203|205|206|207|208|209|210|212|213|214|215|216|217|218|219|220|223|224|225|227|228|229|231|234',
  '235|239|240|248|251|252|253|254|256|260|262|267|269|270|272|274|276|279|281|283|301|302|303|304|305|307',
  '308|309|310|312|313|314|315|316|317|318|319|320|321|323|324|325|326|327|329|330|331|332|334|336|337|339',
  '341|346|347|350|351|352|353|360|361|363|364|369|380|385|386|401|402|404|405|406|407|408|409|410|412|413',
  '414|415|417|419|423|424|425|430|432|434|435|440|442|443|445|447|448|458|463|464|469|470|472|475|478|479',
  '480|484|501|502|503|504|505|507|508|509|510|512|513|515|516|517|518|520|530|531|534|539|540|541|551|557',
  '559|561|562|563|564|567|570|571|572|573|574|575|580|582|585|586|601|602|603|605|606|607|608|609|610|612',
  '614|615|616|617|618|619|620|623|626|628|629|630|631|636|640|641|645|646|650|651|656|657|659|660|661|662',
  '667|669|678|680|681|682|686|689|701|702|703|704|706|707|708|712|713|714|715|716|717|718|719|720|724|725',
  '726|727|728|730|731|732|734|737|738|740|743|747|748|754|757|760|762|763|765|769|770|771|772|773|774|775',
  '779|781|785|786|801|802|803|804|805|806|808|810|812|813|814|815|816|817|818|820|821|826|828|830|831|832',
  '835|838|839|840|843|845|847|848|850|854|856|857|858|859|860|862|863|864|865|870|872|878|901|903|904|906',
  '907|908|909|910|912|913|914|915|916|917|918|919|920|925|928|929|930|931|934|936|937|938|940|941|943|945',
  '947|948|949|951|952|954|956|959|970|971|972|973|975|978|979|980|983|984|985|986|989',
].join('|');

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
    numbers: new RegExp(`^\\+1(${UNITED_STATES})[2-9]\\d{6}$`),
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
    tollFree: /^\+61180(0\d{6}|2\d{3})$/, // 1800 and six digits, 1802 and three
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
