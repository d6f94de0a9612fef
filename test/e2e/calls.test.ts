import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  makeChallenges,
  parseCredentials,
  passwordHash,
  verifyCredentials,
} from '../../src/sip/digest/digest.ts';
import { noise, share } from '../support/alignment.ts';
import { bucketFiles } from '../support/bucket-files.ts';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { until } from '../support/until.ts';
import { readPcm } from '../support/wav-compare.ts';
import { WebhookApp } from '../support/webhook-app.ts';
import { asked, callbacksOf, expectSigned } from './support/callbacks.ts';
import { clientOf, eventsOf, storedCall, timelineOf } from './support/numbers.ts';
import { type IncomingCall, Telephones } from './support/telephones.ts';

const EVENTS = ['initiated', 'ringing', 'answered', 'completed'];
const GREETING = '<Response><Say>Good evening. Here is the lighthouse.</Say></Response>';

let trunkline: RunningTrunkline;
let app: WebhookApp;
let telephones: Telephones;

beforeAll(async () => {
  app = await WebhookApp.start();
  app.on('/status', {});
  telephones = await Telephones.start();
  trunkline = await startTrunkline({
    env: { TRUNKLINE_DEMO: 'false', TRUNKLINE_REGIONS: 'us1', TRUNKLINE_CPS: '100' },
  });
});

afterAll(async () => {
  await trunkline.stop();
  await telephones.close();
  await app.stop();
});

type Creation = Partial<Parameters<ReturnType<typeof clientOf>['calls']['create']>[0]>;

/** Calls a telephone's URI; its progress is told at /status. */
function create(to: string, more: Creation) {
  return clientOf(trunkline, 'us1').calls.create({
    to,
    from: 'lighthouse',
    statusCallback: app.url('/status'),
    statusCallbackEvent: EVENTS,
    ...more,
  });
}

describe('a call created through the API', () => {
  it('rings, is answered, speaks and ends; each step is told in order and signed', async () => {
    const bob = telephones.of('bob');
    const created = await create(bob.uri, { twiml: GREETING });
    expect(created).toMatchObject({
      status: 'queued',
      direction: 'outbound-api',
      to: bob.uri,
      from: 'lighthouse',
      accountSid: trunkline.accountSid,
    });

    const call = await bob.called();
    expect(call.callSid).toBe(created.sid);
    expect(call.header('X-Twilio-AccountSid')).toBe(trunkline.accountSid);
    expect(call.header('From')).toMatch(/^<sip:lighthouse@/);
    call.ring();
    const status = async () => (await clientOf(trunkline, 'us1').calls(created.sid).fetch()).status;
    await until('a ringing call', async () => (await status()) === 'ringing');
    await call.answer();
    await call.hears();
    expect(await status()).toBe('in-progress');
    expect((await call.over()).cause).toBe('bye');

    const told = await callbacksOf(app, '/status', created.sid);
    expect(told.map((form) => [form['SequenceNumber'], form['CallStatus']])).toEqual([
      ['0', 'initiated'],
      ['1', 'ringing'],
      ['2', 'in-progress'],
      ['3', 'completed'],
    ]);
    for (const form of told)
      expect(form).toMatchObject({
        Direction: 'outbound-api',
        From: 'lighthouse',
        To: bob.uri,
        CallbackSource: 'call-progress-events',
      });
    expect(told[3]).toMatchObject({ Duration: '1', SipResponseCode: '200' });
    expectSigned(trunkline, 'us1', asked(app, '/status', created.sid));

    const record = await storedCall(trunkline, 'us1', created.sid);
    expect(record).toMatchObject({
      status: 'completed',
      direction: 'outbound-api',
      cause: 'the TwiML ended',
      egress_edge: 'ashburn',
      ingress_edge: null,
      parent_call_sid: null,
      sip_call_id: call.header('Call-ID'),
      diagnostics: [],
    });
    const types = timelineOf(trunkline, 'us1', created.sid).map(({ type }) => type);
    const steps = ['taken', 'call-placed', 'progress', 'answered', 'document', 'verb-started', 'call-ended'];
    expect(types.filter((type) => steps.includes(type))).toEqual(steps);
  });

  it('asks its Url when it is answered, not before, and goes on where that leads', async () => {
    const url = app.on('/welcome', { body: '<Response><Redirect>/next</Redirect></Response>' });
    app.on('/next', { body: GREETING });
    const carol = telephones.of('carol');
    const created = await create(carol.uri, { url });
    const call = await carol.called();
    call.ring();
    await until('the callback of the ringing', () => asked(app, '/status', created.sid).length === 2);
    expect(asked(app, '/welcome')).toEqual([]);
    await call.answer();
    await call.hears();
    await call.over();
    const [welcome] = asked(app, '/welcome', created.sid);
    expect(welcome?.form).toMatchObject({
      CallStatus: 'in-progress',
      Direction: 'outbound-api',
      From: 'lighthouse',
      To: carol.uri,
      AccountSid: trunkline.accountSid,
    });
    expectSigned(trunkline, 'us1', [...asked(app, '/welcome'), ...asked(app, '/next')]);
  });

  it('presses SendDigits as soon as it is answered', async () => {
    const dora = telephones.of('dora');
    await create(dora.uri, { sendDigits: '12w#9', twiml: '<Response><Play digits="5"/></Response>' });
    const call = await (await dora.called()).answer();
    await call.over();
    expect(call.keys).toEqual(['1', '2', '#', '9', '5']);
  });

  it('is recorded from the answer when Record is set', async () => {
    const voice = noise(3);
    const emil = telephones.of('emil');
    app.on('/recorded', {});
    const created = await create(emil.uri, {
      record: true,
      recordingStatusCallback: app.url('/recorded'),
      twiml: '<Response><Say>Please speak.</Say><Pause length="60"/></Response>',
    });
    const call = await (await emil.called()).answer();
    await call.hears();
    call.say(voice);
    const client = clientOf(trunkline, 'us1');
    const spoken = await until('a running recording', async () => {
      const [running] = await client.calls(created.sid).recordings.list();
      return running?.status === 'in-progress' && running;
    });
    await call.said();
    await call.hangUp();

    const told = await callbacksOf(app, '/status', created.sid);
    expect(told.at(-1)).toMatchObject({ CallStatus: 'completed', RecordingSid: spoken.sid });
    expect(told.at(-1)?.['RecordingUrl']).toContain(`/Recordings/${spoken.sid}`);
    const stored = await until('the stored recording', async () => {
      const found = await client.recordings(spoken.sid).fetch();
      return found.status === 'completed' && found;
    });
    expect(stored).toMatchObject({ source: 'OutboundAPI', channels: 1, callSid: created.sid });
    expect((await client.calls(created.sid).recordings(spoken.sid).fetch()).track).toBe('both');
    const wav = bucketFiles(trunkline.home, 'us1').find((name) => name.endsWith(`${spoken.sid}.wav`));
    // What Trunkline says is mixed in, but at another time.
    expect(share(voice, readPcm(wav ?? ''))).toBeGreaterThan(0.8);
    await until('the callback of the recording', () => asked(app, '/recorded').length > 0);
    expect(asked(app, '/recorded')[0]?.form).toMatchObject({
      CallSid: created.sid,
      RecordingSid: spoken.sid,
      RecordingSource: 'OutboundAPI',
      RecordingStatus: 'completed',
    });
  });

  it('passes the headers of its URI, byte by byte, and no others', async () => {
    const fred = telephones.of('fred');
    const to = `${fred.uri}?X-Trip=a%20b%3Bc%22&User-to-User=3031%3Bencoding%3Dhex&X-Empty=&Subject=no`;
    const created = await create(to, { twiml: '<Response/>' });
    const call = await fred.called();
    expect(call.header('X-Trip')).toBe('a b;c"');
    expect(call.header('User-to-User')).toBe('3031;encoding=hex');
    expect(call.invite.request.headers.has('Subject')).toBe(false);
    expect(call.invite.request.uri).toBe(fred.uri);
    call.refuse(603);
    const record = await storedCall(trunkline, 'us1', created.sid);
    expect(record.diagnostics.map(({ code }) => code)).toEqual([32113]);
    const noted = eventsOf(timelineOf(trunkline, 'us1', created.sid), 'diagnostic');
    expect(noted.map(({ code }) => code)).toEqual([32113]);
  });
});

describe('a callee that wants to know who calls', () => {
  const NONCE = 'b7c9036dbf3561';
  const LOGIN = { username: 'lighthouse', password: 'Fresnel-1822' };

  /** Answers who gives the right answer to its challenge. */
  async function guard(call: IncomingCall, algorithm: 'MD5' | 'SHA-256'): Promise<void> {
    const claimed = parseCredentials(call.header('Authorization'));
    const secret = passwordHash(algorithm, LOGIN, 'harbour');
    const known = claimed?.nonce === NONCE && verifyCredentials(claimed, secret, 'INVITE');
    if (known && claimed.uri === call.invite.request.uri) {
      await call.answer();
      return;
    }
    const [challenge = ''] = makeChallenges('harbour', NONCE, { algorithms: [algorithm] });
    call.refuse(401, { 'WWW-Authenticate': challenge });
  }

  it.each(['MD5', 'SHA-256'] as const)('is told by %s', async (algorithm) => {
    const gate = telephones.of(`gate-${algorithm}`);
    gate.onCall = (call) => guard(call, algorithm);
    const created = await create(gate.uri, {
      sipAuthUsername: LOGIN.username,
      sipAuthPassword: LOGIN.password,
      twiml: '<Response/>',
    });
    const record = await storedCall(trunkline, 'us1', created.sid);
    expect(record).toMatchObject({ status: 'completed', cause: 'the TwiML ended' });
    expect(gate.calls).toHaveLength(2);
    expect(JSON.stringify(record)).not.toContain(LOGIN.password);
    expect(JSON.stringify(timelineOf(trunkline, 'us1', created.sid))).not.toContain(LOGIN.password);
  });

  it('refuses who is wrong, once and for all', async () => {
    const gate = telephones.of('gate');
    gate.onCall = (call) => guard(call, 'MD5');
    const created = await create(gate.uri, {
      sipAuthUsername: LOGIN.username,
      sipAuthPassword: 'Fresnel-1823',
      twiml: '<Response/>',
    });
    expect((await callbacksOf(app, '/status', created.sid)).at(-1)).toMatchObject({
      CallStatus: 'failed',
      SipResponseCode: '401',
    });
    expect(gate.calls).toHaveLength(2);
  });
});

describe('a call that nobody takes', () => {
  const outcomes = [
    ['busy', 486, 'busy'],
    ['declines', 603, 'busy'],
    ['away', 480, 'no-answer'],
    ['gone', 404, 'failed'],
    ['broken', 500, 'failed'],
  ] as const;

  it.each(outcomes)('%s: %d makes it %s', async (name, status, outcome) => {
    const telephone = telephones.of(name);
    telephone.onCall = (call) => {
      call.ring();
      call.refuse(status);
    };
    const created = await create(telephone.uri, { url: app.url('/never') });
    const told = await callbacksOf(app, '/status', created.sid);
    expect(told.map((form) => form['CallStatus'])).toEqual(['initiated', 'ringing', outcome]);
    expect(told.at(-1)).toMatchObject({ SipResponseCode: String(status), CallDuration: '0' });
    expect(told.at(-1)).not.toHaveProperty('Duration', '1');
    const record = await storedCall(trunkline, 'us1', created.sid);
    expect(record).toMatchObject({ status: outcome, duration: '0' });
    const fetched = await clientOf(trunkline, 'us1').calls(created.sid).fetch();
    expect(fetched.status).toBe(outcome);
    expect(asked(app, '/never')).toEqual([]);
  });

  it('rings for its Timeout and no longer: no-answer, and the callee is told by CANCEL', async () => {
    const telephone = telephones.of('sleeper');
    telephone.onCall = (call) => call.ring();
    const created = await create(telephone.uri, { timeout: 2, url: app.url('/never') });
    const call = await telephone.called();
    expect((await call.over()).cause).toBe('cancel');
    const told = await callbacksOf(app, '/status', created.sid);
    expect(told.at(-1)).toMatchObject({ CallStatus: 'no-answer', SipResponseCode: '487' });
    const record = await storedCall(trunkline, 'us1', created.sid);
    expect(record).toMatchObject({ status: 'no-answer', cause: 'nobody answered in time' });
    const timeline = timelineOf(trunkline, 'us1', created.sid);
    const at = (type: string) => Date.parse(timeline.find((one) => one.type === type)?.at ?? '');
    expect(at('call-ended') - at('taken')).toBeGreaterThan(1_950);
  });
});

describe('a call that the API ends', () => {
  const client = () => clientOf(trunkline, 'us1');

  it.each(['canceled', 'completed'] as const)('%s while it rings: canceled', async (status) => {
    const telephone = telephones.of(`ringing-${status}`);
    const created = await create(telephone.uri, { url: app.url('/never') });
    const call = await telephone.called();
    call.ring();
    await until('the callback of the ringing', () => asked(app, '/status', created.sid).length === 2);
    expect(await client().calls(created.sid).update({ status })).toMatchObject({ status: 'canceled' });
    expect((await call.over()).cause).toBe('cancel');
    const told = await callbacksOf(app, '/status', created.sid);
    expect(told.map((form) => form['CallStatus'])).toEqual(['initiated', 'ringing', 'canceled']);
    await expect(client().calls(created.sid).update({ status: 'completed' })).rejects.toMatchObject({
      code: 21220,
    });
  });

  it('completed while it talks: BYE, and the record says who did it', async () => {
    const telephone = telephones.of('talker');
    const created = await create(telephone.uri, { twiml: '<Response><Pause length="120"/></Response>' });
    const call = await (await telephone.called()).answer();
    await until('the callback of the answer', () =>
      asked(app, '/status', created.sid).some(({ form }) => form['CallStatus'] === 'in-progress'),
    );
    await expect(client().calls(created.sid).update({ status: 'canceled' })).rejects.toMatchObject({
      code: 21220,
    });
    const ended = await client().calls(created.sid).update({ status: 'completed' });
    expect(ended.status).toBe('completed');
    expect((await call.over()).cause).toBe('bye');
    const record = await storedCall(trunkline, 'us1', created.sid);
    expect(record).toMatchObject({ status: 'completed', cause: 'it was ended through the API' });
  });
});
