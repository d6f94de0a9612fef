import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noise, share } from '../support/alignment.ts';
import { storedCalls } from '../support/bucket-files.ts';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { until } from '../support/until.ts';
import { wavOf } from '../support/wav-compare.ts';
import { WebhookApp } from '../support/webhook-app.ts';
import { asked, callbacksOf, expectSigned } from './support/callbacks.ts';
import { Callers } from './support/caller.ts';
import { clientOf, type RegionName, type StoredCall, storedCall } from './support/numbers.ts';
import { Telephones } from './support/telephones.ts';

const TUNE = noise(3);
const MOST = 0.8;

let trunkline: RunningTrunkline;
let app: WebhookApp;
let callers: Callers;
let telephones: Telephones;
let made = 0;

beforeAll(async () => {
  app = await WebhookApp.start();
  telephones = await Telephones.start();
  trunkline = await startTrunkline({
    env: { TRUNKLINE_DEMO: 'false', TRUNKLINE_REGIONS: 'us1,ie1', TRUNKLINE_CPS: '100' },
  });
  callers = new Callers(trunkline.sip);
  app.on('/tune.wav', { body: wavOf(TUNE), headers: { 'content-type': 'audio/wav' } });
  app.on('/after', { body: '<Response/>' });
  app.on('/progress', { body: '' });
});

afterAll(async () => {
  callers.close();
  await trunkline.stop();
  await telephones.close();
  await app.stop();
});

/** A new application of a Region, made with the official client, that answers with this document. */
async function applicationOf(region: RegionName, twiml: string) {
  const path = `/application-${made++}`;
  const voiceUrl = app.on(path, { body: `<Response>${twiml}</Response>` });
  const { sid } = await clientOf(trunkline, region).applications.create({ friendlyName: path, voiceUrl });
  return { sid, path };
}

/** A new number whose document dials this. */
async function numberThatDials(region: RegionName, noun: string, attributes = ''): Promise<string> {
  const phoneNumber = `+1202555${String(3000 + made++)}`;
  const action = app.url('/after');
  const body = `<Response><Dial action="${action}"${attributes}>${noun}</Dial></Response>`;
  const voiceUrl = app.on(`/voice-${phoneNumber.slice(1)}`, { body });
  await clientOf(trunkline, region).incomingPhoneNumbers.create({ phoneNumber, voiceUrl });
  return phoneNumber;
}

/** Waits for the record of the call that came from there, and for that of its child. */
async function recordsOf(
  region: RegionName,
  from: string,
): Promise<{ parent: StoredCall; child: StoredCall }> {
  const find = (what: string, is: (call: StoredCall) => boolean) =>
    until(what, () => storedCalls(trunkline.home, region).find(is));
  const parent = await find(`the call from ${from}`, (call) => call.from === from && !call.parent_call_sid);
  const { sid } = await find('its child', (call) => call.parent_call_sid === parent.sid);
  return { parent, child: await storedCall(trunkline, region, sid) };
}

/** What `action` was told. */
async function outcomeOf(callSid: string): Promise<Record<string, string>> {
  return (await until('the action of the <Dial>', () => asked(app, '/after', callSid)[0])).form;
}

// https://www.twilio.com/docs/voice/twiml/dial/application
describe('<Dial><Application>', () => {
  it('has the caller hear the application and be heard by it, and gives its parameters back', async () => {
    const done = app.on('/done', {
      body: `<Response><Play>${app.url('/tune.wav')}</Play><Hangup><Parameter name="choice" value="seven"/></Hangup></Response>`,
    });
    const { sid, path } = await applicationOf(
      'ie1',
      `<Gather numDigits="1" timeout="60" action="${done}"><Say>Press a key.</Say></Gather>`,
    );
    const noun = `<Application statusCallback="${app.url('/progress')}" statusCallbackEvent="initiated ringing answered completed"><ApplicationSid>${sid}</ApplicationSid><Parameter name="queue" value="sales"/></Application>`;
    const number = await numberThatDials('ie1', noun);
    const from = '+15550109001';
    const call = callers.call(number, '--from', from, '--max', '120s', '--press', '7', '--after', 'silence');
    expect(await call.code, call.printed()).toBe(0);
    expect(share(TUNE, await call.heard())).toBeGreaterThan(MOST);

    const { parent, child } = await recordsOf('ie1', from);
    expect(child).toMatchObject({
      direction: 'outbound-dial',
      from,
      to: sid,
      status: 'completed',
      region: 'ie1',
      egress_edge: null,
      sip_call_id: null,
    });
    const [first] = asked(app, path);
    expect(first?.form).toMatchObject({
      CallSid: child.sid,
      ParentCallSid: parent.sid,
      From: from,
      To: sid,
      Direction: 'outbound-dial',
      CallStatus: 'ringing',
      CustomerId: trunkline.accountSid,
      Param_queue: 'sales',
    });
    expect(asked(app, '/done', child.sid).map(({ form }) => form)).toMatchObject([
      { Digits: '7', Param_queue: 'sales' },
    ]);
    expectSigned(trunkline, 'ie1', [...asked(app, path), ...asked(app, '/done', child.sid)]);
    expect(await outcomeOf(parent.sid)).toMatchObject({
      CallSid: parent.sid,
      DialCallStatus: 'completed',
      DialCallSid: child.sid,
      DialBridged: 'true',
      Param_choice: 'seven',
    });
    const told = await callbacksOf(app, '/progress', child.sid);
    const inOrder = told.toSorted((a, b) => Number(a['SequenceNumber']) - Number(b['SequenceNumber']));
    expect(inOrder.map(({ CallStatus }) => CallStatus)).toEqual([
      'initiated',
      'ringing',
      'in-progress',
      'completed',
    ]);
    const fetched = await clientOf(trunkline, 'ie1').calls(child.sid).fetch();
    expect(fetched).toMatchObject({ parentCallSid: parent.sid, to: sid, status: 'completed' });
  });

  it('connects the caller to whomever the application dials', async () => {
    const telephone = telephones.of('harbour');
    const { sid } = await applicationOf('ie1', `<Dial><Sip>${telephone.uri}</Sip></Dial>`);
    const number = await numberThatDials('ie1', `<Application>${sid}</Application>`);
    const from = '+15550109002';
    const call = callers.call(number, '--from', from, '--max', '120s');
    const called = await telephone.called();
    await called.answer();
    called.say(TUNE);
    await called.said();
    await called.hangUp();
    expect(await call.code, call.printed()).toBe(0);
    expect(share(TUNE, await call.heard())).toBeGreaterThan(MOST);
    const { parent, child } = await recordsOf('ie1', from);
    const callee = await storedCall(trunkline, 'ie1', called.callSid);
    expect(callee).toMatchObject({ parent_call_sid: child.sid, status: 'completed' });
    expect(await outcomeOf(parent.sid)).toMatchObject({ DialCallSid: child.sid, DialBridged: 'true' });
  });

  it('is refused by <Reject>, and does not know the applications of another Region', async () => {
    const refusing = await applicationOf('ie1', '<Reject reason="busy"/>');
    const busy = await numberThatDials('ie1', `<Application>${refusing.sid}</Application>`);
    const elsewhere = await applicationOf('us1', '<Say>Never.</Say>');
    const missing = await numberThatDials('ie1', `<Application>${elsewhere.sid}</Application>`);
    const calls = [
      callers.call(busy, '--from', '+15550109003'),
      callers.call(missing, '--from', '+15550109004'),
    ];
    await Promise.all(calls.map(({ code }) => code));

    const refused = await recordsOf('ie1', '+15550109003');
    expect(refused.child).toMatchObject({ status: 'busy', duration: '0' });
    expect(await outcomeOf(refused.parent.sid)).toMatchObject({
      DialCallStatus: 'busy',
      DialBridged: 'false',
    });
    const unknown = await recordsOf('ie1', '+15550109004');
    expect(unknown.child).toMatchObject({ status: 'failed', diagnostics: [{ code: 21420, line: 1 }] });
    expect(await outcomeOf(unknown.parent.sid)).toMatchObject({ DialCallStatus: 'failed' });
    expect(asked(app, elsewhere.path)).toEqual([]);
  });
});
