import type { SipDomain } from '../../../config/sip.ts';
import { mappingsOf } from '../../../config/sip.ts';
import type { RouteAuthor } from '../../../routing/port.ts';
import { invalid } from '../../api-error.ts';
import type { Parameters } from '../../parameters.ts';
import type { RegionOptions } from '../../region-options.ts';
import { blankFields, fieldsOf } from './domain-fields.ts';
import { type DomainName, readDomainName } from './domain-name.ts';
import {
  alreadyTaken,
  giveUpName,
  refuseSubDomains,
  requireParentDomain,
  takeName,
} from './domain-ownership.ts';
import { SIP_LIMITS } from './limits.ts';

/**
 * Creates a domain in this Region. The name is taken before the record is written: whoever tries again after a
 * failure in between completes it.
 *
 * @throws ApiError 400
 */
export async function createDomain(
  options: RegionOptions,
  accountSid: string,
  form: Parameters,
  by: RouteAuthor,
): Promise<SipDomain> {
  const { config, ids, clock } = options;
  const { domains } = config.records;
  const domainName = readDomainName(form, options.domain);
  if (!domainName)
    throw invalid(21231, `DomainName is required: a name that ends in .sip.${options.domain}.`);
  const fields = await fieldsOf(options, accountSid, form);
  const now = clock.now();
  const named = { accountSid, ...domainName };
  const stamps = { sid: ids.sid('SD'), createdAt: now, updatedAt: now };
  const domain: SipDomain = { ...blankFields(domainName.domainName), ...fields, ...named, ...stamps };
  await requireParentDomain(options, named);
  if (await domains.find(named.name)) throw alreadyTaken(named.domainName);
  if ((await domains.count(accountSid)) >= SIP_LIMITS.domains) throw full(options);
  await takeName(options, named, by);
  const made = await domains.create(domain, SIP_LIMITS.domains);
  if (made === 'created') return domain;
  // Another request of this account that was faster needs the name now.
  const faster = made === 'taken' && (await domains.find(named.name))?.accountSid === accountSid;
  if (!faster) await giveUpName(options, named, by);
  throw made === 'full' ? full(options) : alreadyTaken(named.domainName);
}

function full({ region }: RegionOptions): Error {
  return invalid(
    21230,
    `The account has ${SIP_LIMITS.domains} SIP domains in ${region.id}, the most it may have.`,
  );
}

/** Changes what the form mentions. Undefined: the domain is gone. @throws ApiError 400 */
export async function updateDomain(
  options: RegionOptions,
  domain: SipDomain,
  form: Parameters,
  by: RouteAuthor,
): Promise<SipDomain | undefined> {
  const { config, clock } = options;
  const to = readDomainName(form, options.domain);
  const fields = await fieldsOf(options, domain.accountSid, form);
  const moves = to !== undefined && to.name !== domain.name;
  if (moves) await moveName(options, domain, to, by);
  const changed = await config.records.domains.change(domain.sid, (before) => ({
    ...before,
    ...fields,
    ...to,
    updatedAt: clock.now(),
  }));
  if (changed !== 'taken') {
    // It was deleted meanwhile, by a request that knew its old name.
    if (!changed && moves) await giveUpName(options, { ...domain, ...to }, by);
    return changed;
  }
  // Another request was faster with the new name: the domain goes on with its old one.
  await takeName(options, domain, by);
  throw alreadyTaken(to?.domainName ?? domain.domainName);
}

/**
 * The record is changed last: whoever tries again after a failure finds the old name in it and goes through all of
 * this again. Devices registered under the old name cannot be called any more.
 */
async function moveName(
  options: RegionOptions,
  domain: SipDomain,
  to: DomainName,
  by: RouteAuthor,
): Promise<void> {
  const named = { accountSid: domain.accountSid, ...to };
  await refuseSubDomains(options, domain);
  await requireParentDomain(options, named);
  if (await options.config.records.domains.find(to.name)) throw alreadyTaken(to.domainName);
  await takeName(options, named, by);
  await removeRegistrations(options, domain.sid);
  await giveUpName(options, domain, by);
}

/**
 * Deletes a domain with its mappings and registrations. Its record is removed last: whoever tries again after a
 * failure finds it, and goes through all of this again. Without mappings nobody can register meanwhile.
 *
 * @throws ApiError 21233
 */
export async function deleteDomain(
  options: RegionOptions,
  domain: SipDomain,
  by: RouteAuthor,
): Promise<void> {
  await refuseSubDomains(options, domain);
  await removeMappings(options, domain.sid);
  await removeRegistrations(options, domain.sid);
  await giveUpName(options, domain, by);
  await options.config.records.domains.remove(domain.sid);
  await removeMappings(options, domain.sid); // those that were created meanwhile
}

async function removeMappings({ config }: RegionOptions, domainSid: string): Promise<void> {
  const { mappings } = config.records;
  const all = await mappingsOf(mappings, domainSid);
  await Promise.all(all.map(({ sid }) => mappings.remove(sid)));
}

async function removeRegistrations({ config }: RegionOptions, domainSid: string): Promise<void> {
  const { registrations } = config;
  const aors = new Set((await registrations.list({ domainSid })).map(({ aor }) => aor));
  const remove = (aor: string) =>
    registrations.change(aor, (before) => before.filter((binding) => binding.domainSid !== domainSid));
  await Promise.all([...aors].map(remove));
}
