import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { align, noise } from '../support/alignment.ts';
import { bucketFiles, storedCalls, storedTimeline } from '../support/bucket-files.ts';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { until } from '../support/until.ts';
import { loudness, readPcm, soundSeconds, writePcm } from '../support/wav-compare.ts';
import { clientOf, type RegionName } from './support/numbers.ts';
import { alive, descendants, pidOf, processesAbout } from './support/processes.ts';

const DEMO = { us1: '+12025550143', ie1: '+353209155143' } as const;
const command = join(import.meta.dirname, '../../dist/src/bin/trunkline.js');
const scratch = mkdtempSync(join(tmpdir(), 'trunkline-start-'));
const home = join(scratch, 'home');

interface Health {
  readonly at: number;
  readonly status: number;
}

let trunkline: RunningTrunkline;
const health: Health[] = [];
let startedAt = 0;
let readyAt = 0;

/** Runs the command as a person would; resolves with what it printed and its exit code. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [command, ...args], {
    cwd: scratch,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, stdout, stderr })),
  );
}

const call = (args: string[]) => run(['call', ...args, '--sip', `127.0.0.1:${trunkline.sip.port}`]);

/** Asks for the front's health without a pause until told to stop. */
async function watchHealth(port: number, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const status = await fetch(`http://127.0.0.1:${port}/healthz`).then(
      (response) => response.status,
      () => 0, // not listening yet
    );
    health.push({ at: performance.now(), status });
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

beforeAll(async () => {
  const base = 10_000 + 100 * Math.floor(Math.random() * 50);
  const over = new AbortController();
  startedAt = performance.now();
  const watched = watchHealth(base + 50, over.signal);
  trunkline = await startTrunkline({
    home,
    env: { TRUNKLINE_SIP: `127.0.0.1:${base}`, TRUNKLINE_HTTP: `127.0.0.1:${base + 50}` },
  });
  readyAt = performance.now();
  await until('a healthy front', () => health.at(-1)?.status === 200);
  over.abort();
  await watched;
  trunkline = { ...trunkline, sip: { host: '127.0.0.1', port: base }, httpPort: base + 50 };
});

afterAll(async () => {
  await trunkline.stop();
  rmSync(scratch, { recursive: true, force: true });
});

describe('the banner', () => {
  it('says everything needed to place a call', () => {
    const banner = trunkline.output.join('\n');
    expect(trunkline.accountSid).toMatch(/^AC[0-9a-f]{32}$/);
    const tokens = ['us1', 'ie1', 'au1'].map((region) => trunkline.tokens[region]);
    for (const token of tokens) expect(token).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(tokens).size).toBe(3);
    expect(banner).toMatch(/\+12025550143 .*us1/);
    expect(banner).toMatch(/\+353209155143 .*ie1/);
    expect(banner).toContain(`sip:${DEMO.us1}@127.0.0.1:${trunkline.sip.port}`);
    expect(banner).toContain(`http://127.0.0.1:${trunkline.httpPort}/dashboard/queues`);
    expect(banner).toMatch(/npx trunkline call \+12025550143 .*--hear heard\.wav/);
    expect(banner).toContain(
      `ready sip:127.0.0.1:${trunkline.sip.port} http://127.0.0.1:${trunkline.httpPort}`,
    );
  });

  it('the queue dashboard it names is there', async () => {
    const page = await fetch(`http://127.0.0.1:${trunkline.httpPort}/dashboard/queues`);
    expect(page.status).toBe(200);
    expect(await page.text()).toMatch(/<html/i);
  });
});

it('the front is healthy when calls can be taken and not before', () => {
  const first = health.findIndex(({ status }) => status === 200);
  const before = health.slice(0, first);
  expect(before.length).toBeGreaterThan(0);
  expect(before.filter(({ status }) => status !== 0 && status !== 503)).toEqual([]);
  expect(health.slice(first).every(({ status }) => status === 200)).toBe(true);
  // The line is printed in the same moment; between the two lie the demo numbers and a poll, a small part of a start.
  expect(Math.abs((health[first]?.at ?? 0) - readyAt)).toBeLessThan((readyAt - startedAt) / 2);
});

it('every process leaves its pid', () => {
  const names = [
    'start',
    'edge',
    'front',
    ...['us1', 'ie1', 'au1'].flatMap((r) => [`worker-${r}`, `region-${r}`]),
  ];
  const processes = descendants(trunkline.process.pid ?? 0);
  for (const name of names) {
    const pid = pidOf(home, name);
    expect(alive([pid]), name).toEqual([pid]);
    if (name !== 'start') expect(processes, name).toContain(pid);
  }
});

describe('trunkline call', () => {
  const menu = join(scratch, 'menu.wav');
  const message = join(scratch, 'message.wav');
  const voice = noise(2);
  const played = join(scratch, 'tone.wav');
  const results: Partial<Record<RegionName, Awaited<ReturnType<typeof run>>>> = {};

  beforeAll(async () => {
    writePcm(played, voice);
    const [us1, ie1] = await Promise.all([
      call([DEMO.us1, '--press', '1', '--hear', menu, '--max', '9s', '--from', '+15550100001']),
      // The prompt and the beep after 2 take less than seven seconds; # ends the recording.
      call([
        ...[DEMO.ie1, '--edge', 'dublin', '--press', '2WWWWWWW', '--play', played, '--press', 'W#'],
        ...['--hear', message, '--from', '+15550100002'],
      ]),
    ]);
    results.us1 = us1;
    results.ie1 = ie1;
    const { home } = trunkline;
    await until(
      'the records of both calls',
      () => storedCalls(home, 'us1')[0] && storedCalls(home, 'ie1')[0],
    );
    await until('the recording', () => bucketFiles(home, 'ie1').find((name) => /RE\w+\.json$/.test(name)));
  });

  it('shows its progress line by line and ends with 0', () => {
    const { us1, ie1 } = results;
    expect(us1, us1?.stderr).toMatchObject({ code: 0 });
    expect(ie1, ie1?.stderr).toMatchObject({ code: 0 });
    expect(us1?.stdout).toMatch(
      /Calling \+12025550143.*\n.*INVITE sent to edge ashburn.*\n.*180 Ringing\n.*200 OK.*\n[\s\S]*pressed 1\n/,
    );
    expect(us1?.stdout).toMatch(/hears sound\n[\s\S]*BYE sent\n/);
    expect(ie1?.stdout).toMatch(
      /edge dublin[\s\S]*pressed 2\n[\s\S]*plays .*tone\.wav[\s\S]*pressed #\n[\s\S]*BYE received/,
    );
  });

  it('saves what it heard: speech', () => {
    for (const path of [menu, message]) {
      const heard = readPcm(path);
      expect(soundSeconds(heard)).toBeGreaterThan(4);
      expect(loudness(heard)).toBeGreaterThan(300);
    }
  });

  it('leaves record and timeline in the Region that answered and nothing in the others', () => {
    const [us1, ie1] = [storedCalls(home, 'us1'), storedCalls(home, 'ie1')];
    expect(us1.map(({ from }) => from)).toEqual(['+15550100001']);
    expect(ie1.map(({ from }) => from)).toEqual(['+15550100002']);
    expect(us1[0]).toMatchObject({
      status: 'completed',
      region: 'us1',
      ingress_edge: 'ashburn',
      to: DEMO.us1,
    });
    expect(ie1[0]).toMatchObject({
      status: 'completed',
      region: 'ie1',
      ingress_edge: 'dublin',
      to: DEMO.ie1,
    });
    const types = storedTimeline(home, 'us1', us1[0]?.sid ?? '').map(({ type }) => type);
    expect(types).toEqual(
      expect.arrayContaining(['call-received', 'routed', 'taken', 'webhook', 'document', 'answered', 'dtmf']),
    );
    expect(types.at(-1)).toBe('call-ended');
    expect(bucketFiles(home, 'us1').filter((name) => name.includes('/recordings/'))).toEqual([]);
    expect(bucketFiles(home, 'au1')).toEqual([]);
  });

  it('the recording is what was played', async () => {
    const files = bucketFiles(home, 'ie1').filter((name) => name.includes('/recordings/'));
    expect(files.map((name) => name.replace(/^.*RE[0-9a-f]{32}/, ''))).toEqual(['.json', '.wav']);
    const { found, missing, foreign } = align(voice, readPcm(files[1] ?? ''));
    expect(found).toBeGreaterThan(1_800);
    expect(missing + foreign).toBeLessThan(200);
    const [callSid] = storedCalls(home, 'ie1').map(({ sid }) => sid);
    expect(JSON.parse(readFileSync(files[0] ?? '', 'utf8'))).toMatchObject({
      call_sid: callSid,
      region: 'ie1',
      status: 'completed',
      channels: 1,
    });
    expect(readdirSync(join(home, 'spool', 'ie1'))).toEqual([]);
    const [listed] = await clientOf(trunkline, 'ie1').recordings.list();
    expect(listed).toMatchObject({ callSid, status: 'completed', source: 'RecordVerb' });
    expect(await clientOf(trunkline, 'us1').recordings.list()).toEqual([]);
  });
});

describe('a second start', () => {
  it('in the same home while the first one runs is refused in one line', async () => {
    const second = await run(['start'], { TRUNKLINE_HOME: home });
    expect(second.code).toBe(1);
    expect(second.stderr.trim().split('\n')).toHaveLength(1);
    expect(second.stderr).toMatch(/TRUNKLINE_HOME/);
  });

  it.each([
    ['TRUNKLINE_SIP', 'udp'],
    ['TRUNKLINE_HTTP', 'tcp'],
  ] as const)('with a taken port names %s in one line and leaves nothing running', async (variable, kind) => {
    const { port, free } = await occupy(kind);
    const other = kind === 'udp' ? 'TRUNKLINE_HTTP' : 'TRUNKLINE_SIP';
    const elsewhere = join(scratch, variable);
    const started = await run(['start'], {
      TRUNKLINE_HOME: elsewhere,
      [variable]: `127.0.0.1:${port}`,
      [other]: `127.0.0.1:${10_000 + 100 * Math.floor(Math.random() * 50) + 60}`,
    });
    await free();
    expect(started.code).toBe(1);
    expect(`${started.stdout}${started.stderr}`.trim().split('\n')).toHaveLength(1);
    expect(started.stderr).toContain(variable);
    expect(started.stderr).toContain(String(port));
    expect(processesAbout(elsewhere)).toEqual([]);
  });
});

it('SIGTERM drains, ends with 0 and leaves no process; the next start finds numbers, calls and a rotated token', async () => {
  const { v1 } = clientOf(trunkline, 'au1').accounts;
  await v1.secondaryAuthToken().create();
  const rotated = { au1: (await v1.authTokenPromotion().update()).authToken };
  const processes = [trunkline.process.pid ?? 0, ...descendants(trunkline.process.pid ?? 0)];
  expect(processes.length).toBeGreaterThanOrEqual(12); // edge, front, 3 × (worker, service, Redis)
  expect(await trunkline.stop()).toBe(0);
  await until('no process left', () => alive(processes).length === 0);
  expect(processesAbout(home)).toEqual([]);
  expect(existsSync(join(home, 'run', 'start.pid'))).toBe(false);

  const sids = { us1: storedCalls(home, 'us1')[0]?.sid, ie1: storedCalls(home, 'ie1')[0]?.sid };
  const { accountSid, tokens } = trunkline;
  trunkline = await startTrunkline({ home, env: { TRUNKLINE_DRAIN_MS: '60000' } });
  expect(trunkline).toMatchObject({ accountSid, tokens: { ...tokens, ...rotated } });
  for (const region of ['us1', 'ie1'] as const) {
    const client = clientOf(trunkline, region);
    const numbers = await client.incomingPhoneNumbers.list();
    expect(numbers.map((number) => number.phoneNumber).sort()).toEqual(Object.values(DEMO).sort());
    expect(numbers.find((number) => number.phoneNumber === DEMO[region])?.voiceUrl).toMatch(/^http/);
    expect((await client.calls.list()).map((one) => one.sid)).toEqual([sids[region]]);
  }
});

it('a second signal ends calls and processes at once', async () => {
  const processes = [trunkline.process.pid ?? 0, ...descendants(trunkline.process.pid ?? 0)];
  const calling = call([DEMO.us1, '--max', '20s']);
  await until(
    'a live call',
    async () => (await clientOf(trunkline, 'us1').calls.list({ status: 'in-progress' }))[0],
  );
  trunkline.process.kill('SIGTERM');
  await trunkline.line(/SIGTERM: no new calls/);
  const begun = performance.now();
  expect(await trunkline.stop()).toBe(1);
  expect(performance.now() - begun).toBeLessThan(12_000); // the drain would last as long as the call
  await until('no process left', () => alive(processes).length === 0);
  expect(processesAbout(home)).toEqual([]);
  expect((await calling).code).toBe(0); // it was answered; then nobody was there any more
});

/** Takes a port of 127.0.0.1 as another program would. */
async function occupy(kind: 'udp' | 'tcp'): Promise<{ port: number; free: () => Promise<void> }> {
  if (kind === 'udp') {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return {
      port: socket.address().port,
      free: () => new Promise((resolve) => socket.close(() => resolve())),
    };
  }
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { port, free: () => new Promise((resolve) => server.close(() => resolve())) };
}
