import { z } from 'zod';
import { isE164 } from '../../core/e164.ts';
import type { RegionId } from '../../region/region.ts';
import type { Finding } from './finding.ts';
import type { RegionServices } from './region-services.ts';
import { askRoute } from './route.ts';
import { withoutLogin } from './secrets.ts';

const EDGE = 'the one whose socket the INVITE arrives at; npx trunkline edges lists them';

/** What one Region has configured for a number; null: nothing was ever written there. */
const configuration = z.looseObject({
  phone_number: z.string(),
  voice_url: z.string().nullish(),
  voice_application_sid: z.string().nullish(),
  trunk_sid: z.string().nullish(),
});
const listing = z.looseObject({ incoming_phone_numbers: z.array(configuration) });
type Configuration = z.infer<typeof configuration>;

/** Everything about a phone number, as it was typed. */
export async function examineNumber(text: string, services: RegionServices): Promise<Finding> {
  const number = text.replace(/^tel:/i, '').replace(/[\s().-]/g, '');
  if (!isE164(number)) return notE164(number);
  const path = `PhoneNumbers/${number}`;
  const routing = await askRoute({ what: `the phone number ${number}`, path }, services);
  const held = await configurations(number, services);
  const owned = [...held.values()].some((config) => config !== undefined);
  const strange = held.size > 0 && !owned;
  return {
    subject: number,
    kind: 'number',
    edge: { id: null, why: EDGE },
    region: strange
      ? { id: null, why: 'it is no number of this account, so nothing routes it' }
      : routing.region,
    problems: strange ? [notOurs(number, services)] : problemsOf(number, routing.region.id, held, services),
    notes: strange
      ? []
      : [...[...held].map(([region, config]) => configured(region, config)), ...routing.notes],
  };
}

function notE164(number: string): Finding {
  const example = number.startsWith('00') ? `+${number.slice(2)}` : '+353209155143';
  const problem =
    `'${number}' is not a number in E.164: expected +, the country code and the number, at most 15 digits, for example ` +
    `${example}. A Request-URI with it calls nobody.`;
  const why = 'only numbers in E.164 are keys of the route table';
  const region = { id: null, why };
  return {
    subject: number,
    kind: 'number',
    edge: { id: null, why: EDGE },
    region,
    problems: [problem],
    notes: [],
  };
}

/** What each Region that answers has for the number; undefined: the Region says it is not the account's. */
async function configurations(
  number: string,
  services: RegionServices,
): Promise<ReadonlyMap<RegionId, Configuration | undefined>> {
  const query = `PhoneNumber=${encodeURIComponent(number)}`;
  const replies = await services.askOwn(
    (account) => `/2010-04-01/Accounts/${account}/IncomingPhoneNumbers.json?${query}`,
  );
  const held = new Map<RegionId, Configuration | undefined>();
  for (const reply of replies ?? []) {
    if ('silent' in reply || reply.status !== 200) continue;
    const read = listing.safeParse(reply.body);
    const mine = read.data?.incoming_phone_numbers.find(({ phone_number }) => phone_number === number);
    held.set(reply.region, mine);
  }
  return held;
}

function notOurs(number: string, { installation }: RegionServices): string {
  const account = installation.account?.sid ?? '';
  return (
    `${number} is no number of account ${account} here: an INVITE for it is refused, and <Number> reaches it through ` +
    'TRUNKLINE_CARRIER alone. Create it with IncomingPhoneNumbers, or ask with the account that has it ' +
    '(TRUNKLINE_ACCOUNT_SID and TRUNKLINE_AUTH_TOKEN_<REGION>).'
  );
}

function problemsOf(
  number: string,
  region: RegionId | null,
  held: ReadonlyMap<RegionId, Configuration | undefined>,
  { installation }: RegionServices,
): string[] {
  if (region === null) return [];
  if (!installation.regions.some(({ id }) => id === region)) {
    return [`${number} is routed to ${region}, which does not run here: calls to it are refused with 503.`];
  }
  const config = held.get(region);
  if (!config || isAnswered(config)) return [];
  const fix = `Set VoiceUrl on ${region}'s host, or route ${number} to a Region that has one.`;
  if (config.voice_url === null || config.voice_url === undefined) {
    return [`${number} goes to ${region} and has no configuration there: calls fail with 22199. ${fix}`];
  }
  return [
    `${number} goes to ${region} and its configuration there names no URL: nothing answers calls. ${fix}`,
  ];
}

function isAnswered({ voice_url, voice_application_sid, trunk_sid }: Configuration): boolean {
  return Boolean(voice_url || voice_application_sid || trunk_sid);
}

function configured(region: RegionId, config: Configuration | undefined): string {
  const how =
    config?.trunk_sid ||
    config?.voice_application_sid ||
    (config?.voice_url && withoutLogin(config.voice_url)) ||
    'nothing that answers';
  return `Configured in ${region}: ${how}.`;
}
