import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRelayHost } from '../../src/media/threads/relay-host.ts';
import { compileRelay, startCRelay } from './c-relay.ts';
import { startBridges, talk } from './rtp-peers.ts';

/*
 * CPU per packet and hop of the edge's media thread: from a peer to a worker, and from peer to peer over a bridge,
 * beside a relay in C that does the same with as many sockets. Peers and workers are processes of their own, so that
 * only the relay is counted.
 */

/** Plain JavaScript for `node -e`: sends 50 packets a second to every port it is told, counts what comes out. */
const PEER = `
  const { createSocket } = require('node:dgram');
  const peer = createSocket({ type: 'udp4', lookup: (host, options, found) => found(null, host, 4) });
  const worker = createSocket('udp4');
  let received = 0;
  worker.on('message', () => received++);
  worker.bind(0, '127.0.0.1', () => peer.bind(0, '127.0.0.1', () => {
    try { worker.setRecvBufferSize(4 << 20); } catch {}
    console.log(JSON.stringify({ peer: peer.address().port, worker: worker.address().port }));
  }));
  const packet = Buffer.alloc(172);
  packet[0] = 0x80;
  process.stdin.once('data', (line) => {
    const { ports, seconds } = JSON.parse(line);
    const start = performance.now();
    let sent = 0;
    let turn = 0;
    const tick = () => {
      for (; start + turn * 5 <= performance.now() && turn < seconds * 200; turn++) {
        packet.writeUInt16BE((turn >> 2) & 0xffff, 2);
        packet.writeUInt32BE((turn >> 2) * 160, 4);
        for (let i = turn & 3; i < ports.length; i += 4) {
          peer.send(packet, 0, 172, ports[i], '127.0.0.1');
          sent++;
        }
      }
      if (turn < seconds * 200) setTimeout(tick, 1);
      else setTimeout(() => { console.log(JSON.stringify({ sent, received })); process.exit(); }, 200);
    };
    tick();
  });
`;

export interface ToWorkerResult {
  readonly microsecondsPerPacket: number;
  readonly sent: number;
  readonly relayed: number;
}

/** Microseconds of processor time per packet and hop. `workers` is the folder of the compiled worker scripts. */
export async function benchRtpRelay(workers: URL, calls = 100, seconds = 5) {
  const toWorker = await benchToWorker(workers, calls, seconds);
  const bridged = (await talk(seconds, (peers) => startBridges(workers, calls, peers))).microsecondsPerPacket;
  const compiled = compileRelay();
  if (typeof compiled === 'string') return { toWorker, bridged, 'relay in C': compiled };
  const floor = (await talk(seconds, (peers) => startCRelay(compiled.program, calls, peers)))
    .microsecondsPerPacket;
  compiled.remove();
  return { toWorker, bridged, 'relay in C': floor, 'bridged / C': bridged / floor };
}

/** Relays `legs` streams at once to a worker for `seconds`. */
async function benchToWorker(workers: URL, legs: number, seconds: number): Promise<ToWorkerResult> {
  const peer = spawn(process.execPath, ['-e', PEER], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ports: { readonly peer: number; readonly worker: number } = JSON.parse(
    String((await once(peer.stdout, 'data'))[0]),
  );
  const relay = await createRelayHost({
    script: new URL('edge-media.js', workers),
    address: '127.0.0.1',
    ports: { first: 20_000, last: 29_999 },
    silentAfterMs: 3_600_000,
  });
  const format = { codec: 'PCMU', payloadType: 0, dtmfPayloadType: 101 } as const;
  const open = await Promise.all(Array.from({ length: legs }, () => relay.open('127.0.0.1')));
  for (const leg of open) {
    leg.configure({ address: '127.0.0.1', port: ports.peer }, format, 'recvonly');
    leg.attach({ address: '127.0.0.1', port: ports.worker });
  }
  await relay.census(); // the thread has done all of that
  const cpu = process.cpuUsage();
  const answer = once(peer.stdout, 'data');
  peer.stdin.write(`${JSON.stringify({ ports: open.map((leg) => leg.port), seconds })}\n`);
  const counted: { readonly sent: number; readonly received: number } = JSON.parse(String((await answer)[0]));
  const { user, system } = process.cpuUsage(cpu);
  await relay.close();
  return {
    microsecondsPerPacket: (user + system) / counted.received,
    sent: counted.sent,
    relayed: counted.received,
  };
}
