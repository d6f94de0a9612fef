import { compileRelay, startCRelay } from './c-relay.ts';
import { startBridges, type TalkResult, talk } from './rtp-peers.ts';

/*
 * Bridged calls without a tap, as their callees hear them: both peers of every call talk all the time, through the
 * edge's own thread. Peers are processes of their own and add their own unsteadiness, which is why the same calls go
 * through a relay in C too.
 */

export interface BridgeResult {
  /** Milliseconds by which the distance of two packets differs from 20, at the callees. */
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
  /** Milliseconds from one peer's send to the other's read. */
  readonly delayP50: number;
  readonly delayP99: number;
  readonly lost: number;
  readonly filled: number;
  readonly packets: number;
  readonly microsecondsPerPacket: number;
}

/** `calls` calls for `seconds`. `workers` is the folder of the compiled worker scripts. */
export async function benchBridge(workers: URL, calls = 200, seconds = 10) {
  const relay = result(await talk(seconds, (peers) => startBridges(workers, calls, peers)));
  const compiled = compileRelay();
  if (typeof compiled === 'string') return { calls, relay, 'relay in C': compiled };
  const floor = result(await talk(seconds, (peers) => startCRelay(compiled.program, calls, peers)));
  compiled.remove();
  return { calls, relay, 'relay in C': floor };
}

function result({ callers, callees, microsecondsPerPacket }: TalkResult): BridgeResult {
  return {
    ...callees.gaps,
    delayP50: callees.delays.p50,
    delayP99: callees.delays.p99,
    lost: callers.sent + callees.sent - callers.received - callees.received,
    filled: callers.filled + callees.filled,
    packets: callers.sent + callees.sent,
    microsecondsPerPacket,
  };
}
