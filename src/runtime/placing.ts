import { verifiedCallerId } from '../call/caller-id-validation.ts';
import type { OutboundJob } from '../call/job.ts';
import type { RegisteredDevices } from '../config/registered-address.ts';
import type { DialledParty, DialRequest } from '../control/protocol.ts';
import { type Diagnostic, failure } from '../core/diagnostic.ts';
import { isE164 } from '../core/e164.ts';
import type { EdgeId } from '../region/edge.ts';
import { DEFAULT_REGION } from '../region/region.ts';
import type { DialTarget } from '../twiml/verbs/ports.ts';
import type { CallParts, Placement } from './call-parts.ts';
import { callDevices } from './device-calls.ts';
import { chooseEgress } from './egress.ts';
import { sendRequest } from './request-sending.ts';

/** Whom to call, and as whom. */
export interface PlacingOrder {
  readonly job: Omit<OutboundJob, 'egressEdge'>;
  readonly target: DialTarget;
  /** The user part of From. */
  readonly fromUser: string;
  /** The numbers of the call that dials, which it may show as its own. */
  readonly onBehalfOf: readonly string[];
  /** The edge process that holds the call that dials: legs of one process can be joined there. */
  readonly near: string | undefined;
}

/** Hears how a call is placed. */
export interface PlacingObserver {
  /** The edge it leaves from; of several, the first. */
  edge(edge: EdgeId): void;
  /** An INVITE is on its way. */
  invited(edge: EdgeId, uri: string): void;
  /** Something worth knowing. */
  note(message: string): void;
  /** Nobody wants it any more. */
  readonly over: boolean;
}

/** @see https://www.twilio.com/docs/voice/twiml/sip: what every INVITE carries; the names are those seen from Twilio */
function identifyingHeaders({ callSid, accountSid }: PlacingOrder['job']): Record<string, string> {
  return {
    'X-Twilio-CallSid': callSid,
    'X-Twilio-AccountSid': accountSid,
    'X-Twilio-ApiVersion': '2010-04-01',
  };
}

/** Has an edge call somebody, or several edges the devices of somebody. Never rejects: what prevents it is a diagnostic. */
export async function place(
  order: PlacingOrder,
  parts: CallParts,
  observer: PlacingObserver,
): Promise<Placement> {
  const devices = await registeredDevices(order, parts);
  if (devices && 'code' in devices) return { notDialled: devices };
  if (devices && observer.over) return { notDialled: tooLate() };
  if (devices) {
    const request = (party: DialledParty, edge: EdgeId) => requestOf(order, party, edge);
    return await callDevices(devices, request, parts, observer);
  }
  const { target } = order;
  if (target.kind === 'sip' && target.barred) return { notDialled: target.barred };
  const egress = await chooseEgress(target, parts.region, () => parts.config.connections());
  if (typeof egress !== 'string') return { notDialled: egress };
  observer.edge(egress);
  const party: DialledParty =
    target.kind === 'number' ? { kind: 'number', number: target.number } : { kind: 'sip', uri: target.uri };
  const onBehalfOf = [...order.onBehalfOf, ...(await verifiedNumbers(order, parts))];
  const request = requestOf({ ...order, onBehalfOf }, party, egress);
  const processes = () => parts.edges.serving(egress, order.near);
  const placement = await sendRequest({ request, processes, parts, isOver: () => observer.over });
  const uri = target.kind === 'number' ? `tel:${target.number}` : target.uri;
  if (!('notDialled' in placement)) observer.invited(egress, uri);
  return placement;
}

/**
 * The caller id, where a number is called and the account has verified it. Only us1 has verified caller ids; while they
 * cannot be read nobody has any.
 *
 * @see https://www.twilio.com/docs/voice/twiml/dial#callerid
 */
async function verifiedNumbers(
  { job, target, fromUser, onBehalfOf }: PlacingOrder,
  { region, config, store, logger }: CallParts,
): Promise<readonly string[]> {
  if (region.id !== DEFAULT_REGION || target.kind !== 'number') return [];
  if (!isE164(fromUser) || onBehalfOf.includes(fromUser)) return [];
  const stores = { callerIds: config.records.callerIds, store };
  try {
    return (await verifiedCallerId(stores, job.accountSid, fromUser)) ? [fromUser] : [];
  } catch (error) {
    logger.warn({ CallSid: job.callSid, err: error }, 'verified caller ids cannot be read');
    return [];
  }
}

/** The Region's store took longer than anybody waited. */
function tooLate(): Diagnostic {
  return failure(12400, 'The call was over before it was known who is registered: nobody was called.');
}

/** Undefined: whoever is called is nobody who registers here. */
async function registeredDevices(
  { target, job }: PlacingOrder,
  { devices, region }: CallParts,
): Promise<RegisteredDevices | Diagnostic | undefined> {
  if (target.kind !== 'sip') return undefined;
  const { uri, edge, connectionSid, barred } = target;
  const asksEgress = (edge ?? connectionSid ?? barred) !== undefined;
  try {
    return await devices({ uri, accountSid: job.accountSid, asksEgress });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `Who is registered in ${region.id} cannot be read, so "${uri}" was not called: ${why}. Try again once the stores of this Region can be reached.`;
    return failure(12400, message, { actual: uri });
  }
}

function requestOf(order: PlacingOrder, party: DialledParty, edge: EdgeId): DialRequest {
  const { target, job } = order;
  return {
    job: { ...job, egressEdge: edge },
    edge,
    party,
    from: order.fromUser,
    onBehalfOf: order.onBehalfOf,
    headers: {
      ...(target.kind === 'sip' ? target.headers : {}),
      ...identifyingHeaders(job),
    },
    ...(target.kind === 'sip' && target.credentials && { credentials: target.credentials }),
  };
}
