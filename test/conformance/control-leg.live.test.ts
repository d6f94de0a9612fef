import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { HeardAudio } from '../../src/bin/phone/heard-audio.ts';
import { RtpLine } from '../../src/bin/phone/rtp-line.ts';
import type { InboundJob } from '../../src/call/job.ts';
import { type ControlClient, createControlClient } from '../../src/control/client.ts';
import type { LegCommand } from '../../src/control/protocol.ts';
import { type ControlHandler, type ControlServer, createControlServer } from '../../src/control/server.ts';
import { SystemClock } from '../../src/core/clock.ts';
import { RandomIds } from '../../src/core/ids.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { createRemoteLeg } from '../../src/leg/remote/remote-leg.ts';
import { clipFrames } from '../../src/media/stream/clip-frames.ts';
import { digitFrames } from '../../src/media/stream/digit-frames.ts';
import { createMediaHost } from '../../src/media/threads/media-host.ts';
import type { MediaHost, RelayHost, RelayLeg } from '../../src/media/threads/port.ts';
import { createRelayHost } from '../../src/media/threads/relay-host.ts';
import { tone } from '../../src/media/tones.ts';
import { callJob } from '../support/call-job.ts';
import { type LegUnderTest, legConformance } from './leg.ts';

// The remote leg with everything real but SIP: control channel, both media threads, a peer that sends RTP.

const ADDRESS = '127.0.0.1';
const format = { codec: 'PCMU', payloadType: 0, dtmfPayloadType: 101 } as const;
const clock = new SystemClock();
const ids = new RandomIds();

const script = (name: string) => new URL(`../../dist/workers/${name}.js`, import.meta.url);

interface EdgeCall {
  readonly job: InboundJob;
  readonly relay: RelayLeg;
  answered: boolean;
}

let spoolDir: string;
let relay: RelayHost;
let media: MediaHost;
let server: ControlServer;
let client: ControlClient;
let edge: { process: string; host: string; port: number };
const calls = new Map<string, EdgeCall>();

const handler: ControlHandler = {
  claim({ callSid, media: worker }) {
    const call = calls.get(callSid);
    if (!call) return { refused: 'gone' };
    call.relay.attach(worker);
    const granted = { handle: call.relay.handle, edge: relay.inner, format };
    return { granted: { job: call.job, leg: { state: 'ringing', media: granted } } };
  },
  async dial() {
    throw new Error('this edge calls nobody');
  },
  async domainRelated() {
    return false;
  },
  async related() {
    return false;
  },
  async command(callSid: string, epoch: number, { verb }: LegCommand) {
    const call = calls.get(callSid);
    if (!call) throw new Error('no such call');
    if (verb === 'answer') call.answered = true;
    else server.notifyEnded(callSid, epoch, { cause: verb === 'reject' ? 'rejected' : 'local-hangup' });
    return {};
  },
  release() {},
  lost() {},
};

beforeAll(async () => {
  spoolDir = await mkdtemp(join(tmpdir(), 'trunkline-leg-'));
  const ports = { first: 30_000, last: 39_999 };
  relay = await createRelayHost({
    script: script('edge-media'),
    address: ADDRESS,
    ports,
    silentAfterMs: 60_000,
  });
  media = await createMediaHost({ script: script('region-media'), address: ADDRESS, spoolDir });
  const shared = { secret: 'both know it', clock, ids, logger: silentLogger, heartbeatMs: 2_000 };
  server = createControlServer({ ...shared, processId: 'edge-1', handler });
  edge = { process: 'edge-1', ...(await server.listen({ host: ADDRESS, port: 0 })) };
  client = createControlClient({ ...shared, worker: 'worker-1', region: 'ie1' });
});

afterAll(async () => {
  await client.close();
  await server.close();
  await media.close();
  await relay.close();
  await rm(spoolDir, { recursive: true, force: true });
});

async function open(): Promise<LegUnderTest> {
  const job = callJob();
  const relayed = await relay.open(ADDRESS);
  const call = { job, relay: relayed, answered: false };
  calls.set(job.callSid, call);
  const line = await RtpLine.open({
    address: ADDRESS,
    clock,
    ids,
    heard: new HeardAudio(60_000),
    onSound: () => {},
    onKey: () => {},
  });
  relayed.configure({ address: ADDRESS, port: line.port }, format, 'sendrecv');
  line.start({ format, remote: { address: ADDRESS, port: relayed.port }, direction: 'sendrecv' });
  const link = await client.claim(edge, job.callSid, job.epoch, media.inner);
  if ('refused' in link) throw new Error(link.refused);
  const leg = createRemoteLeg({ link, media, clock });
  return {
    leg,
    peer: {
      press: (key) => line.perform([digitFrames(key, true)]),
      speak: (ms) => line.perform([clipFrames(tone([440], ms, 8_000))]),
      hangup: () =>
        server.notifyEnded(job.callSid, job.epoch, {
          cause: call.answered ? 'peer-hangup' : 'peer-cancelled',
        }),
    },
    elapse: (ms) => new Promise((resolve) => clock.after(ms, resolve)),
    settle: (work) => work,
    now: () => clock.monotonic(),
    async close() {
      await leg.close();
      await link.release();
      await relayed.close();
      await line.close();
      calls.delete(job.callSid);
    },
  };
}

legConformance('the remote leg', open, 'real');
