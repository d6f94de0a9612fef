import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createRelayHost } from '../../src/media/threads/relay-host.ts';

/** A relay with calls in it: the ports their two sides send to. `stop` says what processor time it has used. */
export interface RelayUnderTest {
  readonly callers: readonly number[];
  readonly callees: readonly number[];
  stop(): Promise<{ readonly microseconds: number }>;
}

interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
}

/** What one side of the calls sent and got. */
export interface PeerResult {
  readonly sent: number;
  readonly received: number;
  /** Packets the relay made up in the middle of a stream because it had none to pass on. */
  readonly filled: number;
  /** Milliseconds by which the distance of two packets of a stream differs from 20. */
  readonly gaps: Spread;
  /** Milliseconds from being sent by one peer to being read by the other. */
  readonly delays: Spread;
}

export interface TalkResult {
  readonly callers: PeerResult;
  readonly callees: PeerResult;
  readonly microsecondsPerPacket: number;
}

/** Both sides of all calls talk for `seconds` through the relay that `start` sets up. */
export async function talk(
  seconds: number,
  start: (ports: { readonly callers: number; readonly callees: number }) => Promise<RelayUnderTest>,
): Promise<TalkResult> {
  const [callers, callees] = [peerProcess(), peerProcess()];
  const relay = await start({
    callers: Number(await callers.next()),
    callees: Number(await callees.next()),
  });
  callers.tell({ ports: relay.callers, seconds });
  callees.tell({ ports: relay.callees, seconds });
  const [atCallers, atCallees]: [PeerResult, PeerResult] = [
    JSON.parse(await callers.next()),
    JSON.parse(await callees.next()),
  ];
  const { microseconds } = await relay.stop();
  const relayed = atCallers.received + atCallees.received;
  return { callers: atCallers, callees: atCallees, microsecondsPerPacket: microseconds / relayed };
}

/** This product's relay with bridged calls in it. `workers` is the folder of the compiled worker scripts. */
export async function startBridges(
  workers: URL,
  calls: number,
  peers: { readonly callers: number; readonly callees: number },
): Promise<RelayUnderTest> {
  const relay = await createRelayHost({
    script: new URL('edge-media.js', workers),
    address: '127.0.0.1',
    ports: { first: 20_000, last: 29_999 },
    silentAfterMs: 3_600_000,
  });
  const format = { codec: 'PCMU', payloadType: 0, dtmfPayloadType: 101 } as const;
  const [callers, callees]: [number[], number[]] = [[], []];
  for (let call = 0; call < calls; call++) {
    const [caller, callee] = [await relay.open('127.0.0.1'), await relay.open('127.0.0.1')];
    caller.configure({ address: '127.0.0.1', port: peers.callers }, format, 'sendrecv');
    callee.configure({ address: '127.0.0.1', port: peers.callees }, format, 'sendrecv');
    caller.bridge(callee);
    callers.push(caller.port);
    callees.push(callee.port);
  }
  await relay.census(); // the thread has done all of that
  const cpu = process.cpuUsage();
  return {
    callers,
    callees,
    async stop() {
      const { user, system } = process.cpuUsage(cpu);
      await relay.close();
      return { microseconds: user + system };
    },
  };
}

function peerProcess() {
  const script = fileURLToPath(new URL('rtp-peer-process.js', import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    tell: (order: { readonly ports: readonly number[]; readonly seconds: number }) =>
      child.stdin.write(`${JSON.stringify(order)}\n`),
    async next(): Promise<string> {
      const { value, done } = await lines.next();
      if (done) throw new Error('a peer ended early');
      return String(value);
    },
  };
}
