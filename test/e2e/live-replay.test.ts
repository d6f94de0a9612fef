import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ExportOptions, exportCommand } from '../../src/bin/export/export-command.ts';
import type { TimelineEvent } from '../../src/call/timeline.ts';
import type { Installation } from '../../src/compose/installation.ts';
import { firstDifference, strandsOf } from '../../src/replay/comparable-timeline.ts';
import { replayAll } from '../../src/replay/replay-all.ts';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { until } from '../support/until.ts';
import { WebhookApp } from '../support/webhook-app.ts';
import { LiveFixture } from './support/live-fixture.ts';
import { clientOf, eventsOf, storedCall, storedCallFrom, timelineOf } from './support/numbers.ts';
import { ScriptedCall } from './support/scripted-call.ts';
import { type IncomingCall, Telephones } from './support/telephones.ts';

/** All that one leg and its child legs do, in short; the longest takes as long as all together. */
const FIXTURES = [
  'dial-action',
  'dial-screening',
  'dial-send-digits',
  'dial-status-486',
  'fallback',
  'gather-bargein',
  'gather-digits',
  'gather-hangup',
  'gather-timeout',
  'pause-first',
  'play',
  'record-finish-key',
  'record-hangup',
  'redirect-relative',
  'reject-busy',
] as const;

const folder = mkdtempSync(join(tmpdir(), 'trunkline-export-'));
let trunkline: RunningTrunkline;
let telephones: Telephones;
const fixtures = new Map<string, LiveFixture>();

beforeAll(async () => {
  telephones = await Telephones.start();
  trunkline = await startTrunkline({
    env: {
      TRUNKLINE_DEMO: 'false',
      TRUNKLINE_REGIONS: 'us1',
      TRUNKLINE_CARRIER: `sip:${telephones.address}`,
      TRUNKLINE_CPS: '100',
    },
  });
  for (const [index, name] of FIXTURES.entries()) {
    const fixture = await LiveFixture.open(name, {
      number: `+1202555${4_000 + index}`,
      caller: `+1555016${4_000 + index}`,
      callees: telephones.address,
    });
    fixtures.set(name, fixture);
    const { url, method, fallbackUrl, fallbackMethod } = fixture.scenario.voice;
    await clientOf(trunkline, 'us1').incomingPhoneNumbers.create({
      phoneNumber: fixture.places.number,
      voiceUrl: fixture.real(url),
      voiceMethod: method,
      voiceFallbackUrl: fixture.real(fallbackUrl),
      voiceFallbackMethod: fallbackMethod,
    });
    for (const { address } of fixture.scenario.callees) ring(/^(?:sip:)?([^@]+)/.exec(address)?.[1] ?? '');
  }
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await trunkline?.stop();
  await telephones?.close();
  for (const fixture of fixtures.values()) await fixture.stop();
});

/** Telephones are shared: who calls says which fixture it is. */
function ring(user: string): void {
  telephones.of(user).onCall = async (call) => {
    const from = call.header('From');
    const fixture = [...fixtures.values()].find(({ places }) => from.includes(places.caller));
    if (!fixture) throw new Error(`nobody's call: ${from}`);
    await fixture.answer(call);
  };
}

interface Exported {
  readonly code: number;
  readonly printed: string;
}

/** `trunkline export`, in this process. */
async function exported(
  callSid: string,
  name: string,
  options: Partial<ExportOptions> = {},
): Promise<Exported> {
  const own = {
    sid: trunkline.accountSid,
    tokens: new Map([['us1', trunkline.tokens['us1'] ?? ''] as const]),
  };
  let printed = '';
  const stream = {
    write: (text: string) => {
      printed += text;
    },
  };
  const installation: Installation = {
    domain: 'trunkline.localhost',
    front: `http://127.0.0.1:${trunkline.httpPort}`,
    regions: [{ id: 'us1', url: `http://127.0.0.1:${trunkline.httpPort + 1}` }],
    edges: new Map(),
    rtp: { first: 0, last: 0 },
    account: own,
  };
  const code = await exportCommand(
    callSid,
    folder,
    { redact: true, force: false, name, ...options },
    { stdout: stream, stderr: stream, installation },
  );
  return { code, printed };
}

/** The stored timelines of a call and of those that it dialled. */
async function storedTimelines(callSid: string): Promise<Map<string, readonly TimelineEvent[]>> {
  await storedCall(trunkline, 'us1', callSid);
  const timeline = timelineOf(trunkline, 'us1', callSid);
  const timelines = new Map<string, readonly TimelineEvent[]>([[callSid, timeline]]);
  for (const { call } of eventsOf(timeline, 'dialled')) {
    for (const [sid, events] of await storedTimelines(call)) timelines.set(sid, events);
  }
  return timelines;
}

function textOf(directory: string): string {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true, encoding: 'utf8' });
  return files
    .filter((file) => file.isFile())
    .map((file) => readFileSync(join(file.parentPath, file.name), 'utf8'))
    .join('\n');
}

describe('a fixture over real SIP and RTP', () => {
  it.concurrent.each(FIXTURES)('%s leaves the timeline of its replay, times aside', async (name) => {
    const fixture = fixtures.get(name);
    if (!fixture) throw new Error(`${name} was not prepared`);
    const { number, caller } = fixture.places;
    await ScriptedCall.run({
      uri: `sip:${number}@127.0.0.1:${trunkline.sip.port}`,
      port: trunkline.sip.port,
      from: `sip:${caller}@127.0.0.1`,
      actions: fixture.scenario.caller,
    });
    const { sid } = await storedCallFrom(trunkline, 'us1', caller);
    const golden = fixture.golden();
    const expected = strandsOf(golden.callSid, golden.timelines);
    const found = strandsOf(sid, await storedTimelines(sid), fixture.scripted);
    expect(firstDifference(expected, found)).toBeUndefined();
    expect(found.flatMap(({ events }) => events).length).toBeGreaterThan(4);

    const { code, printed } = await exported(sid, name);
    expect(code, printed).toBe(0);
    expect(printed).toContain('it replays to the timeline of the live call');
    const [verdict] = await replayAll(join(folder, name), {});
    expect(verdict).toMatchObject({ name, kind: 'same' });
    const written = textOf(join(folder, name));
    for (const secret of [sid, trunkline.accountSid, caller, number]) expect(written).not.toContain(secret);
  });
});

/** Who is called by the API: what they do with the call. */
const CALLED: Readonly<Record<string, (call: IncomingCall) => void | Promise<void>>> = {
  'mary.answers': async (call) => {
    call.ring();
    await call.answer();
    await call.hears();
    call.press('1');
  },
  'mary.refuses': (call) => call.refuse(486),
  'mary.waits': async (call) => {
    await call.answer();
  },
};

const MENU = `<Response><Gather numDigits="1" action="/choice"><Say>${'Press one. '.repeat(20)}</Say></Gather></Response>`;

/** Resolves once what a call tells has been told and noted. */
function toldOf(callSid: string, count: number): Promise<unknown> {
  return until(`${count} status callbacks of ${callSid} in its timeline`, () => {
    const told = timelineOf(trunkline, 'us1', callSid).filter(
      (event) => event.type === 'webhook' && event.purpose === 'status-callback',
    );
    return told.length === count;
  });
}

/** The call as a fixture that replays to the same timeline and tells nobody's secrets; its files. */
async function fixtureOf(callSid: string, secrets: readonly string[]): Promise<string> {
  const { code, printed } = await exported(callSid, callSid);
  expect(code, printed).toBe(0);
  const [verdict] = await replayAll(join(folder, callSid), {});
  expect(verdict).toMatchObject({ kind: 'same' });
  const written = textOf(join(folder, callSid));
  const all = [callSid, trunkline.accountSid, trunkline.tokens['us1'] ?? '', ...secrets];
  for (const secret of all) expect(written).not.toContain(secret);
  return written;
}

describe('trunkline export of what only some calls have', () => {
  const app = new Promise<WebhookApp>((resolve) => {
    beforeAll(async () => {
      const started = await WebhookApp.start();
      started.on('/menu', { body: MENU });
      started.on('/choice', { body: '<Response><Say>Thank you.</Say></Response>' });
      started.on('/hello', { body: '<Response><Pause length="1"/></Response>' });
      started.on('/status', { body: '' });
      for (const [user, does] of Object.entries(CALLED)) telephones.of(user).onCall = does;
      resolve(started);
    });
  });
  afterAll(async () => (await app).stop());

  it.concurrent.each([
    ['mary.answers', 'completed', 4],
    ['mary.refuses', 'busy', 2],
    ['mary.waits', 'completed', 3],
  ] as const)('a call that the API made: %s', async (user, status, told) => {
    const { port } = await app;
    const { calls } = clientOf(trunkline, 'us1');
    const { sid } = await calls.create({
      to: `sip:${user}@${telephones.address}?X-Order=4711`,
      from: `desk.${user}`,
      ...(user === 'mary.waits'
        ? { twiml: '<Response><Pause length="60"/></Response>', record: true, sendDigits: 'ww12' }
        : { url: `http://jo:secret-${user}@127.0.0.1:${port}/menu`, timeout: 30 }),
      statusCallback: `http://127.0.0.1:${port}/status`,
      statusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed'],
    });
    if (user === 'mary.waits') {
      const call = await telephones.of(user).called();
      await until('keys that were sent', () => call.keys.join('') === '12');
      await calls(sid).update({ status: 'completed' });
    }
    expect((await storedCall(trunkline, 'us1', sid)).status).toBe(status);
    await toldOf(sid, told);
    const written = await fixtureOf(sid, [user, `secret-${user}`, 'jo:']);
    expect(written).toContain('Direction=outbound-api');
    expect(written).toContain(`SequenceNumber=${told - 1}`);
  });

  it.concurrent('a call to a number that has a status callback', async () => {
    const [number, caller] = ['+12025554990', '+15550164990'];
    const { port } = await app;
    await clientOf(trunkline, 'us1').incomingPhoneNumbers.create({
      phoneNumber: number,
      voiceUrl: `http://127.0.0.1:${port}/hello`,
      statusCallback: `http://127.0.0.1:${port}/status`,
      statusCallbackMethod: 'GET',
    });
    await ScriptedCall.run({
      uri: `sip:${number}@127.0.0.1:${trunkline.sip.port}`,
      port: trunkline.sip.port,
      from: `sip:${caller}@127.0.0.1`,
      actions: [],
    });
    const { sid } = await storedCallFrom(trunkline, 'us1', caller);
    await toldOf(sid, 1);
    const written = await fixtureOf(sid, [number, caller]);
    expect(written).toContain('statusCallbackMethod: GET');
    expect(written).toContain('CallbackSource=call-progress-events');
  });
});

describe('trunkline export', () => {
  it('says why nothing was written: 2 for arguments, 3 for everything else', async () => {
    const unknown = `CA${'0'.repeat(32)}`;
    const cases = [
      [await exported('CA1', 'a'), 2, /"CA1" is no CallSid/],
      [await exported(unknown, 'a'), 3, /^error 20404: there is no call CA0+ at http/],
      [await exported(unknown, 'a', { region: 'ie1' }), 2, /"ie1" is no Region of this installation/],
      [await exported(unknown, 'a', { account: trunkline.accountSid }), 2, /--account and --token together/],
      [
        await exported(unknown, 'a', { account: trunkline.accountSid, token: 'wrong' }),
        3,
        /^error 20003: .*refuses the credentials/,
      ],
      [await exported(unknown, 'a', { url: 'http://127.0.0.1:9' }), 3, /^error 20503: .*cannot be reached/],
    ] as const;
    for (const [{ code, printed }, expected, pattern] of cases) {
      expect(printed).toMatch(pattern);
      expect(code).toBe(expected);
    }
    expect(readdirSync(folder)).not.toContain('a');
  });

  it('keeps what is not to be redacted, refuses what is live, dialled or there already', async () => {
    const fixture = fixtures.get('pause-first');
    if (!fixture) throw new Error('pause-first was not prepared');
    const { number } = fixture.places;
    const caller = '+15550164999';
    const call = ScriptedCall.run({
      uri: `sip:${number}@127.0.0.1:${trunkline.sip.port}`,
      port: trunkline.sip.port,
      from: `sip:${caller}@127.0.0.1`,
      actions: [],
    });
    const { calls } = clientOf(trunkline, 'us1');
    const live = await until('a ringing call', async () => (await calls.list({ from: caller }))[0]);
    expect(await exported(live.sid, 'kept')).toEqual({
      code: 3,
      printed: expect.stringMatching(/^error 21220: \S+ is not over: it is (ringing|in-progress)/),
    });
    await call;
    await storedCallFrom(trunkline, 'us1', caller);
    const kept = await exported(live.sid, 'kept', { redact: false });
    expect(kept).toMatchObject({ code: 0, printed: expect.stringContaining('redacted: passwords only') });
    expect(readFileSync(join(folder, 'kept/scenario.yaml'), 'utf8')).toContain(`from: "${caller}"`);

    expect(await exported(live.sid, 'kept')).toMatchObject({
      code: 3,
      printed: expect.stringMatching(/is there already; --force/),
    });
    expect(await exported(live.sid, 'kept', { force: true })).toMatchObject({ code: 0 });
    expect(textOf(join(folder, 'kept'))).not.toContain(caller);

    const dialled = (await calls.list()).find(({ direction }) => direction === 'outbound-dial');
    expect(await exported(dialled?.sid ?? '', 'dialled')).toMatchObject({
      code: 3,
      printed: expect.stringMatching(/^error 20001: \S+ was dialled by CA[0-9a-f]{32}; export that one/),
    });
  });
});
