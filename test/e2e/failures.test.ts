import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WAV_HEADER_BYTES } from '../../src/media/wav.ts';
import { align, noise, share } from '../support/alignment.ts';
import { bucketFiles } from '../support/bucket-files.ts';
import { freePort } from '../support/free-port.ts';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { until } from '../support/until.ts';
import { readPcm, soundSeconds, wavOf, writePcm } from '../support/wav-compare.ts';
import { type Script, WebhookApp } from '../support/webhook-app.ts';
import { Callers, type PlacedCall } from './support/caller.ts';
import { clientOf, eventsOf, type RegionName, storedCallFrom, timelineOf } from './support/numbers.ts';
import { exists, pidOf } from './support/processes.ts';
import { offerOf, RawSip } from './support/raw-sip.ts';

/** Long enough for a worker that is started again, short enough to wait for. */
const DISPATCH_TIMEOUT_MS = 12_000;
const APOLOGY = "We're sorry. An application error has occurred. Goodbye.";
const TUNE = noise(6);
/** A caller that stood still for long leaves out some of what came meanwhile (src/bin/phone/heard-audio.ts). */
const MOST = 0.8;

let trunkline: RunningTrunkline;
let app: WebhookApp;
let callers: Callers;
let apology: Int16Array;
let made = 0;

/** A new number of a Region, answered by these URLs. */
async function numberFor(region: RegionName, voiceUrl: string, voiceFallbackUrl = ''): Promise<string> {
  const phoneNumber = `+1202555${String(1000 + made++)}`;
  await clientOf(trunkline, region).incomingPhoneNumbers.create({ phoneNumber, voiceUrl, voiceFallbackUrl });
  return phoneNumber;
}

const twiml = (body: string): Script => ({ body: `<Response>${body}</Response>` });

beforeAll(async () => {
  app = await WebhookApp.start();
  trunkline = await startTrunkline({
    env: { TRUNKLINE_DEMO: 'false', TRUNKLINE_DISPATCH_TIMEOUT_MS: String(DISPATCH_TIMEOUT_MS) },
  });
  callers = new Callers(trunkline.sip);
  app.on('/tune.wav', { body: wavOf(TUNE), headers: { 'content-type': 'audio/wav' } });
  const said = callers.call(await numberFor('us1', app.on('/apology', twiml(`<Say>${APOLOGY}</Say>`))));
  apology = await said.heard();
  expect(soundSeconds(apology)).toBeGreaterThan(1);
});

afterAll(async () => {
  callers.close();
  await trunkline.stop();
  await app.stop();
});

describe('an application that fails', () => {
  const cases: readonly [what: string, code: number, script: Script | 'refused', fragment?: string][] = [
    ['that nobody runs', 11202, 'refused'],
    ['that closes the connection', 11205, { close: 'before' }],
    ['that breaks off in the body', 11206, { ...twiml('<Say>Hello</Say>'), close: 'mid-body' }],
    ['that answers 500', 11200, { status: 500, body: '<Response/>' }],
    ['that answers 404', 11200, { status: 404, body: '' }],
    ['that never answers', 11203, { hang: true }, '#tt=1500'],
    ['that never answers, by its read timeout', 11200, { hang: true }, '#rt=1000'],
    [
      'that drips',
      11203,
      { body: '<Response><Say>Hello</Say></Response>', drip: { pieces: 30, everyMs: 200 } },
      '#tt=1500',
    ],
    ['that sends 65 KB', 11750, { size: 65 * 1024 }],
    ['that sends no XML', 12100, { body: 'Hello <World>' }],
    ['that sends another document', 12102, { body: '<html><body>Hello</body></html>' }],
    [
      'that sends binary content',
      12300,
      { body: Buffer.from([0, 1, 2, 255, 254]), headers: { 'content-type': 'application/octet-stream' } },
    ],
  ];
  interface Tried {
    readonly call: PlacedCall;
    readonly from: string;
    readonly url: string;
  }
  const alone: Tried[] = [];
  const withFallback: Tried[] = [];

  // All at once: most of the time is spent on hearing.
  beforeAll(async () => {
    const unused = await freePort();
    for (const [index, [, , script, fragment = '']] of cases.entries()) {
      const url =
        script === 'refused' ? `http://127.0.0.1:${unused}/${index}` : app.on(`/failing/${index}`, script);
      const fallback = app.on(`/fallback/${index}`, twiml('<Say>The fallback speaks.</Say>'));
      const place = async (from: string, fallbackUrl: string): Promise<Tried> => {
        const number = await numberFor('us1', url + fragment, fallbackUrl);
        return { call: callers.call(number, '--from', from), from, url };
      };
      alone.push(await place(`+1555010${1000 + index}`, ''));
      withFallback.push(await place(`+1555010${2000 + index}`, fallback));
    }
    await Promise.all([...alone, ...withFallback].map(({ call }) => call.code));
  });

  it.each(cases)('%s: the caller hears an apology, the record says %d', async (what, code) => {
    const { call, from, url } = tried(alone, what);
    expect(await call.code, call.printed()).toBe(0);
    expect(call.printed()).toMatch(/200 OK[\s\S]*BYE received/);
    expect(share(apology, await call.heard())).toBeGreaterThan(MOST);
    const record = await storedCallFrom(trunkline, 'us1', from);
    expect(record).toMatchObject({ status: 'completed', region: 'us1' });
    expect(record.diagnostics).toMatchObject([{ code, level: 'error', url }]);
    expect(record.cause).toContain(String(code));
  });

  it.each(cases)('%s: its fallback is told %d and where', async (what, code) => {
    const { call, from, url } = tried(withFallback, what);
    expect(await call.code, call.printed()).toBe(0);
    const heard = await call.heard();
    expect(soundSeconds(heard)).toBeGreaterThan(0.5);
    expect(share(apology, heard)).toBeLessThan(0.5);
    const asked = app.seen.filter(({ path, form }) => path.startsWith('/fallback/') && form['From'] === from);
    expect(asked).toHaveLength(1);
    expect(asked[0]?.form).toMatchObject({ ErrorCode: String(code), ErrorUrl: url });
    const record = await storedCallFrom(trunkline, 'us1', from);
    expect(record).toMatchObject({ status: 'completed' });
    expect(record.diagnostics.map((one) => one.code)).toEqual([code]);
  });

  function tried(calls: readonly Tried[], what: string): Tried {
    const found = calls[cases.findIndex(([one]) => one === what)];
    if (!found) throw new Error(`no call to an application ${what}`);
    return found;
  }
});

describe('a caller that cannot be served', () => {
  it('has no codec of ours: 488, and a record', async () => {
    const number = await numberFor('us1', app.url('/apology'));
    const sip = await RawSip.open(trunkline.sip);
    const invite = sip.invite(number, '+15550103001', offerOf(40_000, '9 18', 'a=rtpmap:9 G722/8000'));
    sip.send(invite);
    const response = await sip.final();
    sip.send(sip.ack(invite, response));
    sip.close();
    expect(response).toMatch(/^SIP\/2\.0 488 /);
    expect(response).toMatch(/\r\nWarning: /i);
    const record = await storedCallFrom(trunkline, 'us1', '+15550103001');
    expect(record).toMatchObject({ status: 'failed', worker: null });
    expect(record.cause).toContain('488');
    expect(record.diagnostics).toHaveLength(1);
    expect(eventsOf(timelineOf(trunkline, 'us1', record.sid), 'rejected')).toMatchObject([{ status: 488 }]);
  });

  it('finds no worker: 503 in time, a record that says so, and the next call is taken again', async () => {
    const number = await numberFor('au1', app.on('/short', twiml('<Say>Hello.</Say>')));
    const worker = pidOf(trunkline.home, 'worker-au1');
    process.kill(worker, 'SIGSTOP');
    const begun = performance.now();
    try {
      const call = callers.call(number, '--from', '+15550103002');
      expect(await call.code).toBe(1);
      expect(call.printed()).toMatch(/180 Ringing[\s\S]*503 /);
      expect(performance.now() - begun).toBeGreaterThan(DISPATCH_TIMEOUT_MS - 100);
      const record = await storedCallFrom(trunkline, 'au1', '+15550103002');
      expect(record).toMatchObject({ status: 'failed', worker: null });
      expect(record.cause).toMatch(/no worker of au1/);
      expect(record.diagnostics).toHaveLength(1);
    } finally {
      process.kill(worker, 'SIGCONT');
    }
    const next = callers.call(number, '--from', '+15550103003');
    expect(await next.code, next.printed()).toBe(0);
    expect(pidOf(trunkline.home, 'worker-au1')).toBe(worker);
    expect((await storedCallFrom(trunkline, 'au1', '+15550103003')).status).toBe('completed');
    // The first call did not come back to life with the worker.
    expect(app.seen.filter(({ form }) => form['From'] === '+15550103002')).toEqual([]);
  });
});

describe('a call worker killed with four calls', () => {
  let recorded: PlacedCall;
  let playing: PlacedCall;
  let pausing: PlacedCall;
  let gathering: PlacedCall;

  beforeAll(async () => {
    const rest = `<Say>${APOLOGY}</Say>`;
    const told = app.on('/recorded-call', twiml(''));
    const record = app.on(
      '/record-call',
      twiml(
        `<Start><Recording trim="do-not-trim" recordingStatusCallback="${told}"/></Start><Play digits="7"/><Pause length="25"/>`,
      ),
    );
    const play = app.on('/tune', twiml(`<Play>${app.url('/tune.wav')}</Play>${rest}`));
    const pause = app.on('/pause', twiml(`<Play digits="7"/><Pause length="4"/>${rest}`));
    const gather = app.on('/gather', twiml('<Gather timeout="20"><Say>Press a key.</Say></Gather>'));
    recorded = callers.call(await numberFor('ie1', record), '--from', '+15550104005');
    const spool = join(trunkline.home, 'spool', 'ie1');
    await until('something recorded', () =>
      readdirSync(spool).some((name) => statSync(join(spool, name)).size > WAV_HEADER_BYTES),
    );
    playing = callers.call(await numberFor('ie1', play), '--from', '+15550104001');
    pausing = callers.call(await numberFor('ie1', pause), '--from', '+15550104002');
    gathering = callers.call(await numberFor('ie1', gather), '--from', '+15550104003');
    await playing.says(/hears sound/);
    await pausing.says(/hears key 7/);
    await gathering.says(/hears sound/);
    const worker = pidOf(trunkline.home, 'worker-ie1');
    process.kill(worker, 'SIGKILL');
    await until('another worker', () => {
      const now = pidOf(trunkline.home, 'worker-ie1');
      return now > 0 && now !== worker && exists(now);
    });
    await Promise.all([playing, pausing, gathering].map(({ code }) => code));
    recorded.hangUp();
    await recorded.code;
  });

  it('in <Play>: the caller hears it from the beginning and the document goes on', async () => {
    expect(playing.printed()).toMatch(/BYE received/);
    const heard = await playing.heard();
    expect(share(TUNE, heard)).toBeGreaterThan(MOST);
    expect(share(apology, heard)).toBeGreaterThan(MOST);
    const record = await storedCallFrom(trunkline, 'ie1', '+15550104001');
    expect(record).toMatchObject({ status: 'completed', epoch: 2, cause: 'the TwiML ended' });
    const timeline = timelineOf(trunkline, 'ie1', record.sid);
    const taken = eventsOf(timeline, 'taken');
    expect(taken).toHaveLength(1);
    expect(eventsOf(timeline, 'worker-lost')).toMatchObject([{ epoch: 1, worker: taken[0]?.worker }]);
    expect(eventsOf(timeline, 'resumed')).toMatchObject([{ epoch: 2, verb: 'Play', worker: record.worker }]);
    expect(record.worker).not.toBe(taken[0]?.worker);
    expect(app.seen.filter(({ path }) => path === '/tune')).toHaveLength(1);
  });

  it('in <Pause>: the call survives', async () => {
    expect(pausing.printed()).toMatch(/BYE received/);
    expect(share(apology, await pausing.heard())).toBeGreaterThan(MOST);
    const record = await storedCallFrom(trunkline, 'ie1', '+15550104002');
    expect(record).toMatchObject({ status: 'completed', epoch: 2, cause: 'the TwiML ended' });
    const resumed = eventsOf(timelineOf(trunkline, 'ie1', record.sid), 'resumed');
    expect(resumed).toMatchObject([{ epoch: 2, verb: 'Pause' }]);
    expect(app.seen.filter(({ path }) => path === '/pause')).toHaveLength(1);
  });

  it('recorded beside its verbs: what there was is kept, and a second recording goes on', async () => {
    const { sid } = await storedCallFrom(trunkline, 'ie1', '+15550104005');
    const stored = await until('both recordings', () => {
      const found = eventsOf(timelineOf(trunkline, 'ie1', sid), 'recording-stored');
      return found.length === 2 && found;
    });
    expect(stored.map(({ status }) => status)).toEqual(['completed', 'completed']);
    const told = await until('both callbacks', () => {
      const seen = app.seen.filter(({ path }) => path === '/recorded-call');
      return seen.length >= 2 && seen;
    });
    expect(told.map(({ form }) => form['RecordingSid']).sort()).toEqual(
      stored.map(({ recording }) => recording).sort(),
    );
  });

  it('in <Gather>: the call is ended and its record says why', async () => {
    expect(gathering.printed()).toMatch(/BYE received/);
    const record = await storedCallFrom(trunkline, 'ie1', '+15550104003');
    expect(record).toMatchObject({ status: 'completed', epoch: 2 });
    expect(record.cause).toMatch(/was lost during <Gather>/);
    expect(record.diagnostics).toMatchObject([{ level: 'error' }]);
    const timeline = timelineOf(trunkline, 'ie1', record.sid);
    expect(eventsOf(timeline, 'worker-lost')).toHaveLength(1);
    expect(eventsOf(timeline, 'resumed')).toEqual([]);
    expect(timeline.at(-1)?.type).toBe('call-ended');
    expect(app.seen.filter(({ path }) => path === '/gather')).toHaveLength(1);
  });

  it('leaves a Region that takes calls', async () => {
    const url = app.on('/short', twiml('<Say>Hello.</Say>'));
    const call = callers.call(await numberFor('ie1', url), '--from', '+15550104004');
    expect(await call.code, call.printed()).toBe(0);
    expect(await storedCallFrom(trunkline, 'ie1', '+15550104004')).toMatchObject({ epoch: 1 });
  });
});

it('a recording that waits for a killed region service is stored by the next one', async () => {
  const url = app.on(
    '/record',
    twiml('<Record maxLength="2" timeout="10" playBeep="false" action="/recorded"/>'),
  );
  app.on('/recorded', twiml(''));
  const number = await numberFor('ie1', url);
  const voice = noise(4);
  const file = join(trunkline.home, 'voice.wav');
  writePcm(file, voice);
  const service = pidOf(trunkline.home, 'region-ie1');
  process.kill(service, 'SIGSTOP');
  const call = callers.call(number, '--play', file, '--after', '100ms', '--from', '+15550105001');
  const spool = join(trunkline.home, 'spool', 'ie1');
  const stored = () => bucketFiles(trunkline.home, 'ie1').filter((name) => name.includes('/recordings/'));
  const earlier = new Set(stored()); // of the calls before
  const recordings = () => stored().filter((name) => !earlier.has(name));
  try {
    expect(await call.code, call.printed()).toBe(0);
    expect(readdirSync(spool)).toHaveLength(1);
    expect(recordings()).toEqual([]);
  } finally {
    process.kill(service, 'SIGKILL');
  }
  const [, wav] = await until('the stored recording', () => recordings().length === 2 && recordings());
  const record = await storedCallFrom(trunkline, 'ie1', '+15550105001');
  expect(record.status).toBe('completed');
  const pcm = readPcm(wav ?? '');
  expect(pcm.length / 8_000).toBeCloseTo(2, 0);
  // The recording is a piece out of what was said.
  const { found, missing, inserted, foreign } = align(voice, pcm);
  expect(found + inserted).toBeGreaterThan(1_500);
  expect(missing + foreign).toBeLessThan(found / 10);
  await until('an empty spool', () => readdirSync(spool).length === 0);
});

it('a call lives on while its Redis hangs, and its record is stored afterwards', async () => {
  const url = app.on(
    '/menu',
    twiml('<Gather numDigits="1" timeout="15" action="/chosen"><Say>Press.</Say></Gather>'),
  );
  app.on('/chosen', twiml(`<Say>${APOLOGY}</Say>`));
  const call = callers.call(
    ...([await numberFor('au1', url), '--from', '+15550106001', '--press', 'WWW5'] as const),
  );
  await call.says(/hears sound/);
  const redis = pidOf(trunkline.home, 'redis-au1');
  process.kill(redis, 'SIGSTOP');
  try {
    expect(await call.code, call.printed()).toBe(0);
    expect(app.seen.find(({ path }) => path === '/chosen')?.form).toMatchObject({ Digits: '5' });
    expect(share(apology, await call.heard())).toBeGreaterThan(MOST);
  } finally {
    process.kill(redis, 'SIGCONT');
  }
  const record = await storedCallFrom(trunkline, 'au1', '+15550106001');
  expect(record).toMatchObject({ status: 'completed', epoch: 1 });
  const types = timelineOf(trunkline, 'au1', record.sid).map(({ type }) => type);
  expect(types.filter((type) => type === 'call-ended')).toHaveLength(1);
  expect(types).toContain('dtmf');
});
