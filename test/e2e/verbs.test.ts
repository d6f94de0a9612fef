import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import twilio from 'twilio';
import type { RecordingInstance } from 'twilio/lib/rest/api/v2010/account/recording.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { channelsOf } from '../peers/support/channels.ts';
import { align, noise, share } from '../support/alignment.ts';
import { until } from '../support/until.ts';
import { readPcm, soundSeconds, writePcm } from '../support/wav-compare.ts';
import { asked, callbacksOf } from './support/callbacks.ts';
import { eventsOf, type StoredEvent, storedCallFrom, timelineOf } from './support/numbers.ts';
import { exists, pidOf } from './support/processes.ts';
import { TUNE, VerbCalls } from './support/verb-calls.ts';

const CALLBACK =
  'recordingStatusCallback="/recorded" recordingStatusCallbackEvent="in-progress completed absent"';
const PROGRESS = 'statusCallbackEvent="initiated ringing answered completed"';

/** None of them as it is by itself. */
const CHOICES = {
  TRUNKLINE_TWIML_DECLINED: 'no-answer',
  TRUNKLINE_TWIML_REQUEST_TIMEOUT: 'failed',
  TRUNKLINE_TWIML_SCREENED_OUT: 'no-answer',
  TRUNKLINE_TWIML_DIAL_HANGUP: 'skip',
  TRUNKLINE_TWIML_DIAL_BUFFER_MS: '1000',
  TRUNKLINE_TWIML_EMPTY_RECORDING: 'continue',
  TRUNKLINE_TWIML_SILENT_DOCUMENTS: '7',
  TRUNKLINE_TWIML_UNDOCUMENTED_PARAMETERS: 'omit',
  TRUNKLINE_TWIML_REDIRECT_METHOD: 'same',
  TRUNKLINE_TWIML_SIGNED_PORT: 'drop',
};

let calls: VerbCalls;
let play: string;
const scenes: (() => Promise<unknown>)[] = [];

/**
 * Calls to be made, and what is known of them afterwards. All are made at once, before anything is compared: that
 * takes the processor from telephones, which live in this process.
 */
function scene<T>(act: () => Promise<T>): () => Promise<T> {
  let acted: Promise<T> | undefined;
  const once = () => {
    acted ??= act();
    return acted;
  };
  scenes.push(once);
  return once;
}

beforeAll(async () => {
  calls = await VerbCalls.start(CHOICES);
  play = `<Play>${calls.app.url('/tune.wav')}</Play>`;
  await Promise.allSettled(scenes.map((act) => act())); // each test says what became of its own
});

afterAll(() => calls.stop());

/** One heard what another said, in order and most of it: either may have begun before the other was there. */
function expectHeard(said: Int16Array, heard: Int16Array): void {
  const { found, missing, foreign } = align(said, heard);
  const seen = JSON.stringify({ found, missing, foreign });
  expect(found, seen).toBeGreaterThan((1_000 * said.length) / 8_000 / 2);
  expect(missing + foreign, seen).toBeLessThan(found / 5);
}

/** Nothing of it was heard; to find nothing takes long, so a piece out of the middle is looked for. */
function expectUnheard(said: Int16Array, heard: Int16Array): void {
  const middle = said.length / 2;
  expect(share(said.subarray(middle, middle + 1_600), heard)).toBe(0);
}

/** What everybody is told of a recording that was made. */
async function expectTold(
  recording: Pick<RecordingInstance, 'sid' | 'duration' | 'callSid'>,
  facts: Readonly<Record<string, string>>,
): Promise<void> {
  const { sid, duration, callSid } = recording;
  const told = await calls.told(sid);
  expect(told.map((form) => form['RecordingStatus'])).toEqual(['in-progress', 'completed']);
  expect(told[1]).toMatchObject({ RecordingDuration: duration });
  for (const form of told)
    expect(form).toMatchObject({ CallSid: callSid, RecordingSource: 'StartCallRecordingTwiML', ...facts });
}

describe('a recording that a document starts', () => {
  const stopped = scene(async () => {
    const [voice, late] = [noise(1.5, 2), noise(1, 3)];
    const begin = `<Start><Recording name="evening" channels="dual" ${CALLBACK}/></Start>${play}`;
    const next = '<Gather numDigits="1" timeout="60" action="/stop"/>';
    calls.document(
      '/stop',
      '<Stop><Recording name="evening"/></Stop><Play digits="3"/><Gather timeout="60"/>',
    );
    const { sid, call } = await calls.talk('/start-stop', begin + next);
    await call.hears();
    call.say(voice);
    await Promise.all([call.said(), calls.hears(call, 1)]);
    // Pressed before the tune is over, it would be for nobody.
    await until('the <Gather>', async () => (await calls.happened(sid, 'Gather')) > 0);
    call.press('1');
    await until('the key that follows the recording', () => call.keys.length > 0);
    call.say(late);
    await call.said();
    await call.hangUp();
    return { sid, voice, late, ...(await calls.ended(sid)) };
  });

  it('holds both sides until it is stopped by its name', async () => {
    const { sid, voice, late, record, timeline, verbs } = await stopped();
    expect(record).toMatchObject({ status: 'completed', diagnostics: [] });
    expect(verbs).toEqual(['Start', 'Play', 'Gather', 'Stop', 'Play', 'Gather']);
    const [ended] = eventsOf(timeline, 'recording-ended');
    expect(ended?.reason).toBe('stopped');
    const types = ['recording-started', 'recording-ended', 'call-ended'];
    expect(timeline.map(({ type }) => type).filter((type) => types.includes(type))).toEqual(types);
    const { recording, wav } = await calls.stored(ended?.recording ?? '');
    expect(recording).toMatchObject({
      status: 'completed',
      source: 'StartCallRecordingTwiML',
      channels: 2,
      callSid: sid,
    });
    const [ofCaller = new Int16Array(), toCaller = new Int16Array()] = channelsOf(wav);
    expectHeard(voice, ofCaller);
    expectHeard(TUNE, toCaller);
    expectUnheard(late, ofCaller);
    expect(ofCaller).toHaveLength(toCaller.length);
    await expectTold(recording, { RecordingTrack: 'both', RecordingChannels: '2' });
  });

  const ruled = scene(async () => {
    const voices = [noise(1.5, 30), noise(1.5, 31), noise(1.5, 32)] as const;
    const begin = `<Start><Recording track="inbound" channels="mono" ${CALLBACK}/></Start>`;
    const { sid, call } = await calls.talk('/ruled', `${begin}<Echo/>`); // tells what has arrived
    const recordings = calls.client.calls(sid).recordings;
    const running = await until('a running recording', async () => (await recordings.list())[0]);
    const say = async (voice: Int16Array) => {
      const since = call.heard().length;
      call.say(voice);
      await call.said();
      await calls.hears(call, 0.7, since);
      await calls.hearsNothing(call);
    };
    await say(voices[0]);
    const paused = await recordings('Twilio.CURRENT').update({ status: 'paused', pauseBehavior: 'skip' });
    await say(voices[1]);
    const resumed = await recordings(running.sid).update({ status: 'in-progress' });
    await say(voices[2]);
    const over = await recordings(running.sid).update({ status: 'stopped' });
    const stored = await calls.stored(running.sid);
    const meanwhile = await calls.client.calls(sid).fetch();
    await calls.client.calls(sid).update({ status: 'completed' });
    const { timeline } = await calls.ended(sid);
    return { sid, voices, running, paused, resumed, over, meanwhile, timeline, ...stored };
  });

  it('is paused, resumed and stopped by the API', async () => {
    const { sid, voices, running, paused, resumed, over, meanwhile, ...kept } = await ruled();
    expect(paused).toMatchObject({ sid: running.sid, status: 'paused' });
    expect(resumed).toMatchObject({ sid: running.sid, status: 'in-progress' });
    expect(['processing', 'completed']).toContain(over.status);
    expect(meanwhile.status).toBe('in-progress');
    expect(kept.recording).toMatchObject({ source: 'StartCallRecordingTwiML', channels: 1, callSid: sid });
    const pcm = readPcm(kept.wav);
    expectHeard(voices[0], pcm);
    expectUnheard(voices[1], pcm);
    expectHeard(voices[2], pcm);
    const at = { recording: running.sid };
    expect(eventsOf(kept.timeline, 'recording-ended')).toMatchObject([{ ...at, reason: 'stopped' }]);
    expect(eventsOf(kept.timeline, 'recording-stored')).toMatchObject([{ ...at, status: 'completed' }]);
    await expectTold(kept.recording, { RecordingTrack: 'inbound', RecordingChannels: '1' });
  });

  const bridged = scene(async () => {
    const parties = ['dialled-one', 'dialled-two'].map((name) => calls.telephones.of(name));
    const dials = parties.map(({ uri }) => `<Dial><Sip>${uri}</Sip></Dial>`).join('');
    const begin = `<Start><Recording channels="dual" ${CALLBACK}/></Start>`;
    const { sid, call } = await calls.talk('/two-parties', `${begin}${dials}${play}`);
    const talks = [];
    for (const [index, telephone] of parties.entries()) {
      const party = await (await telephone.called()).answer();
      await until('a party in conversation', async () => {
        const found = await calls.client.calls.list({ parentCallSid: sid, status: 'in-progress' });
        return found.some((child) => child.sid === party.callSid);
      });
      const [mine, theirs] = [noise(2, 10 + index), noise(2, 20 + index)];
      call.say(mine);
      party.say(theirs);
      await Promise.all([call.said(), party.said(), calls.hears(party, 1.2)]);
      talks.push({ mine, theirs, atParty: party.heard() });
      await party.hangUp();
    }
    await call.over();
    return { sid, talks, atCaller: call.heard(), ...(await calls.ended(sid)) };
  });

  it('goes on from one dialled party to the next', async () => {
    const { sid, talks, atCaller, timeline, codes } = await bridged();
    expect(codes).toEqual([]);
    const types = ['recording-started', 'bridged', 'unbridged', 'recording-ended', 'call-ended'];
    expect(timeline.map(({ type }) => type).filter((type) => types.includes(type))).toEqual([
      ...['recording-started', 'bridged', 'unbridged', 'bridged', 'unbridged'],
      ...['recording-ended', 'call-ended'],
    ]);
    const [ended] = eventsOf(timeline, 'recording-ended');
    const { recording, wav } = await calls.stored(ended?.recording ?? '');
    expect(recording).toMatchObject({ status: 'completed', channels: 2, callSid: sid });
    const [ofCaller = new Int16Array(), toCaller = new Int16Array()] = channelsOf(wav);
    for (const { mine, theirs, atParty } of talks) {
      expectHeard(mine, atParty);
      expectHeard(mine, ofCaller);
      expectHeard(theirs, atCaller);
      expectHeard(theirs, toCaller);
    }
    expectHeard(TUNE, toCaller);
    await expectTold(recording, { RecordingTrack: 'both', RecordingChannels: '2' });
  });
});

describe('a verb', () => {
  const echoed = scene(async () => {
    const [voice, late] = [noise(2, 4), noise(1, 5)];
    const { sid, call } = await calls.talk('/echo', '<Echo/><Hangup/>');
    await until('the Echo', async () => (await calls.happened(sid, 'Echo')) > 0);
    const before = call.heard().length;
    call.say(voice);
    await call.said();
    await calls.hears(call, 1.2);
    call.press('5');
    await calls.hearsNothing(call);
    await calls.client.calls(sid).update({ twiml: `<Response>${play}</Response>` });
    call.say(late);
    await call.over();
    return { voice, late, before, heard: call.heard(), keys: call.keys, ...(await calls.ended(sid)) };
  });

  it('Echo: the caller hears itself, later and unaltered, until the API has something else', async () => {
    const { voice, late, before, heard, keys, record, verbs, timeline } = await echoed();
    expect(soundSeconds(heard.subarray(0, before))).toBe(0);
    expectHeard(voice, heard);
    expectHeard(TUNE, heard);
    expectUnheard(late, heard);
    expect(keys).toEqual([]); // ended nothing and did not come back
    expect(record).toMatchObject({ status: 'completed', cause: 'the TwiML ended', diagnostics: [] });
    expect(verbs).toEqual(['Echo', 'Play']);
    expect(eventsOf(timeline, 'redirected')).toHaveLength(1);
  });

  const client = scene(async () => {
    const from = '+15550107001';
    const telephone = calls.telephones.of('beside-a-client');
    const voice = noise(1.5, 40);
    calls.app.on('/client-told', {});
    calls.document('/client-after', play);
    const nouns = `<Client statusCallback="/client-told" ${PROGRESS}>alice</Client><Sip>${telephone.uri}</Sip>`;
    const dial = `<Dial action="/client-after">${nouns}</Dial>`;
    const caller = await calls.callIn('/client', dial, from);
    const party = await telephone.called();
    party.ring();
    await until('the client to be told of', () => asked(calls.app, '/client-told').length > 0);
    await party.answer();
    party.say(voice);
    await party.said();
    await party.hangUp();
    const code = await caller.code;
    const parent = await storedCallFrom(calls.trunkline, 'us1', from);
    return { telephone, voice, code, caller, parent };
  });

  it('Dial with a Client, of which there are none: the telephone beside it rings and is answered', async () => {
    const { telephone, voice, code, caller, parent } = await client();
    expect(code, caller.printed()).toBe(0);
    const heard = await caller.heard();
    expectHeard(voice, heard);
    expectHeard(TUNE, heard);
    const dialled = eventsOf(timelineOf(calls.trunkline, 'us1', parent.sid), 'dialled');
    expect(dialled.map(({ to }) => to)).toEqual(['client:alice', telephone.uri]);
    const [nobody, sip] = await Promise.all(dialled.map((one) => calls.ended(one.call)));
    expect(nobody?.record).toMatchObject({ status: 'failed', to: 'client:alice', egress_edge: null });
    expect(nobody?.codes).toEqual([31480]);
    expect(sip?.record).toMatchObject({ status: 'completed', egress_edge: 'ashburn', diagnostics: [] });
    expect(await calls.form('/client-after', parent.sid)).toMatchObject({
      DialCallStatus: 'completed',
      DialCallSid: sip?.record.sid,
      DialBridged: 'true',
    });
    const told = asked(calls.app, '/client-told').map(({ form }) => form['CallStatus']);
    expect(told).toEqual(['failed']);
  });

  const refused = scene(async () => {
    calls.document('/paid', '<Sms action="/sent">The light is on.</Sms>');
    calls.document('/sent', '<Sms>And off.</Sms><Connect action="/left"><Room>tower</Room></Connect>');
    calls.document('/left', `<Connect><Room>tower</Room></Connect>${play}`);
    const { sid, call } = await calls.talk('/pay', '<Pay action="/paid" chargeAmount="3.50"/>');
    await call.over();
    return { sid, heard: call.heard(), ...(await calls.ended(sid)) };
  });

  it('Pay, Sms, Connect: each action says how to go on, and without one the next verb follows', async () => {
    const { sid, heard, record, verbs, codes } = await refused();
    expectHeard(TUNE, heard);
    expect(record).toMatchObject({ status: 'completed', cause: 'the TwiML ended' });
    expect(verbs).toEqual(['Pay', 'Sms', 'Sms', 'Connect', 'Connect', 'Play']);
    expect(codes).toEqual([64004, 13803, 13803, 13750, 13750]);
    expect(await calls.form('/paid', sid)).toMatchObject({
      Result: 'payment-connector-error',
      PayErrorCode: '64004',
    });
    expect(await calls.form('/sent', sid)).toMatchObject({ SmsStatus: 'failed' });
    expect(await calls.form('/left', sid)).toMatchObject({ CallStatus: 'in-progress' });
  });
});

describe('a setting', () => {
  const refusals = [
    ['DECLINED', 603, 'no-answer'],
    ['REQUEST_TIMEOUT', 408, 'failed'],
  ] as const;
  const refusing = refusals.map(([name, status]) =>
    scene(async () => {
      const telephone = calls.telephones.of(`refuses-${status}`);
      telephone.onCall = (call) => {
        call.ring();
        call.refuse(status);
      };
      const statusCallback = calls.app.on(`/told-${name}`, {});
      calls.document(`/after-${name}`, '<Hangup/>');
      const dial = `<Dial action="/after-${name}"><Sip>${telephone.uri}</Sip></Dial>`;
      const order = { to: telephone.uri, from: 'lighthouse', url: calls.app.url('/never'), statusCallback };
      const [{ sid }, direct] = await Promise.all([
        calls.talk(`/${name}`, dial),
        calls.client.calls.create(order),
      ]);
      const form = await calls.form(`/after-${name}`, sid);
      return { form, told: await callbacksOf(calls.app, `/told-${name}`, direct.sid) };
    }),
  );

  it.each(refusals)('%s: %d makes it %s, dialled or called by the API', async (name, status, outcome) => {
    const made = await refusing[refusals.findIndex(([one]) => one === name)]?.();
    expect(made?.form).toMatchObject({ DialCallStatus: outcome, DialSipResponseCode: String(status) });
    expect(made?.told.at(-1)).toMatchObject({ CallStatus: outcome, SipResponseCode: String(status) });
  });

  const screened = scene(async () => {
    const telephone = calls.telephones.of('screened');
    telephone.onCall = async (call) => void (await call.answer());
    calls.document('/screen', '<Hangup/>');
    calls.app.on('/screened-after', { redirect: calls.app.url('/screened-moved') });
    calls.document('/screened-moved', '<Hangup/>');
    const dial = `<Dial action="/screened-after"><Sip url="/screen">${telephone.uri}</Sip></Dial>`;
    const { sid } = await calls.talk('/screening', dial);
    await calls.form('/screened-moved', sid);
    return asked(calls.app, '/screened-moved', sid)[0];
  });

  it('SCREENED_OUT: no-answer; REDIRECT_METHOD: the form is posted again; SIGNED_PORT: none', async () => {
    const request = await screened();
    expect(request?.method).toBe('POST');
    expect(request?.form).toMatchObject({ DialCallStatus: 'no-answer', DialBridged: 'false' });
    const url = new URL(request?.url ?? '');
    url.port = '';
    const token = calls.trunkline.tokens['us1'] ?? '';
    const signature = twilio.getExpectedTwilioSignature(token, url.href, request?.form ?? {});
    expect(request?.headers['x-twilio-signature']).toBe(signature);
  });

  const hungUp = scene(async () => {
    const telephone = calls.telephones.of('left-alone');
    const dial = `<Dial action="/hung-up"><Sip>${telephone.uri}</Sip></Dial>`;
    const { sid, call } = await calls.talk('/hangs-up', dial);
    const party = await (await telephone.called()).answer();
    await until('the conversation', async () => {
      const [child] = await calls.client.calls.list({ parentCallSid: sid, status: 'in-progress' });
      return child !== undefined;
    });
    await call.hangUp();
    return { end: await party.over(), ...(await calls.ended(sid)) };
  });

  it('DIAL_HANGUP: the action of a Dial is not asked when the caller hangs up', async () => {
    const { end, record, timeline } = await hungUp();
    expect(end.cause).toBe('bye');
    expect(record).toMatchObject({ status: 'completed' });
    expect(eventsOf(timeline, 'bridged')).toHaveLength(1);
    expect(asked(calls.app, '/hung-up')).toEqual([]);
  });

  const silent = scene(async () => {
    const record = '<Record timeout="1" playBeep="false" action="/never-recorded"/>';
    const gather = `<Gather timeout="60" action="/pressed">${play}</Gather>`;
    calls.document('/pressed', '<Hangup/>');
    const { sid, call } = await calls.talk('/silent', `${record}<Play digits="4"/>${gather}`);
    await call.hears();
    call.press('7#');
    const form = await calls.form('/pressed', sid);
    return { keys: call.keys, form, ...(await calls.ended(sid)) };
  });

  it('EMPTY_RECORDING: the next verb follows; UNDOCUMENTED_PARAMETERS: none', async () => {
    const { keys, form, verbs } = await silent();
    expect(keys).toEqual(['4']);
    expect(form).toMatchObject({ Digits: '7' });
    expect(form).not.toHaveProperty('FinishedOnKey');
    expect(form).not.toHaveProperty('msg');
    expect(asked(calls.app, '/never-recorded')).toEqual([]);
    expect(verbs).toEqual(['Record', 'Play', 'Gather', 'Play', 'Hangup']);
  });

  const around = scene(async () => {
    const { sid } = await calls.talk('/around', '<Redirect>/around</Redirect>');
    return await calls.ended(sid);
  });

  it('SILENT_DOCUMENTS: one more ends the call', async () => {
    const { record, codes } = await around();
    expect(codes).toEqual([11215]);
    expect(record.cause).toContain('11215');
    expect(asked(calls.app, '/around')).toHaveLength(8); // the eighth is one too many
  });

  const ringing = scene(async () => {
    const telephone = calls.telephones.of('rings-on');
    telephone.onCall = (call) => call.ring();
    calls.document('/rung', '<Hangup/>');
    const dial = `<Dial timeout="5" action="/rung"><Sip>${telephone.uri}</Sip></Dial>`;
    const { sid } = await calls.talk('/rings', dial);
    return { form: await calls.form('/rung', sid), ...(await calls.ended(sid)) };
  });

  it('DIAL_BUFFER_MS: it rings so much longer', async () => {
    const { form, timeline } = await ringing();
    expect(form).toMatchObject({ DialCallStatus: 'no-answer' });
    const at = (type: StoredEvent['type']) =>
      Date.parse(timeline.find((event) => event.type === type)?.at ?? '');
    expect(at('dial-ended') - at('dialled')).toBeGreaterThan(5_950);
  });
});

describe('a call worker killed while recordings run beside the verbs', () => {
  it('keeps what was recorded: of a call that goes on, and of one that cannot', async () => {
    const [ofCaller, ofCalled] = [noise(20, 50), noise(20, 51)];
    const file = join(calls.trunkline.home, 'voice.wav');
    writePcm(file, ofCaller);
    const begin = `<Start><Recording channels="dual" ${CALLBACK}/></Start>`;
    const from = '+15550107002';
    const speaks = ['--play', file, '--after', '0ms'] as const;
    const playing = await calls.callIn('/killed', begin + play.replace('>', ' loop="0">'), from, ...speaks);
    const echoing = await calls.talk('/killed-echo', `${begin}<Echo/>`);
    echoing.call.say(ofCalled);
    const spool = join(calls.trunkline.home, 'spool', 'us1');
    const sizes = () => readdirSync(spool).map((name) => statSync(join(spool, name)).size);
    await until('a second of both recordings', () => sizes().filter((size) => size > 32_000).length === 2);
    const fetched = asked(calls.app, '/tune.wav').length;
    const worker = pidOf(calls.trunkline.home, 'worker-us1');
    process.kill(worker, 'SIGKILL');
    await until('another worker', () => {
      const now = pidOf(calls.trunkline.home, 'worker-us1');
      return now > 0 && now !== worker && exists(now);
    });
    await until('the tune to be played again', () => asked(calls.app, '/tune.wav').length > fetched);
    playing.hangUp();
    expect(await playing.code, playing.printed()).toBe(0);
    expect((await echoing.call.over()).cause).toBe('bye');

    const resumed = await storedCallFrom(calls.trunkline, 'us1', from);
    expect(resumed).toMatchObject({ status: 'completed', epoch: 2 });
    const events = timelineOf(calls.trunkline, 'us1', resumed.sid);
    expect(eventsOf(events, 'resumed')).toMatchObject([{ epoch: 2, verb: 'Play' }]);
    const { record } = await calls.ended(echoing.sid);
    expect(record).toMatchObject({ status: 'completed', epoch: 1 });
    expect(record.cause).toMatch(/lost/);
    await expectKept(resumed.sid, ofCaller);
    await expectKept(echoing.sid, ofCalled);
    await until('an empty spool', () => readdirSync(spool).length === 0);
  });

  /** The call's one recording has been stored as far as it went, and told of. */
  async function expectKept(callSid: string, said: Int16Array): Promise<void> {
    const [started] = eventsOf(timelineOf(calls.trunkline, 'us1', callSid), 'recording-started');
    const { recording, wav } = await calls.stored(started?.recording ?? '');
    expect(recording).toMatchObject({
      status: 'completed',
      source: 'StartCallRecordingTwiML',
      channels: 2,
      callSid,
    });
    expect(Number(recording.duration)).toBeGreaterThan(0);
    const [spoken = new Int16Array()] = channelsOf(wav);
    const { found, missing, foreign } = align(said.subarray(0, spoken.length), spoken);
    expect(found).toBeGreaterThan(500);
    expect(missing + foreign).toBeLessThan(found / 5);
    await expectTold(recording, { RecordingTrack: 'both', RecordingChannels: '2' });
  }
});
