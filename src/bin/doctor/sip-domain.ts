import { z } from 'zod';
import type { RegionId } from '../../region/region.ts';
import type { RegionServices } from './region-services.ts';

const listing = z.looseObject({
  domains: z.array(
    z.looseObject({
      domain_name: z.string(),
      auth_type: z.string().nullish(),
      voice_url: z.string().nullish(),
    }),
  ),
});
type Domain = z.infer<typeof listing>['domains'][number];

/** What is wrong with a SIP domain: missing where it is routed, closed to everybody, or without an application. */
export async function domainProblems(
  name: string,
  active: RegionId | null,
  services: RegionServices,
): Promise<string[]> {
  if (active === null) return [];
  if (!services.installation.regions.some(({ id }) => id === active)) {
    return [`It is routed to ${active}, which does not run here: calls to it are refused with 503.`];
  }
  const found = await domainsOf(name, services);
  if (!found.has(active)) return []; // that Region did not say
  const domain = found.get(active);
  if (domain) return closed(domain, active);
  const others = [...found].flatMap(([region, there]) => (there ? [region] : []));
  if (others.length === 0) {
    return [
      `No Region has a SIP domain '${name}' of this account: create it in the Region that is to serve it.`,
    ];
  }
  const fix = `Create it in ${active}, or route it to ${others.join(' or ')} with Routes v2.`;
  return [
    `The SIP domain '${name}' is routed to ${active} and exists in ${others.join(' and ')} only. ${fix}`,
  ];
}

/** What each Region that answers has under this name; undefined: nothing. */
async function domainsOf(
  name: string,
  services: RegionServices,
): Promise<ReadonlyMap<RegionId, Domain | undefined>> {
  const replies = await services.askOwn(
    (account) => `/2010-04-01/Accounts/${account}/SIP/Domains.json?PageSize=1000`,
  );
  const found = new Map<RegionId, Domain | undefined>();
  for (const reply of replies ?? []) {
    if ('silent' in reply || reply.status !== 200) continue;
    const domains = listing.safeParse(reply.body).data?.domains;
    if (!domains) continue;
    const mine = domains.find(({ domain_name }) => domain_name.toLowerCase().startsWith(`${name}.sip.`));
    found.set(reply.region, mine);
  }
  return found;
}

function closed({ auth_type, voice_url }: Domain, active: RegionId): string[] {
  const problems: string[] = [];
  if (!auth_type) {
    problems.push(
      `In ${active} it has neither an access control list nor a credential list for calls, so it takes none: map one.`,
    );
  }
  if (!voice_url) problems.push(`In ${active} it has no VoiceUrl, so nothing answers its calls: set one.`);
  return problems;
}
