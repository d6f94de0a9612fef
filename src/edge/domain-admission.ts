import { SIP_REALM } from '../config/sip.ts';
import type { DomainAccess } from '../config/sip-directory.ts';
import type { RouteDecision, RouteLookup } from '../routing/port.ts';
import type { InboundInvite } from '../sip/agent/port.ts';
import type { AccountStatuses } from './account-statuses.ts';
import { type DigestGate, flowOf } from './digest-gate.ts';
import type { Refusal } from './refusal.ts';
import type { RegionDirectories } from './region-directory.ts';
import { type Listed, listed } from './source-address.ts';

export interface DomainAdmissionOptions {
  readonly routes: RouteLookup;
  readonly directories: RegionDirectories;
  readonly accounts: AccountStatuses;
  readonly gate: DigestGate;
}

/** A domain that was called by somebody who may. */
export interface AdmittedToDomain {
  readonly access: DomainAccess;
  readonly route: RouteDecision;
  /** Who the caller proved to be; null where its address let it in. */
  readonly username: string | null;
}

/**
 * Whether an INVITE to a SIP domain may come in: by the lists of the Region in which the domain is active, and of no
 * other. An access control list and a credential list are both to be passed; who fails the first is not asked for
 * the second, so that it learns nothing about users.
 *
 * @param name the global key: `acme`, `east.acme`
 * @see https://www.twilio.com/docs/voice/api/sending-sip
 */
export async function admitToDomain(
  name: string,
  invite: InboundInvite,
  options: DomainAdmissionOptions,
): Promise<AdmittedToDomain | Refusal> {
  const found = await lookUp(name, options);
  if ('status' in found) return found;
  const { access, route } = found;
  const barred = addressProblem(access, invite.source.address);
  if (barred) return barred;
  const proved = await authenticate(access, route, invite, options);
  if (typeof proved === 'object' && proved !== null) return proved;
  const proof = proved === null ? {} : ({ proved: true } as const);
  const account = await options.accounts.of(access.domain.accountSid);
  if (account !== 'active')
    return { ...refuse(access, 603, 32200, `the account of ${name} is ${account}`), ...proof };
  if (access.domain.secure) {
    // Sockets for TLS are not there yet: whatever arrives was readable on its way.
    const reason = `${access.domain.domainName} takes encrypted calls only, and this one came in the clear`;
    return { ...refuse(access, 403, 32209, reason), ...proof };
  }
  return { access, route, username: proved };
}

async function lookUp(
  name: string,
  { routes, directories }: DomainAdmissionOptions,
): Promise<{ readonly access: DomainAccess; readonly route: RouteDecision } | Refusal> {
  const unknown = (status: 404 | 503, reason: string): Refusal => ({ status, reason, secret: true });
  const unreadable = (what: string) => (error: unknown) =>
    unknown(503, `${what} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  const route = await routes.lookup('sip-domain', name).catch(unreadable('the route table'));
  if ('status' in route) return route;
  const { region } = route;
  const there = directories.get(region);
  if (!there) return unknown(503, `${name} is routed to ${region}, which does not run in this installation`);
  const access = await there.directory.domain(name).catch(unreadable(`the SIP domains of ${region}`));
  if (!access) return unknown(404, `there is no SIP domain "${name}" in ${region}`);
  return 'status' in access ? access : { access, route };
}

/** Lists are read anew when anything of their Region has changed, and are the same objects until then. */
const listsOf = new WeakMap<DomainAccess, Listed>();

function addressProblem(access: DomainAccess, address: string): Refusal | undefined {
  const { callAddresses, callLists, domain } = access;
  if (callAddresses === null && callLists.length === 0) {
    const what = 'no access control list and no credential list is mapped to it for calls';
    return refuse(access, 403, 32200, `${domain.domainName} takes no calls: ${what}`);
  }
  if (callAddresses === null) return undefined;
  const isKnown = listsOf.get(access) ?? listed(callAddresses);
  listsOf.set(access, isKnown);
  if (isKnown(address)) return undefined;
  return refuse(access, 403, 32201, `${address} is in no access control list of ${domain.domainName}`);
}

/** The user; null where nobody has to be one; what the peer is told otherwise. */
async function authenticate(
  access: DomainAccess,
  { region }: RouteDecision,
  { request, source }: InboundInvite,
  { directories, gate }: DomainAdmissionOptions,
): Promise<string | null | Refusal> {
  const directory = directories.get(region)?.directory;
  if (access.callLists.length === 0 || !directory) return null;
  const verdict = await gate.check(request, {
    realm: SIP_REALM,
    status: 407, // @see https://www.twilio.com/docs/voice/api/sending-sip
    lists: access.callLists,
    directory,
    key: flowOf(source),
  });
  if (verdict.kind === 'admitted') return verdict.username;
  if (verdict.kind === 'refused') return { status: verdict.status, reason: verdict.reason, secret: true };
  const { status, headers, answer, claimed } = verdict;
  if (answer !== 'wrong')
    return { status, reason: 'it has to say who it is', headers, secret: true, asks: true };
  const reason = `"${claimed}" is no user of ${access.domain.domainName} with this password`;
  return { ...refuse(access, status, 32202, reason), headers };
}

/** Of a domain that is there: its owner reads why, the peer does not. */
function refuse({ domain }: DomainAccess, status: number, code: number, reason: string): Refusal {
  const of = { accountSid: domain.accountSid, domainSid: domain.sid, code };
  return { status, reason, secret: true, of };
}
