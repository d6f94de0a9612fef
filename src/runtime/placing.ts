import type { OutboundJob } from '../call/job.ts';
import { EdgeUnreachable } from '../control/client.ts';
import type { DialRequest } from '../control/protocol.ts';
import { sleep } from '../core/clock.ts';
import { type Diagnostic, failure } from '../core/diagnostic.ts';
import type { EdgeId } from '../region/edge.ts';
import type { DialTarget } from '../twiml/verbs/ports.ts';
import type { CallParts, Placement } from './call-parts.ts';
import { chooseEgress } from './egress.ts';

/** Our choice: an edge process that was lost is back, supervised, within this time. */
const RESTART_MS = 5_000;
const RETRY_MS = 250;

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

/** @see https://www.twilio.com/docs/voice/twiml/sip: what every INVITE carries; the names are those seen from Twilio */
function identifyingHeaders({ callSid, accountSid }: PlacingOrder['job']): Record<string, string> {
  return {
    'X-Twilio-CallSid': callSid,
    'X-Twilio-AccountSid': accountSid,
    'X-Twilio-ApiVersion': '2010-04-01',
  };
}

/**
 * Has an edge call somebody. `onEdge` is told which one as soon as that is decided. Never rejects: what prevents it
 * is a diagnostic.
 */
export async function place(
  order: PlacingOrder,
  parts: CallParts,
  onEdge: (edge: EdgeId) => void,
  isOver: () => boolean,
): Promise<Placement> {
  const { target } = order;
  const egress = await chooseEgress(target, parts.region, () => parts.config.connections());
  if (typeof egress !== 'string') return { notDialled: egress };
  onEdge(egress);
  const request: DialRequest = {
    job: { ...order.job, egressEdge: egress },
    edge: egress,
    party:
      target.kind === 'number' ? { kind: 'number', number: target.number } : { kind: 'sip', uri: target.uri },
    from: order.fromUser,
    onBehalfOf: order.onBehalfOf,
    headers: {
      ...(target.kind === 'sip' ? target.headers : {}),
      ...identifyingHeaders(order.job),
    },
    ...(target.kind === 'sip' && target.credentials && { credentials: target.credentials }),
  };
  const begun = parts.clock.monotonic();
  for (;;) {
    const placement = await sendRequest(request, order.near, parts);
    const waited = parts.clock.monotonic() - begun;
    if (placement !== 'nobody' || waited >= RESTART_MS || isOver()) {
      return placement === 'nobody' ? { notDialled: nobodyServes(request.edge) } : placement;
    }
    await sleep(parts.clock, RETRY_MS);
  }
}

async function sendRequest(
  request: DialRequest,
  near: string | undefined,
  parts: CallParts,
): Promise<Placement | 'nobody'> {
  const processes = await parts.edges.serving(request.edge, near);
  for (const process of processes) {
    try {
      return await parts.dial(process, request);
    } catch (error) {
      if (!(error instanceof EdgeUnreachable)) {
        parts.logger.error(
          { CallSid: request.job.callSid, edge: request.edge, error },
          'a call could not be placed',
        );
        return { notDialled: failure(12400, `Trunkline failed while it placed the call: ${error}`) };
      }
      // Its calls are gone with it: the next process is asked.
      parts.logger.warn({ CallSid: request.job.callSid, edge: request.edge }, error.message);
    }
  }
  return 'nobody';
}

function nobodyServes(edge: EdgeId): Diagnostic {
  const message = `The call cannot leave through ${edge}: no edge process that serves it can be reached. Start one with "trunkline edge --edge ${edge}" and look whether it reaches this Region's Redis.`;
  return failure(12400, message, { actual: edge });
}
