import type { BlockList } from 'node:net';
import type { CallChain, InboundJob } from '../call/job.ts';
import type { NumberOwnership, OwnedNumber } from '../config/port.ts';
import type { Clock } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import { type EdgeId, isEdgeId } from '../region/edge.ts';
import type { RouteDecision } from '../routing/port.ts';
import type { InboundInvite } from '../sip/agent/port.ts';
import { parseUri, type SipUri } from '../sip/message/uri.ts';
import { type Called, calledBy } from './called.ts';
import { newChain } from './chain.ts';
import { type AdmittedToDomain, admitToDomain, type DomainAdmissionOptions } from './domain-admission.ts';
import { type Caller, callerOf, forwardedFrom, passedHeaders, sipAddress, sipCallerOf } from './parties.ts';
import type { Refusal } from './refusal.ts';
import { isListed } from './source-address.ts';

export interface AdmissionOptions extends DomainAdmissionOptions {
  readonly ownership: NumberOwnership;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly domain: string;
  /** Who may call numbers. */
  readonly ingressAllow: BlockList;
  /** Where workers reach this process. */
  readonly control: { readonly process: string; readonly host: string; readonly port: number };
  /** The call of this process whose INVITE came back to it, if it did. */
  readonly ownCall: (invite: InboundInvite) => OwnCall | undefined;
}

export interface OwnCall {
  /** It was sent to one of our numbers: it may come in, whoever else may not. */
  readonly toOwnNumber: boolean;
  readonly chain: CallChain | undefined;
}

/**
 * Who may call, who is called, and which Region is to know: the job of a call that comes in, or what its caller is
 * refused with. An unreadable route table is 503, never a guess.
 */
export async function admit(invite: InboundInvite, options: AdmissionOptions): Promise<InboundJob | Refusal> {
  const { label } = invite.source.listener;
  if (!isEdgeId(label)) throw new Error(`listener ${label} is no edge`);
  const uri = parseUri(invite.request.uri);
  const called: Called = uri
    ? calledBy({ user: uri.userDecoded ?? '', host: uri.host }, options.domain)
    : { kind: 'nobody', reason: `"${invite.request.uri}" is not a SIP URI` };
  if (uri && called.kind === 'sip-domain') {
    const admitted = await admitToDomain(called.name, invite, options);
    if ('status' in admitted) return admitted;
    const chain = options.ownCall(invite)?.chain;
    return domainJob({ invite, edge: label, chain }, uri, called, admitted, options);
  }
  const own = options.ownCall(invite);
  // Who may call numbers: the carrier, and calls of our own. SIP domains have lists of their own.
  if (!own?.toOwnNumber && !isListed(invite.source.address, options.ingressAllow)) {
    return { status: 403, reason: `${invite.source.address} is not in TRUNKLINE_INGRESS_ALLOW` };
  }
  if (called.kind === 'number') return numberJob({ invite, edge: label, chain: own?.chain }, called, options);
  const reason = called.kind === 'nobody' ? called.reason : `there is no ${called.kind} "${called.name}"`;
  return { status: 404, reason };
}

type Kind<K extends Called['kind']> = Extract<Called, { kind: K }>;

async function numberJob(
  arrival: Arrival,
  called: Kind<'number'>,
  options: AdmissionOptions,
): Promise<InboundJob | Refusal> {
  const { number } = called;
  let found: [RouteDecision, OwnedNumber | undefined];
  try {
    found = await Promise.all([
      options.routes.lookup('phone-number', number),
      options.ownership.byNumber(number),
    ]);
  } catch (error) {
    options.logger.error({ edge: arrival.edge, number, error }, 'the route table cannot be read');
    return { status: 503, reason: 'the route table cannot be read' };
  }
  const [route, owner] = found;
  if (!owner) return { status: 404, reason: `${number} is not a number of this installation` };
  const account = await options.accounts.of(owner.accountSid);
  if (account !== 'active') return { status: 603, reason: `the account of ${number} is ${account}` };
  const target = { accountSid: owner.accountSid, to: number, phoneNumberSid: owner.sid, domain: null };
  return jobOf(
    arrival,
    { ...target, caller: callerOf(arrival.invite.request), key: number, route, called },
    options,
  );
}

function domainJob(
  arrival: Arrival,
  uri: SipUri,
  called: Kind<'sip-domain'>,
  { access, route, username }: AdmittedToDomain,
  options: AdmissionOptions,
): InboundJob {
  const { sid, accountSid, domainName } = access.domain;
  const domain = { sid, domainName, username };
  const target = { accountSid, to: sipAddress(uri), phoneNumberSid: null, domain };
  return jobOf(
    arrival,
    { ...target, caller: sipCallerOf(arrival.invite.request), key: called.name, route, called },
    options,
  );
}

/** What is known of a call before anybody asks whom it is for. */
interface Arrival {
  readonly invite: InboundInvite;
  readonly edge: EdgeId;
  readonly chain: CallChain | undefined;
}

interface Target extends Pick<InboundJob, 'accountSid' | 'to' | 'phoneNumberSid' | 'domain'> {
  readonly caller: Caller;
  readonly called: Kind<'number' | 'sip-domain'>;
  /** What was asked of the route table. */
  readonly key: string;
  readonly route: RouteDecision;
}

function jobOf(
  { invite: { request, source }, edge, chain }: Arrival,
  { caller, called, key, route, ...target }: Target,
  { ids, clock, control }: AdmissionOptions,
): InboundJob {
  const callSid = ids.sid('CA');
  const elsewhere = called.namedEdge !== undefined && called.namedEdge !== edge;
  return {
    ...target,
    callSid,
    epoch: 1,
    region: route.region,
    direction: 'inbound',
    from: caller.from,
    callerName: caller.name,
    forwardedFrom: forwardedFrom(request),
    ingressEdge: edge,
    createdAt: clock.now(),
    sip: {
      callId: request.headers.get('Call-ID') ?? '',
      sourceIp: source.address,
      sourcePort: source.port,
      transport: source.listener.transport,
      requestUri: request.uri,
      headers: passedHeaders(request),
    },
    route: { key, record: route.record, sid: route.sid, ageMs: route.ageMs },
    notes: elsewhere
      ? [`the request named the edge ${called.namedEdge}; it arrived at ${edge}, which is its ingress edge`]
      : [],
    chain: chain ?? newChain(callSid, request.headers.get('Max-Forwards')),
    edge: control,
  };
}
