import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { noise, share } from '../support/alignment.ts';
import { bucketFiles } from '../support/bucket-files.ts';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { until } from '../support/until.ts';
import { RATE, readPcm, wavOf } from '../support/wav-compare.ts';
import { WebhookApp } from '../support/webhook-app.ts';
import { asked, expectSigned } from './support/callbacks.ts';
import { clientOf, eventsOf, storedCall, timelineOf } from './support/numbers.ts';
import { type IncomingCall, Telephones } from './support/telephones.ts';

const TUNE = noise(2);
const MOST = 0.8;
const WAITING = '<Response><Pause length="300"/></Response>';

let trunkline: RunningTrunkline;
let app: WebhookApp;
let telephones: Telephones;
let tune: string;
let made = 0;

beforeAll(async () => {
  app = await WebhookApp.start();
  telephones = await Telephones.start();
  trunkline = await startTrunkline({
    env: { TRUNKLINE_DEMO: 'false', TRUNKLINE_REGIONS: 'us1', TRUNKLINE_CPS: '100' },
  });
  app.on('/tune.wav', { body: wavOf(TUNE), headers: { 'content-type': 'audio/wav' } });
  tune = `<Play>${app.url('/tune.wav')}</Play>`;
});

afterAll(async () => {
  await trunkline.stop();
  await telephones.close();
  await app.stop();
});

const client = () => clientOf(trunkline, 'us1');

interface Talking {
  readonly sid: string;
  readonly call: IncomingCall;
}

/** A call to a new telephone that has been answered and runs this document. */
async function talking(twiml: string): Promise<Talking> {
  const telephone = telephones.of(`talker-${made++}`);
  const { sid } = await client().calls.create({ to: telephone.uri, from: 'lighthouse', twiml });
  const call = await (await telephone.called()).answer();
  await until('a call in progress', async () => (await client().calls(sid).fetch()).status === 'in-progress');
  return { sid, call };
}

describe('a call in progress', () => {
  it('goes on with Twiml, at once', async () => {
    const { sid, call } = await talking(WAITING);
    const updated = await client()
      .calls(sid)
      .update({ twiml: `<Response>${tune}</Response>` });
    expect(updated).toMatchObject({ sid, status: 'in-progress' });
    await call.over();
    expect(share(TUNE, call.heard())).toBeGreaterThan(MOST);
    expect(await storedCall(trunkline, 'us1', sid)).toMatchObject({ cause: 'the TwiML ended' });
    expect(eventsOf(timelineOf(trunkline, 'us1', sid), 'redirected')).toHaveLength(1);
  });

  it('goes on with what a Url answers, asked by the Method given and signed', async () => {
    const { sid, call } = await talking(WAITING);
    const url = app.on('/next', { body: `<Response>${tune}</Response>` });
    await client().calls(sid).update({ url, method: 'GET' });
    await call.over();
    expect(share(TUNE, call.heard())).toBeGreaterThan(MOST);
    const [request] = app.seen.filter(({ path }) => path.startsWith('/next?'));
    expect(request?.method).toBe('GET');
    const query = Object.fromEntries(new URL(request?.url ?? '').searchParams);
    expect(query).toMatchObject({ CallSid: sid, CallStatus: 'in-progress' });
    expectSigned(trunkline, 'us1', request ? [request] : []);
  });

  it('takes the FallbackUrl when the Url fails', async () => {
    const { sid, call } = await talking(WAITING);
    const url = app.on('/broken', { status: 500 });
    const fallbackUrl = app.on('/instead', { body: '<Response><Hangup/></Response>' });
    await client().calls(sid).update({ url, fallbackUrl });
    await call.over();
    expect(asked(app, '/instead', sid)[0]?.form).toMatchObject({ ErrorCode: '11200', ErrorUrl: url });
    const { diagnostics } = await storedCall(trunkline, 'us1', sid);
    expect(diagnostics.map(({ code }) => code)).toEqual([11200]);
  });

  it('refuses what cannot be done to it', async () => {
    const { sid, call } = await talking(WAITING);
    const update = client().calls(sid);
    await expect(update.update({})).rejects.toMatchObject({ code: 20001 });
    await expect(update.update({ url: 'no url' })).rejects.toMatchObject({ code: 21205 });
    await expect(update.update({ twiml: WAITING, status: 'completed' })).rejects.toMatchObject({
      code: 20001,
    });
    await call.hangUp();
    await storedCall(trunkline, 'us1', sid);
    await expect(update.update({ twiml: WAITING })).rejects.toMatchObject({ code: 21220 });
  });
});

describe('two calls that a <Dial> connects', () => {
  let parent: Talking;
  let child: Talking;

  const told = () => asked(app, '/after', parent.sid);

  beforeEach(async () => {
    app.on('/after', { body: `<Response>${tune}</Response>` });
    const telephone = telephones.of(`child-${made++}`);
    parent = await talking(
      `<Response><Dial action="${app.url('/after')}"><Sip>${telephone.uri}</Sip></Dial></Response>`,
    );
    const call = await (await telephone.called()).answer();
    const [found] = await until('the child in the list', async () => {
      const list = await client().calls.list({ parentCallSid: parent.sid, status: 'in-progress' });
      return list.length > 0 && list;
    });
    child = { sid: found?.sid ?? '', call };
    expect(call.callSid).toBe(child.sid);
    expect(found).toMatchObject({
      direction: 'outbound-dial',
      parentCallSid: parent.sid,
      from: 'lighthouse',
    });
    call.say(noise(1, 7));
    await parent.call.hears();
  });

  it('the parent is redirected: its child ends, and it goes on with the document', async () => {
    await client()
      .calls(parent.sid)
      .update({ twiml: `<Response>${tune}</Response>` });
    expect((await child.call.over()).cause).toBe('bye');
    await parent.call.over();
    expect(share(TUNE, parent.call.heard())).toBeGreaterThan(MOST);
    expect(told()).toEqual([]);
    expect(await storedCall(trunkline, 'us1', child.sid)).toMatchObject({
      status: 'completed',
      parent_call_sid: parent.sid,
    });
  });

  it('the child is redirected: it goes on alone, the parent after its <Dial>, without DialCallDuration', async () => {
    const other = noise(2, 11);
    app.on('/other.wav', { body: wavOf(other), headers: { 'content-type': 'audio/wav' } });
    const url = app.on('/alone', {
      body: `<Response><Play>${app.url('/other.wav')}</Play><Pause length="300"/></Response>`,
    });
    await client().calls(child.sid).update({ url });
    await parent.call.over();
    expect(share(TUNE, parent.call.heard())).toBeGreaterThan(MOST);
    const form = told()[0]?.form;
    expect(form).toMatchObject({ DialCallStatus: 'completed', DialCallSid: child.sid, DialBridged: 'true' });
    expect(form).not.toHaveProperty('DialCallDuration');

    // The parent is over and stored; the child talks on.
    expect(await storedCall(trunkline, 'us1', parent.sid)).toMatchObject({ status: 'completed' });
    expect(child.call.invite.ended.aborted).toBe(false);
    await until('all of the other sound', () => share(other, child.call.heard()) > MOST);
    expect(share(TUNE, child.call.heard())).toBeLessThan(0.1);
    expect(asked(app, '/alone', child.sid)[0]?.form).toMatchObject({
      ParentCallSid: parent.sid,
      Direction: 'outbound-dial',
    });
    expect(await client().calls(child.sid).update({ status: 'completed' })).toMatchObject({
      status: 'completed',
    });
    expect((await child.call.over()).cause).toBe('bye');
    expect(await storedCall(trunkline, 'us1', child.sid)).toMatchObject({
      cause: 'it was ended through the API',
    });
  });

  it('the child is completed: the parent goes on after its <Dial>', async () => {
    await client().calls(child.sid).update({ status: 'completed' });
    expect((await child.call.over()).cause).toBe('bye');
    await parent.call.over();
    expect(told()[0]?.form).toMatchObject({
      DialCallStatus: 'completed',
      DialCallSid: child.sid,
      DialSipResponseCode: '200',
      DialSipCallId: child.call.header('Call-ID'),
    });
    expect(told()[0]?.form).toHaveProperty('DialCallDuration');
    expect(share(TUNE, parent.call.heard())).toBeGreaterThan(MOST);
  });

  it('the parent is completed: both end', async () => {
    await client().calls(parent.sid).update({ status: 'completed' });
    await Promise.all([parent.call.over(), child.call.over()]);
    expect(await storedCall(trunkline, 'us1', parent.sid)).toMatchObject({
      status: 'completed',
      cause: 'it was ended through the API',
    });
    expect(await storedCall(trunkline, 'us1', child.sid)).toMatchObject({
      status: 'completed',
      cause: 'the call that dialled it was over',
    });
    const bySids = async (status: 'in-progress' | 'completed') =>
      (await client().calls.list({ status, parentCallSid: parent.sid })).map(({ sid }) => sid);
    expect(await bySids('in-progress')).toEqual([]);
    expect(await bySids('completed')).toEqual([child.sid]);
  });
});

describe('a <Dial> whose callee rings', () => {
  let parent: Talking;
  let ringing: IncomingCall;
  let childSid: string;

  const told = () => asked(app, '/after-ringing', parent.sid);

  beforeEach(async () => {
    app.on('/after-ringing', { body: `<Response>${tune}</Response>` });
    const telephone = telephones.of(`ringing-${made++}`);
    const dial = `<Dial action="${app.url('/after-ringing')}"><Sip>${telephone.uri}</Sip></Dial>`;
    parent = await talking(`<Response>${dial}</Response>`);
    ringing = await telephone.called();
    ringing.ring();
    const [found] = await until('the ringing child in the list', async () => {
      const list = await client().calls.list({ parentCallSid: parent.sid, status: 'ringing' });
      return list.length > 0 && list;
    });
    childSid = found?.sid ?? '';
  });

  it.each(['canceled', 'completed'] as const)('the child is %s: the parent goes on', async (status) => {
    expect(await client().calls(childSid).update({ status })).toMatchObject({ status: 'canceled' });
    expect((await ringing.over()).cause).toBe('cancel');
    await parent.call.over();
    expect(share(TUNE, parent.call.heard())).toBeGreaterThan(MOST);
    expect(told()[0]?.form).toMatchObject({
      DialCallStatus: 'canceled',
      DialCallSid: childSid,
      DialBridged: 'false',
    });
  });

  it('the child cannot be redirected yet', async () => {
    await expect(client().calls(childSid).update({ twiml: WAITING })).rejects.toMatchObject({ code: 21220 });
    await client().calls(parent.sid).update({ status: 'completed' });
    await Promise.all([parent.call.over(), ringing.over()]);
  });

  it('the parent is redirected: the child is canceled', async () => {
    await client()
      .calls(parent.sid)
      .update({ twiml: `<Response>${tune}</Response>` });
    expect((await ringing.over()).cause).toBe('cancel');
    await parent.call.over();
    expect(share(TUNE, parent.call.heard())).toBeGreaterThan(MOST);
    expect(told()).toEqual([]);
    expect(await storedCall(trunkline, 'us1', childSid)).toMatchObject({ status: 'canceled' });
  });

  it('the caller hangs up: the child is canceled, and the action is told', async () => {
    await parent.call.hangUp();
    expect((await ringing.over()).cause).toBe('cancel');
    expect(await storedCall(trunkline, 'us1', childSid)).toMatchObject({
      status: 'canceled',
      cause: 'the call that dialled it was over before the answer',
    });
    await storedCall(trunkline, 'us1', parent.sid);
    expect(told()[0]?.form).toMatchObject({ DialCallStatus: 'canceled', CallStatus: 'completed' });
  });
});

describe('the recording of a call', () => {
  it('begins, pauses, goes on and stops as Twilio.CURRENT', async () => {
    const { sid, call } = await talking(WAITING);
    const recordings = client().calls(sid).recordings;
    const begun = await recordings.create({ recordingTrack: 'inbound' });
    expect(begun).toMatchObject({ callSid: sid, source: 'StartCallRecordingAPI', status: 'in-progress' });
    const [first, second, third, last] = [noise(2, 21), noise(2, 22), noise(2, 23), noise(2, 24)];
    const say = async (pcm: Int16Array) => {
      call.say(pcm);
      await call.said();
    };
    await say(first);
    const current = client().calls(sid).recordings('Twilio.CURRENT');
    expect(await current.update({ status: 'paused', pauseBehavior: 'skip' })).toMatchObject({
      sid: begun.sid,
      status: 'paused',
    });
    await say(second);
    expect(await current.update({ status: 'in-progress' })).toMatchObject({ status: 'in-progress' });
    await say(third);
    await recordings(begun.sid).update({ status: 'stopped' });
    await expect(current.update({ status: 'paused' })).rejects.toMatchObject({ code: 20404 });
    await say(last);
    await call.hangUp();

    const stored = await until('the stored recording', async () => {
      const found = await client().recordings(begun.sid).fetch();
      return found.status === 'completed' && found;
    });
    expect(stored.source).toBe('StartCallRecordingAPI');
    const wav = bucketFiles(trunkline.home, 'us1').find((name) => name.endsWith(`${begun.sid}.wav`));
    const pcm = readPcm(wav ?? '');
    // What was said near a change may fall on either side of it; and what is not there takes long to look for.
    const middle = (clip: Int16Array) => clip.subarray(0.85 * RATE, 1.15 * RATE);
    expect(share(first, pcm)).toBeGreaterThan(0.6);
    expect(share(middle(second), pcm)).toBe(0);
    expect(share(third, pcm)).toBeGreaterThan(0.6);
    expect(share(middle(last), pcm)).toBe(0);
  });

  it('cannot begin before the answer', async () => {
    const telephone = telephones.of('not-answered');
    const { sid } = await client().calls.create({ to: telephone.uri, from: 'lighthouse', twiml: WAITING });
    const call = await telephone.called();
    call.ring();
    await until('a ringing call', async () => (await client().calls(sid).fetch()).status === 'ringing');
    await expect(client().calls(sid).recordings.create()).rejects.toMatchObject({ code: 21220 });
    await client().calls(sid).update({ status: 'canceled' });
    await call.over();
  });
});
