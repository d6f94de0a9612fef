import { spawn } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { createMediaHost } from '../../src/media/threads/media-host.ts';
import { createRelayHost } from '../../src/media/threads/relay-host.ts';
import { tone } from '../../src/media/tones.ts';

/*
 * Calls being played to at once, measured where it counts: at the peer. The clip goes the whole way, worker thread →
 * inner hop → edge thread → peer; the peer is a process of its own with one socket for all calls.
 */

/** Plain JavaScript for `node -e`: notes how far apart the packets of each stream arrive. */
const PEER = `
  const socket = require('node:dgram').createSocket('udp4');
  const streams = new Map();
  const gaps = [];
  let packets = 0;
  let lost = 0;
  let holes = 0;
  socket.on('message', (packet, from) => {
    const now = performance.now();
    const sequence = packet.readUInt16BE(2);
    const before = streams.get(from.port);
    const silent = packet[12] === 0xff && packet[100] === 0xff;
    if (silent && before && !before.silent) holes++;
    streams.set(from.port, { now, sequence, silent });
    packets++;
    if (!before) return;
    lost += ((sequence - before.sequence) & 0xffff) - 1;
    gaps.push(Math.abs(now - before.now - 20));
  });
  socket.bind(0, '127.0.0.1', () => {
    try { socket.setRecvBufferSize(4 << 20); } catch {}
    console.log(socket.address().port);
  });
  process.stdin.on('data', () => { gaps.length = 0; packets = 0; lost = 0; holes = 0; });
  process.stdin.on('end', () => {
    gaps.sort((a, b) => a - b);
    const at = (part) => gaps[Math.min(gaps.length - 1, Math.floor(gaps.length * part))] ?? NaN;
    console.log(JSON.stringify({ p50: at(0.5), p99: at(0.99), worst: at(1), packets, lost, holes, streams: streams.size }));
    process.exit();
  });
`;

export interface RtpPacingResult {
  /** Milliseconds by which the distance of two packets of a stream differs from 20. */
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
  readonly packets: number;
  /** Sequence numbers the peer never saw. */
  readonly lost: number;
  /** Times a prompt was interrupted by silence because it came too late. */
  readonly holes: number;
  readonly streams: number;
  /** Of the two media threads and the main thread, in percent of one core. */
  readonly cpuPercent: number;
}

/** Plays to `legs` peers at once for `seconds`. `workers` is the folder of the compiled worker scripts. */
export async function benchRtpPacing(workers: URL, legs = 200, seconds = 5): Promise<RtpPacingResult> {
  const spoolDir = await mkdtemp(join(tmpdir(), 'trunkline-bench-'));
  const peer = spawn(process.execPath, ['-e', PEER], { stdio: ['pipe', 'pipe', 'inherit'] });
  const port = Number(String((await once(peer.stdout, 'data'))[0]));
  const relay = await createRelayHost({
    script: new URL('edge-media.js', workers),
    address: '127.0.0.1',
    ports: { first: 20_000, last: 29_999 },
    silentAfterMs: 3_600_000,
  });
  const media = await createMediaHost({
    script: new URL('region-media.js', workers),
    address: '127.0.0.1',
    spoolDir,
  });
  const format = { codec: 'PCMU', payloadType: 0, dtmfPayloadType: 101 } as const;
  const clip = { id: 'bench', pcm: tone([440], seconds * 1_000 + 500, 8_000) };
  const never = new AbortController().signal;
  setMaxListeners(0, never);
  const played: Promise<unknown>[] = [];
  for (let call = 0; call < legs; call++) {
    const edge = await relay.open('127.0.0.1');
    edge.configure({ address: '127.0.0.1', port }, format, 'sendrecv');
    edge.attach(media.inner);
    const leg = media.open({ handle: edge.handle, edge: relay.inner, format });
    played.push(leg.play(clip, never));
  }
  await setTimeout(500);
  peer.stdin.write('start\n'); // the set-up is not what is measured
  const cpu = process.cpuUsage();
  const began = performance.now();
  await played[0]; // the last ones still play: everything measured is playing
  const { user, system } = process.cpuUsage(cpu);
  const elapsed = performance.now() - began;
  const answer = once(peer.stdout, 'data');
  peer.stdin.end();
  const result = JSON.parse(String((await answer)[0]));
  await Promise.all(played);
  await media.close();
  await relay.close();
  await rm(spoolDir, { recursive: true, force: true });
  return { ...result, cpuPercent: (user + system) / 10 / elapsed };
}
