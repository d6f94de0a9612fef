import { EdgeUnreachable } from '../control/client.ts';
import type { DialRequest } from '../control/protocol.ts';
import type { EdgeProcess } from '../control/registry.ts';
import { sleep } from '../core/clock.ts';
import { type Diagnostic, failure } from '../core/diagnostic.ts';
import type { EdgeId } from '../region/edge.ts';
import type { CallParts, Placement } from './call-parts.ts';

/** Our choice: an edge process that was lost is back, supervised, within this time. */
const RESTART_MS = 5_000;
const RETRY_MS = 250;

export interface RequestSending {
  readonly request: DialRequest;
  /** Those that can do it, the best first. */
  readonly processes: () => Promise<readonly EdgeProcess[]>;
  readonly parts: CallParts;
  /** Nobody wants it any more. */
  readonly isOver: () => boolean;
}

/** Asks edge processes until one takes the request; while there is none, again until one may be back. Never rejects. */
export async function sendRequest(sending: RequestSending): Promise<Placement> {
  const { request, parts, isOver } = sending;
  const begun = parts.clock.monotonic();
  for (;;) {
    const placement = await sendOnce(sending);
    const waited = parts.clock.monotonic() - begun;
    if (placement !== 'nobody' || waited >= RESTART_MS || isOver()) {
      return placement === 'nobody' ? { notDialled: nobodyServes(request.edge) } : placement;
    }
    await sleep(parts.clock, RETRY_MS);
  }
}

/** As `sendRequest`, without waiting for anybody. */
export async function sendOnce({ request, processes, parts }: RequestSending): Promise<Placement | 'nobody'> {
  for (const process of await processes()) {
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
