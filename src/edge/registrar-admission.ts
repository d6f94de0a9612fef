import { SIP_REALM } from '../config/sip.ts';
import type { DomainAccess } from '../config/sip-directory.ts';
import type { RegionId } from '../region/region.ts';
import type { RouteLookup } from '../routing/port.ts';
import type { SipSource } from '../sip/agent/port.ts';
import type { SipRequest } from '../sip/message/message.ts';
import type { AccountStatuses } from './account-statuses.ts';
import { type DigestGate, flowOf } from './digest-gate.ts';
import type { RegionDirectories, RegionDirectory } from './region-directory.ts';
import type { AddressOfRecord } from './registrar-address.ts';
import { ownedBy, type RegisterRefusal } from './registrar-refusal.ts';

export interface RegisterAdmissionOptions {
  readonly routes: RouteLookup;
  readonly directories: RegionDirectories;
  readonly accounts: AccountStatuses;
  readonly gate: DigestGate;
}

/** Somebody who may change the bindings of an address. */
export interface AdmittedRegistrant {
  readonly region: RegionId;
  readonly there: RegionDirectory;
  readonly access: DomainAccess;
  readonly username: string;
}

type Domain = Omit<AdmittedRegistrant, 'username'>;

/** Our choice: seconds until a Region that can't be asked is worth another attempt. */
export const RETRY_AFTER = { 'Retry-After': '5' };

/**
 * Who may register under an address: its own user, by the credential lists mapped for registrations in the Region
 * where the domain is active, and by no others. Before the password was right nothing depends on the user.
 *
 * @see https://www.twilio.com/docs/voice/api/sip-registration
 */
export async function admitRegistrant(
  address: AddressOfRecord,
  request: SipRequest,
  source: SipSource,
  options: RegisterAdmissionOptions,
): Promise<AdmittedRegistrant | RegisterRefusal> {
  const found = await findDomain(address.name, options);
  if ('status' in found) return found;
  const { domain } = found.access;
  const problem =
    registrationProblem(found.access) ?? (await userProblem(address, request, source, found, options));
  return problem ? ownedBy(domain, problem) : { ...found, username: address.user };
}

/** What stands against a user of the domain, if it is one at all. */
async function userProblem(
  address: AddressOfRecord,
  request: SipRequest,
  source: SipSource,
  { access, there }: Domain,
  options: RegisterAdmissionOptions,
): Promise<RegisterRefusal | undefined> {
  const { registrationLists: lists } = access;
  const asked = { realm: SIP_REALM, status: 401, lists, directory: there.directory } as const;
  const verdict = await options.gate.check(request, { ...asked, key: flowOf(source) });
  if (verdict.kind === 'refused') {
    return { status: verdict.status, headers: RETRY_AFTER, reason: verdict.reason };
  }
  if (verdict.kind === 'challenge') {
    const { status, headers, answer, claimed } = verdict;
    if (answer !== 'wrong') return { status, headers, reason: 'it has to say who it is', asks: true };
    return { status, headers, code: 32106, reason: `"${claimed}" is no user with this password` };
  }
  if (verdict.username !== address.user) {
    const reason = `"${verdict.username}" registers as "${address.user}": expected the same name`;
    return { status: 403, code: 32106, reason, phrase: 'Not Your Address', proved: true };
  }
  const account = await options.accounts.of(access.domain.accountSid);
  return account === 'active'
    ? undefined
    : {
        status: 403,
        code: 10001,
        reason: `the account is ${account}`,
        phrase: 'Account Not Active',
        proved: true,
      };
}

/** The domain where it is active. A table or a Region that can't be read is 503, never another Region. */
async function findDomain(
  name: string,
  { routes, directories }: RegisterAdmissionOptions,
): Promise<Domain | RegisterRefusal> {
  const unreadable = (what: string) => (error: unknown) => ({
    status: 503,
    headers: RETRY_AFTER,
    reason: `${what} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
  });
  const route = await routes.lookup('sip-domain', name).catch(unreadable('the route table'));
  if ('status' in route) return route;
  const { region } = route;
  const there = directories.get(region);
  if (!there) {
    const reason = `${name} is routed to ${region}, which does not run in this installation`;
    return { status: 503, headers: RETRY_AFTER, reason };
  }
  const access = await there.directory.domain(name).catch(unreadable(`the SIP domains of ${region}`));
  if (access && 'status' in access) return access;
  return access
    ? { region, there, access }
    : { status: 404, reason: `there is no SIP domain "${name}" in ${region}` };
}

/** Twilio documents the codes and no status; our choice: 403, which tells a telephone not to repeat it. */
function registrationProblem({ domain, registrationLists }: DomainAccess): RegisterRefusal | undefined {
  if (!domain.sipRegistration) {
    return { status: 403, code: 32210, reason: `${domain.domainName} takes no registrations: turn them on` };
  }
  if (registrationLists.length > 0) return undefined;
  const reason = `no credential list is mapped to ${domain.domainName} for registrations: map one`;
  return { status: 403, code: 32212, reason };
}
