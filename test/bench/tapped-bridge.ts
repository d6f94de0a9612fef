import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMediaHost } from '../../src/media/threads/media-host.ts';
import { createRelayHost } from '../../src/media/threads/relay-host.ts';
import { type RelayUnderTest, talk } from './rtp-peers.ts';

/*
 * Bridged calls that are recorded, as their callees hear them. Both peers of every call talk all the time; audio goes
 * peer → edge thread → inner hop → worker thread, where both directions are recorded, and the same way on to the
 * other peer. A payload comes out as it went in but for µ-law's second zero: a delay of thousands is such a one.
 */

export interface TappedBridgeResult {
  readonly calls: number;
  /** Milliseconds by which the distance of two packets differs from 20, at the callees. */
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
  /** Milliseconds from one peer's send to the other's read. */
  readonly delayP50: number;
  readonly delayP99: number;
  /** Packets of which the other peer heard nothing, or something made up. */
  readonly lost: number;
  readonly filled: number;
  readonly packets: number;
  readonly microsecondsPerPacket: number;
  /** How much shorter than the longest recording the shortest is: a frame at most, they stop in the same 20 ms. */
  readonly recordingsDifferMs: number;
}

/** `calls` calls for `seconds`. `workers` is the folder of the compiled worker scripts. */
export async function benchTappedBridge(
  workers: URL,
  calls = 100,
  seconds = 10,
): Promise<TappedBridgeResult> {
  const recorded: number[] = [];
  const { callers, callees, microsecondsPerPacket } = await talk(seconds, (peers) =>
    startTappedBridges(workers, calls, peers, recorded),
  );
  return {
    calls,
    ...callees.gaps,
    delayP50: callees.delays.p50,
    delayP99: callees.delays.p99,
    lost: callers.sent + callees.sent - callers.received - callees.received,
    filled: callers.filled + callees.filled,
    packets: callers.sent + callees.sent,
    microsecondsPerPacket,
    recordingsDifferMs: Math.max(...recorded) - Math.min(...recorded),
  };
}

/** Edge and worker, with every call recorded; the lengths of the recordings go to `recorded` in the end. */
async function startTappedBridges(
  workers: URL,
  calls: number,
  peers: { readonly callers: number; readonly callees: number },
  recorded: number[],
): Promise<RelayUnderTest> {
  const spoolDir = await mkdtemp(join(tmpdir(), 'trunkline-bench-'));
  const address = '127.0.0.1';
  const relay = await createRelayHost({
    script: new URL('edge-media.js', workers),
    address,
    ports: { first: 20_000, last: 29_999 },
    silentAfterMs: 3_600_000,
  });
  const media = await createMediaHost({ script: new URL('region-media.js', workers), address, spoolDir });
  const format = { codec: 'PCMU', payloadType: 0, dtmfPayloadType: 101 } as const;
  const party = async (port: number) => {
    const edge = await relay.open(address);
    edge.configure({ address, port }, format, 'sendrecv');
    edge.attach(media.inner);
    return { port: edge.port, leg: media.open({ handle: edge.handle, edge: relay.inner, format }) };
  };
  const parties = await Promise.all(
    Array.from(
      { length: calls },
      async () => [await party(peers.callers), await party(peers.callees)] as const,
    ),
  );
  const recordings = parties.map(([caller, callee], call) => {
    caller.leg.bridge(callee.leg);
    const recordingSid = `RE${call}`;
    return caller.leg.record({
      ...{ recordingSid, silenceMs: 0, maxLengthMs: 3_600_000, trim: false },
      ...{ track: 'both', channels: 2 },
    });
  });
  await media.census(); // the thread has done all of that
  const cpu = process.cpuUsage();
  return {
    callers: parties.map(([{ port }]) => port),
    callees: parties.map(([, { port }]) => port),
    async stop() {
      const { user, system } = process.cpuUsage(cpu);
      for (const recording of recordings) recording.stop();
      for (const recording of recordings) recorded.push((await recording.ended).storedMs);
      await media.close();
      await relay.close();
      await rm(spoolDir, { recursive: true, force: true });
      return { microseconds: user + system };
    },
  };
}
