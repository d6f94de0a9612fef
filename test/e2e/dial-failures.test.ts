import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noise, share } from '../support/alignment.ts';
import { bucketFiles, storedCalls } from '../support/bucket-files.ts';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { until } from '../support/until.ts';
import { readPcm, writePcm } from '../support/wav-compare.ts';
import { WebhookApp } from '../support/webhook-app.ts';
import { asked, callbacksOf } from './support/callbacks.ts';
import { Callers, type PlacedCall } from './support/caller.ts';
import { CALLS, nothingHeld } from './support/gauges.ts';
import {
  clientOf,
  eventsOf,
  type RegionName,
  type StoredCall,
  storedCall,
  storedCallFrom,
  timelineOf,
} from './support/numbers.ts';
import { exists, pidOf } from './support/processes.ts';
import { type IncomingCall, Telephones } from './support/telephones.ts';

let trunkline: RunningTrunkline;
let app: WebhookApp;
let callers: Callers;
let telephones: Telephones;
let voice: string;
let made = 0;

beforeAll(async () => {
  app = await WebhookApp.start();
  telephones = await Telephones.start();
  trunkline = await startTrunkline({
    env: { TRUNKLINE_DEMO: 'false', TRUNKLINE_DISPATCH_TIMEOUT_MS: '20000' },
  });
  callers = new Callers(trunkline.sip);
  app.on('/status', {});
  app.on('/after', { body: '<Response/>' });
  voice = join(trunkline.home, 'voice.wav');
  writePcm(voice, noise(120, 99));
});

afterAll(async () => {
  callers.close();
  await trunkline.stop();
  await telephones.close();
  await app.stop();
});

interface Bridged {
  readonly caller: PlacedCall;
  readonly from: string;
  readonly callee: IncomingCall;
}

/** A caller and a telephone that hear each other. */
async function bridged(region: RegionName, attributes = ''): Promise<Bridged> {
  const from = `+1555010${9000 + made}`;
  const phoneNumber = `+1202555${4000 + made}`;
  const telephone = telephones.of(`telephone-${made}`);
  const noun = `<Sip statusCallback="${app.url('/status')}">${telephone.uri}</Sip>`;
  const dial = `<Dial action="${app.url('/after')}" ${attributes}>${noun}</Dial>`;
  const voiceUrl = app.on(`/voice/${made++}`, { body: `<Response>${dial}</Response>` });
  await clientOf(trunkline, region).incomingPhoneNumbers.create({ phoneNumber, voiceUrl });
  const speech = ['--play', voice, '--after', '100ms', '--max', '170s'];
  const caller = callers.call(phoneNumber, '--from', from, ...speech);
  const callee = await (await telephone.called()).answer();
  await callee.hears();
  return { caller, from, callee };
}

async function childOf(region: RegionName, parent: StoredCall): Promise<StoredCall> {
  const { sid } = await until(`the child of ${parent.sid}`, () =>
    storedCalls(trunkline.home, region).find((one) => one.parent_call_sid === parent.sid),
  );
  return await storedCall(trunkline, region, sid);
}

/** Waits until another process has this role. */
async function successor(role: string, before: number): Promise<void> {
  await until(`another ${role}`, () => {
    const now = pidOf(trunkline.home, role);
    return now > 0 && now !== before && exists(now);
  });
}

describe('a call worker that is killed while two parties talk', () => {
  it.each([
    ['with the edge alone between them', ''],
    ['while it records them', 'record="record-from-answer-dual"'],
  ])('%s: both are let go, both records say why, nothing stays', async (_, attributes) => {
    const { caller, from, callee } = await bridged('ie1', attributes);
    callee.say(noise(3, 51));
    await callee.said();
    const worker = pidOf(trunkline.home, 'worker-ie1');
    process.kill(worker, 'SIGKILL');
    expect((await callee.over()).cause).toBe('bye');
    await caller.code;
    expect(caller.printed()).toMatch(/BYE received/);
    await successor('worker-ie1', worker);

    const parent = await storedCallFrom(trunkline, 'ie1', from);
    const child = await childOf('ie1', parent);
    expect(parent).toMatchObject({ status: 'completed', epoch: 2 });
    expect(parent.cause).toMatch(/was lost during <Dial>/);
    expect(eventsOf(timelineOf(trunkline, 'ie1', parent.sid), 'worker-lost')).toHaveLength(1);
    expect(child).toMatchObject({ status: 'completed', epoch: 1 });
    expect(child.cause).toMatch(/was lost: the called party was hung up on/);
    expect((await callbacksOf(app, '/status', child.sid)).at(-1)).toMatchObject({
      CallStatus: 'completed',
      ParentCallSid: parent.sid,
    });
    await nothingHeld(trunkline, CALLS);
    if (attributes === '') return;
    const wav = await until('what was recorded', () =>
      bucketFiles(trunkline.home, 'ie1').find((name) => name.endsWith('.wav')),
    );
    expect(readPcm(wav).length).toBeGreaterThan(8_000);
  });

  it('with a call that the API created: the callee is let go, and its end is told once', async () => {
    const telephone = telephones.of('ordered');
    const created = await clientOf(trunkline, 'ie1').calls.create({
      to: telephone.uri,
      from: 'lighthouse',
      twiml: '<Response><Pause length="300"/></Response>',
      statusCallback: app.url('/status'),
      statusCallbackEvent: ['initiated', 'answered', 'completed'],
    });
    const call = await (await telephone.called()).answer();
    await until('the callback of the answer', () => asked(app, '/status', created.sid).length === 2);
    const worker = pidOf(trunkline.home, 'worker-ie1');
    process.kill(worker, 'SIGKILL');
    expect((await call.over()).cause).toBe('bye');
    await successor('worker-ie1', worker);
    const record = await storedCall(trunkline, 'ie1', created.sid);
    expect(record.status).toBe('completed');
    expect(record.cause).toMatch(/was lost/);
    const told = await callbacksOf(app, '/status', created.sid);
    // What a worker wrote in its last 50 ms is lost with it: the last callback may repeat a number.
    expect(told.map((form) => form['CallStatus'])).toEqual(['initiated', 'in-progress', 'completed']);
    await nothingHeld(trunkline, CALLS);
  });
});

it('a Redis that hangs: the parties talk on, and the <Dial> ends as ever; the records follow', async () => {
  const { caller, from, callee } = await bridged(
    'au1',
    'record="record-from-answer" recordingTrack="outbound"',
  );
  const redis = pidOf(trunkline.home, 'redis-au1');
  process.kill(redis, 'SIGSTOP');
  const speech = noise(4, 52);
  try {
    callee.say(speech);
    await callee.said();
    await callee.hangUp();
    expect(await caller.code, caller.printed()).toBe(0);
    expect(caller.printed()).toMatch(/BYE received/);
    expect(share(speech, await caller.heard())).toBeGreaterThan(0.7);
    expect(asked(app, '/after').at(-1)?.form).toMatchObject({ DialCallStatus: 'completed', From: from });
  } finally {
    process.kill(redis, 'SIGCONT');
  }
  const parent = await storedCallFrom(trunkline, 'au1', from);
  const child = await childOf('au1', parent);
  expect(parent).toMatchObject({ status: 'completed', epoch: 1, cause: 'the TwiML ended' });
  expect(child).toMatchObject({ status: 'completed', epoch: 1, cause: 'the callee hung up' });
  expect(await callbacksOf(app, '/status', child.sid)).toHaveLength(1);
  const wav = await until('the stored recording', () =>
    bucketFiles(trunkline.home, 'au1').find((name) => name.endsWith('.wav')),
  );
  expect(share(speech, readPcm(wav))).toBeGreaterThan(0.7);
});

it('an edge that is killed while two parties talk: both records end, and the next call is taken', async () => {
  const before = asked(app, '/after').length;
  const { from, caller } = await bridged('us1');
  const edge = pidOf(trunkline.home, 'edge');
  process.kill(edge, 'SIGKILL');
  const parent = await storedCallFrom(trunkline, 'us1', from);
  const child = await childOf('us1', parent);
  for (const record of [parent, child]) {
    expect(record.status).toBe('completed');
    expect(record.cause).toMatch(/edge/);
    expect(eventsOf(timelineOf(trunkline, 'us1', record.sid), 'call-ended')).toHaveLength(1);
  }
  expect(await callbacksOf(app, '/status', child.sid)).toHaveLength(1);
  caller.hangUp(); // nobody is there to tell it
  await caller.code;
  await successor('edge', edge);
  await nothingHeld(trunkline, CALLS);

  const next = await bridged('us1');
  await next.callee.hangUp();
  expect(await next.caller.code, next.caller.printed()).toBe(0);
  expect(asked(app, '/after').length).toBeGreaterThan(before);
});
