import { DEFAULT_REGION } from '../../../region/region.ts';
import type { RouteAuthor } from '../../../routing/port.ts';
import { invalid } from '../../api-error.ts';
import type { RegionOptions } from '../../region-options.ts';
import { type DomainName, parentOf } from './domain-name.ts';

/** A domain's name and whose it is. */
export interface NamedDomain extends DomainName {
  readonly accountSid: string;
}

/**
 * Takes the name for the account in this Region. Taken first elsewhere than in us1 it is routed to that Region, as
 * numbers are (DESIGN §6); taken in further Regions its route stays. May be repeated after a failure.
 *
 * @throws ApiError 21232
 */
export async function takeName(options: RegionOptions, domain: NamedDomain, by: RouteAuthor): Promise<void> {
  const { names, routes, region, ids, clock } = options;
  const { accountSid, name, domainName } = domain;
  const claim = await names.claim('sip-domain', name, accountSid, region.id);
  if (claim === 'taken') throw alreadyTaken(domainName);
  if (claim === 'shared') return;
  const route = await routes.fetch('sip-domain', name);
  if (route?.accountSid === accountSid) return;
  if (region.id === DEFAULT_REGION) {
    if (route) await routes.remove('sip-domain', name, by); // an earlier owner's
    return;
  }
  const now = clock.now();
  await routes.save(
    {
      sid: ids.sid('QQ'),
      kind: 'sip-domain',
      key: name,
      accountSid,
      voiceRegion: region.id,
      friendlyName: domainName,
      createdAt: now,
      updatedAt: now,
    },
    by,
  );
}

/** This Region no longer has the name; with the last one the route goes, too. May be repeated after a failure. */
export async function giveUpName(
  { names, routes, region }: RegionOptions,
  { accountSid, name }: NamedDomain,
  by: RouteAuthor,
): Promise<void> {
  const before = await routes.fetch('sip-domain', name);
  const free = await names.release('sip-domain', name, accountSid, region.id);
  if (!free || before?.accountSid !== accountSid) return;
  // Whoever has taken the name since then has a record of their own.
  const now = await routes.fetch('sip-domain', name);
  if (now?.sid === before.sid) await routes.remove('sip-domain', name, by);
}

/**
 * `east.acme` needs `acme` in the same Region, of the same account or of its parent.
 *
 * @throws ApiError 21232
 */
export async function requireParentDomain(options: RegionOptions, domain: NamedDomain): Promise<void> {
  const { accounts, config, region } = options;
  const parentName = parentOf(domain.name);
  if (parentName === undefined) return;
  const parent = await config.records.domains.find(parentName);
  const own = parent?.accountSid === domain.accountSid;
  if (own || (parent && (await accounts.fetch(domain.accountSid))?.ownerAccountSid === parent.accountSid)) {
    return;
  }
  throw invalid(
    21232,
    `Cannot create the sub-domain ${domain.domainName}: neither this account nor its parent has the domain ` +
      `'${parentName}' in ${region.id}. Create that one first.`,
  );
}

/** @throws ApiError 21233 when the account, or a subaccount of it, has a sub-domain of the name in this Region */
export async function refuseSubDomains(options: RegionOptions, domain: NamedDomain): Promise<void> {
  const { accounts, config, region } = options;
  const subaccounts = (await accounts.list(domain.accountSid)).map(({ sid }) => sid);
  const lists = [...new Set([domain.accountSid, ...subaccounts])].map((sid) =>
    config.records.domains.list(sid),
  );
  const subs = (await Promise.all(lists)).flat().filter(({ name }) => name.endsWith(`.${domain.name}`));
  const [first] = subs;
  if (!first) return;
  throw invalid(
    21233,
    `${domain.domainName} still has ${subs.length} sub-domains in ${region.id}, ${first.domainName} for one: delete them first.`,
  );
}

export function alreadyTaken(domainName: string): Error {
  return invalid(
    21232,
    `The domain ${domainName} is not available: it is taken already. Choose another name.`,
  );
}
