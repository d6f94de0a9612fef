import type { BlockList } from 'node:net';
import { isIPv6 } from 'node:net';
import type { CallChain, InboundJob } from '../call/job.ts';
import type { NumberOwnership, OwnedNumber } from '../config/port.ts';
import type { Clock } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import { type EdgeId, isEdgeId } from '../region/edge.ts';
import type { RouteDecision, RouteLookup } from '../routing/port.ts';
import type { InboundInvite } from '../sip/agent/port.ts';
import { parseUri } from '../sip/message/uri.ts';
import { type Called, calledBy } from './called.ts';
import { newChain } from './chain.ts';
import { callerOf, forwardedFrom, passedHeaders } from './parties.ts';

export interface AdmissionOptions {
  readonly routes: RouteLookup;
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

/** An INVITE that gets no call: what the peer is told and why. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
}

/**
 * Who may call, who is called, and which Region is to know: the job of a call that comes in, or what its caller is
 * refused with. An unreadable route table is 503, never a guess.
 */
export async function admit(invite: InboundInvite, options: AdmissionOptions): Promise<InboundJob | Refusal> {
  const { label } = invite.source.listener;
  if (!isEdgeId(label)) throw new Error(`listener ${label} is no edge`);
  const own = options.ownCall(invite);
  if (!own?.toOwnNumber && !isAllowed(invite.source.address, options.ingressAllow)) {
    return { status: 403, reason: `${invite.source.address} is not in TRUNKLINE_INGRESS_ALLOW` };
  }
  const called = calledParty(invite, options.domain);
  if (called.kind !== 'number') {
    const reason = called.kind === 'nobody' ? called.reason : `there is no ${called.kind} "${called.name}"`;
    return { status: 404, reason };
  }
  let found: [RouteDecision, OwnedNumber | undefined];
  try {
    found = await Promise.all([
      options.routes.lookup('phone-number', called.number),
      options.ownership.byNumber(called.number),
    ]);
  } catch (error) {
    options.logger.error({ edge: label, number: called.number, error }, 'the route table cannot be read');
    return { status: 503, reason: 'the route table cannot be read' };
  }
  const [route, owner] = found;
  if (!owner) return { status: 404, reason: `${called.number} is not a number of this installation` };
  return jobOf(invite, { edge: label, called, owner, route, chain: own?.chain }, options);
}

function isAllowed(address: string, list: BlockList): boolean {
  const mapped = address.startsWith('::ffff:') ? address.slice(7) : address;
  return list.check(mapped, isIPv6(mapped) ? 'ipv6' : 'ipv4');
}

function calledParty(invite: InboundInvite, domain: string): Called {
  const uri = parseUri(invite.request.uri);
  if (!uri) return { kind: 'nobody', reason: `"${invite.request.uri}" is not a SIP URI` };
  return calledBy({ user: uri.userDecoded ?? '', host: uri.host }, domain);
}

interface Found {
  readonly edge: EdgeId;
  readonly called: Extract<Called, { kind: 'number' }>;
  readonly owner: OwnedNumber;
  readonly route: RouteDecision;
  readonly chain: CallChain | undefined;
}

function jobOf(
  { request, source }: InboundInvite,
  { edge, called, owner, route, chain }: Found,
  { ids, clock, control }: AdmissionOptions,
): InboundJob {
  const caller = callerOf(request);
  const callSid = ids.sid('CA');
  const elsewhere = called.namedEdge !== undefined && called.namedEdge !== edge;
  return {
    callSid,
    epoch: 1,
    accountSid: owner.accountSid,
    region: route.region,
    direction: 'inbound',
    from: caller.from,
    to: called.number,
    phoneNumberSid: owner.sid,
    domain: null,
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
    route: { key: called.number, record: route.record, sid: route.sid, ageMs: route.ageMs },
    notes: elsewhere
      ? [`the request named the edge ${called.namedEdge}; it arrived at ${edge}, which is its ingress edge`]
      : [],
    chain: chain ?? newChain(callSid, request.headers.get('Max-Forwards')),
    edge: control,
  };
}
