import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { createControlClient } from '../../src/control/client.ts';
import { createControlServer } from '../../src/control/server.ts';
import { SystemClock } from '../../src/core/clock.ts';
import { RandomIds } from '../../src/core/ids.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { callJob } from '../support/call-job.ts';
import { until } from '../support/until.ts';

// The two ends of the control channel in processes of their own, and what each makes of the other's sudden death.

const shared = {
  secret: 'both know it',
  clock: new SystemClock(),
  ids: new RandomIds(),
  logger: silentLogger,
};

/** Where a loss must be learned from the closed connection, no heartbeat is missed; where from silence, soon. */
const RARE_MS = 600_000;
const OFTEN_MS = 200;
const HOST = '127.0.0.1';
const inner = { address: HOST, port: 40_000 };
const job = callJob();
const granted = {
  job,
  leg: {
    state: 'ringing',
    media: { handle: 1, edge: inner, format: { codec: 'PCMU', payloadType: 0, dtmfPayloadType: 101 } },
  },
} as const;

const clean: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of clean.splice(0).reverse()) await step();
});

/** Runs `body` in a process of its own, with what it may need; resolves with its first line of output. */
async function processOf(body: string): Promise<{ child: ChildProcess; line: string }> {
  const at = (path: string) => new URL(`../../dist/src/${path}.js`, import.meta.url).href;
  const program = `
    import { createControlClient } from '${at('control/client')}';
    import { createControlServer } from '${at('control/server')}';
    import { SystemClock } from '${at('core/clock')}';
    import { RandomIds } from '${at('core/ids')}';
    import { silentLogger } from '${at('core/logger')}';
    const shared = { secret: 'both know it', clock: new SystemClock(), ids: new RandomIds(), logger: silentLogger };
    const inner = ${JSON.stringify(inner)};
    const granted = ${JSON.stringify(granted)};
    ${body}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  clean.push(async () => {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await exited;
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, line: String(line) };
}

async function startEdge(heartbeatMs: number) {
  const lost: string[] = [];
  const server = createControlServer({
    ...shared,
    heartbeatMs,
    processId: 'edge-1',
    handler: {
      claim: () => ({ granted }),
      dial: () => Promise.reject(new Error('nobody is called here')),
      related: async () => false,
      domainRelated: async () => false,
      command: async () => ({}),
      release: () => {},
      lost: (worker, callSids) => lost.push(`${worker} ${callSids.join()}`),
    },
  });
  const { port } = await server.listen({ host: HOST, port: 0 });
  clean.push(() => server.close());
  return { server, port, lost };
}

const worker = (port: number, heartbeatMs: number) => `
  const client = createControlClient({ ...shared, heartbeatMs: ${heartbeatMs}, worker: 'worker-1', region: 'ie1' });
  await client.claim({ process: 'edge-1', host: '${HOST}', port: ${port} }, '${job.callSid}', 1, inner);
  console.log('granted');`;

const edge = `
  const server = createControlServer({ ...shared, heartbeatMs: ${RARE_MS}, processId: 'edge-1', handler: {
    claim: () => ({ granted }), dial() {}, command: async () => ({}), release() {}, lost() {},
  } });
  console.log((await server.listen({ host: '${HOST}', port: 0 })).port);`;

describe('the control channel between processes', () => {
  it('an edge learns at once that a worker was killed, and grants the next epoch to another', async () => {
    const { port, lost, server } = await startEdge(RARE_MS);
    const { child, line } = await processOf(worker(port, RARE_MS));
    expect(line).toBe('granted');
    child.kill('SIGKILL');
    await until('the loss', () => lost.includes(`worker-1 ${job.callSid}`));
    expect(server.census()).toEqual({ workers: 0, strangers: 0, calls: 0 });
    const other = createControlClient({ ...shared, heartbeatMs: RARE_MS, worker: 'worker-2', region: 'ie1' });
    clean.push(() => other.close());
    const link = await other.claim({ process: 'edge-1', host: HOST, port }, job.callSid, 2, inner);
    expect(link).toHaveProperty('leg');
  });

  it('an edge learns from the silence that a worker hangs', async () => {
    const { port, lost } = await startEdge(OFTEN_MS);
    const { child } = await processOf(worker(port, OFTEN_MS));
    child.kill('SIGSTOP'); // its sockets stay open; nothing comes any more
    await until('the loss', () => lost.length > 0);
    expect(lost).toEqual([`worker-1 ${job.callSid}`]);
  });

  it('a worker learns that an edge process was killed', async () => {
    const { child, line } = await processOf(edge);
    const client = createControlClient({
      ...shared,
      heartbeatMs: RARE_MS,
      worker: 'worker-1',
      region: 'ie1',
    });
    clean.push(() => client.close());
    const link = await client.claim(
      { process: 'edge-1', host: HOST, port: Number(line) },
      job.callSid,
      1,
      inner,
    );
    if ('refused' in link) throw new Error(link.refused);
    child.kill('SIGKILL');
    await until('the loss', () => link.lost.aborted);
    expect(link.lost.reason).toMatchObject({ name: 'LegEnded', cause: 'edge-lost' });
  });
});
