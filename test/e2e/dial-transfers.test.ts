import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noise, share } from '../support/alignment.ts';
import { storedCalls } from '../support/bucket-files.ts';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { until } from '../support/until.ts';
import { RATE, wavOf, writePcm } from '../support/wav-compare.ts';
import { WebhookApp } from '../support/webhook-app.ts';
import { asked, expectSigned } from './support/callbacks.ts';
import { Callers, type PlacedCall } from './support/caller.ts';
import {
  clientOf,
  eventsOf,
  type StoredCall,
  storedCall,
  storedCallFrom,
  timelineOf,
} from './support/numbers.ts';
import { type IncomingCall, Telephones } from './support/telephones.ts';

const [TUNE, FIRST, SECOND] = [noise(2), noise(2, 31), noise(2, 32)];
const MOST = 0.8;
const LITTLE = 0.2;

let trunkline: RunningTrunkline;
let app: WebhookApp;
let callers: Callers;
let telephones: Telephones;
let tune: string;
/** What callers say all the time: who hears it is connected to them. */
let voice: string;
let made = 0;

beforeAll(async () => {
  app = await WebhookApp.start();
  telephones = await Telephones.start();
  trunkline = await startTrunkline({
    env: { TRUNKLINE_DEMO: 'false', TRUNKLINE_REGIONS: 'us1', TRUNKLINE_CPS: '100' },
  });
  callers = new Callers(trunkline.sip);
  app.on('/tune.wav', { body: wavOf(TUNE), headers: { 'content-type': 'audio/wav' } });
  tune = `<Play>${app.url('/tune.wav')}</Play>`;
  voice = join(trunkline.home, 'voice.wav');
  writePcm(voice, noise(60, 99));
  app.on('/after', { body: '<Response/>' });
  app.on('/status', {});
});

afterAll(async () => {
  callers.close();
  await trunkline.stop();
  await telephones.close();
  await app.stop();
});

const document = (verbs: string) => ({ body: `<Response>${verbs}</Response>` });

interface Placed {
  readonly call: PlacedCall;
  readonly from: string;
}

/** A caller whose call is answered with this document. */
async function place(verbs: string): Promise<Placed> {
  const from = `+1555010${8000 + made}`;
  const phoneNumber = `+1202555${3000 + made}`;
  const voiceUrl = app.on(`/voice/${made++}`, document(verbs));
  await clientOf(trunkline, 'us1').incomingPhoneNumbers.create({ phoneNumber, voiceUrl });
  const speech = ['--play', voice, '--after', '100ms'];
  return { call: callers.call(phoneNumber, '--from', from, '--max', '170s', ...speech), from };
}

/** Waits for the record of a caller's own call. */
const parentOf = ({ from }: Placed) => storedCallFrom(trunkline, 'us1', from);

/** The records of the calls that this one made, each complete. */
async function childrenOf({ sid }: StoredCall, count: number): Promise<StoredCall[]> {
  const found = await until(`${count} children of ${sid}`, () => {
    const children = storedCalls(trunkline.home, 'us1').filter((one) => one.parent_call_sid === sid);
    return children.length === count && children;
  });
  const stored = await Promise.all(found.map((child) => storedCall(trunkline, 'us1', child.sid)));
  return stored.sort((a, b) => a.created_at_ms - b.created_at_ms);
}

const codesOf = ({ diagnostics }: StoredCall) => diagnostics.map(({ code }) => code);
const action = () => `action="${app.url('/after')}"`;
const outcomeOf = async (parent: StoredCall) =>
  (await until('the action of the <Dial>', () => asked(app, '/after', parent.sid)[0])).form;

describe('a called party that is screened', () => {
  it('hears its document before anybody else hears it; the request knows the answer', async () => {
    const desk = telephones.of('desk');
    const url = app.on('/screen', document(tune));
    const placed = await place(
      `<Dial ${action()}><Sip url="${url}" statusCallback="${app.url('/status')}" statusCallbackEvent="initiated answered completed">${desk.uri}</Sip></Dial>`,
    );
    const called = await desk.called();
    await called.answer({ 'X-Desk': 'north 4' });
    await called.hears();
    const speech = noise(10, 33);
    called.say(speech); // for longer than the document lasts
    await called.said();
    await called.hangUp();
    await placed.call.code;
    const heard = await placed.call.heard();
    expect(share(TUNE, called.heard())).toBeGreaterThan(MOST);
    // Pieces of it: what is not there takes long to look for.
    expect(share(TUNE.subarray(RATE, 1.3 * RATE), heard)).toBeLessThan(LITTLE);
    expect(share(speech.subarray(0, 0.3 * RATE), heard)).toBeLessThan(LITTLE);
    expect(share(speech.subarray(6 * RATE), heard)).toBeGreaterThan(0.5);

    const parent = await parentOf(placed);
    const [child] = await childrenOf(parent, 1);
    const [screened] = asked(app, '/screen');
    expect(screened?.form).toMatchObject({
      CallSid: child?.sid,
      ParentCallSid: parent.sid,
      'SipHeader_X-Desk': 'north 4',
      SipCallId: called.header('Call-ID'),
      Direction: 'outbound-dial',
      CallStatus: 'in-progress',
    });
    expectSigned(trunkline, 'us1', [...asked(app, '/screen'), ...asked(app, '/status', child?.sid)]);
    expect(await outcomeOf(parent)).toMatchObject({ DialCallStatus: 'completed', DialBridged: 'true' });
  });

  it('is not connected when its document hangs up; the caller goes on', async () => {
    const desk = telephones.of('desk-that-declines');
    const url = app.on('/decline', document('<Pause length="1"/><Hangup/>'));
    const placed = await place(`<Dial ${action()}><Sip url="${url}">${desk.uri}</Sip></Dial>`);
    const called = await (await desk.called()).answer();
    expect((await called.over()).cause).toBe('bye');
    await placed.call.code;
    const parent = await parentOf(placed);
    expect(await outcomeOf(parent)).toMatchObject({ DialBridged: 'false', DialCallStatus: 'completed' });
    expect(eventsOf(timelineOf(trunkline, 'us1', parent.sid), 'bridged')).toEqual([]);
  });

  it('cannot call somebody itself: 13201', async () => {
    const desk = telephones.of('desk-that-dials');
    const nobody = telephones.of('nobody');
    const url = app.on('/dials', document(`<Dial><Sip>${nobody.uri}</Sip></Dial>`));
    const placed = await place(`<Dial ${action()}><Sip url="${url}">${desk.uri}</Sip></Dial>`);
    await (await desk.called()).answer().then((called) => called.over());
    await placed.call.code;
    const parent = await parentOf(placed);
    await until('13201 in a record of the calls', () =>
      storedCalls(trunkline.home, 'us1').some((one) => codesOf(one).includes(13201)),
    );
    expect(await outcomeOf(parent)).toMatchObject({ DialBridged: 'false' });
    expect(nobody.calls).toEqual([]);
  });
});

interface Bridged {
  readonly placed: Placed;
  readonly first: IncomingCall;
}

/** A caller connected to a first telephone, which is heard. */
async function connected(attributes: string): Promise<Bridged> {
  const telephone = telephones.of(`first-${made}`);
  const placed = await place(`<Dial ${action()} ${attributes}><Sip>${telephone.uri}</Sip></Dial>`);
  const first = await (await telephone.called()).answer();
  await first.hears();
  first.say(FIRST);
  await first.said();
  return { placed, first };
}

const sipfrags = (call: IncomingCall) =>
  call.requests.filter(({ method }) => method === 'NOTIFY').map(({ body }) => body.trim());

describe('a called party that asks to be replaced (REFER)', () => {
  it('without answerOnBridge: leaves as soon as the document is there, and the caller talks to the next', async () => {
    const next = telephones.of('next');
    const referUrl = app.on('/referred', document(`<Dial ${action()}><Sip>${next.uri}</Sip></Dial>`));
    const { placed, first } = await connected(`referUrl="${referUrl}"`);
    expect(await first.refer(`<${next.uri}?X-Reason=meeting>`)).toBe(202);
    expect((await first.over()).cause).toBe('bye');
    expect(sipfrags(first).at(-1)).toMatch(/^SIP\/2\.0 200/);
    const second = await (await next.called()).answer();
    await second.hears();
    second.say(SECOND);
    await second.said();
    await second.hangUp();
    await placed.call.code;
    const heard = await placed.call.heard();
    expect(share(FIRST, heard)).toBeGreaterThan(0.5);
    expect(share(SECOND, heard)).toBeGreaterThan(0.5);

    const parent = await parentOf(placed);
    const [asking] = asked(app, '/referred', parent.sid);
    expect(asking?.form['ReferTransferTarget']).toContain(`${next.uri}?X-Reason=meeting`);
    expectSigned(trunkline, 'us1', asking ? [asking] : []);
    const [one, two] = await childrenOf(parent, 2);
    expect([one?.to, two?.to]).toEqual([first.invite.request.uri, next.uri]);
    expect([one?.status, two?.status]).toEqual(['completed', 'completed']);
    const told = asked(app, '/after', parent.sid).map(({ form }) => form['DialCallSid']);
    expect(told).toEqual([two?.sid]);
    expect(eventsOf(timelineOf(trunkline, 'us1', parent.sid), 'referred')).toMatchObject([{ by: 'peer' }]);
  });

  it('with answerOnBridge: stays until the next one answers', async () => {
    const next = telephones.of('next-attended');
    const referUrl = app.on('/attended', document(`<Dial ${action()}><Sip>${next.uri}</Sip></Dial>`));
    const { placed, first } = await connected(`answerOnBridge="true" referUrl="${referUrl}"`);
    expect(await first.refer(`<${next.uri}>`)).toBe(202);
    const second = await next.called();
    second.ring();
    expect(first.invite.ended.aborted).toBe(false);
    await second.answer();
    expect((await first.over()).cause).toBe('bye');
    expect(sipfrags(first).at(-1)).toMatch(/^SIP\/2\.0 200/);
    await second.hears();
    second.say(SECOND);
    await second.said();
    await second.hangUp();
    await placed.call.code;
    expect(share(SECOND, await placed.call.heard())).toBeGreaterThan(0.5);
    await childrenOf(await parentOf(placed), 2);
  });

  it.each([
    ['the next one is busy', 'busy'],
    ['the document cannot be fetched', 'broken'],
  ])('with answerOnBridge, %s: it is connected again', async (_, how) => {
    const next = telephones.of(`next-${how}`);
    next.onCall = (call) => call.refuse(486);
    const referUrl = app.on(
      `/unreached-${how}`,
      how === 'busy' ? document(`<Dial><Sip>${next.uri}</Sip></Dial>`) : { status: 500 },
    );
    const { placed, first } = await connected(`answerOnBridge="true" referUrl="${referUrl}"`);
    expect(await first.refer(`<${next.uri}>`)).toBe(202);
    await until('the failure to be told', () => /^SIP\/2\.0 503/.test(sipfrags(first).at(-1) ?? ''));
    const speech = noise(6, 41);
    first.say(speech);
    await first.said();
    await first.hangUp();
    await placed.call.code;
    expect(share(speech.subarray(3 * RATE), await placed.call.heard())).toBeGreaterThan(0.5); // connected again
    const parent = await parentOf(placed);
    expect(await outcomeOf(parent)).toMatchObject({
      DialCallStatus: 'completed',
      DialSipCallId: first.header('Call-ID'),
    });
  });

  it('without referUrl: is refused with 13802, and the conversation goes on', async () => {
    const { placed, first } = await connected('');
    expect(await first.refer('<sip:elsewhere@example.com>')).toBe(202);
    await until('the refusal to be told', () => /^SIP\/2\.0 603/.test(sipfrags(first).at(-1) ?? ''));
    first.say(SECOND);
    await first.said();
    await first.hangUp();
    await placed.call.code;
    expect(share(SECOND, await placed.call.heard())).toBeGreaterThan(MOST);
    expect(codesOf(await parentOf(placed))).toEqual([13802]);
  });
});

describe('<Refer>', () => {
  const refer = `<Refer action="/refer-result"><Sip>sip:elsewhere@example.com?X-Trip=4%202</Sip></Refer>`;

  /** A call to a telephone, whose document sends it elsewhere. */
  async function referred(user: string, status: number): Promise<{ sid: string; call: IncomingCall }> {
    app.on('/refer-result', document(''));
    const url = app.on(`/refer-${user}`, document(refer));
    const telephone = telephones.of(user);
    const { sid } = await clientOf(trunkline, 'us1').calls.create({ to: telephone.uri, from: 'alice', url });
    const call = await telephone.called();
    call.referStatus = status;
    await call.answer();
    return { sid, call };
  }

  const notify = (call: IncomingCall, status: number, state: string) =>
    call.dialog.request('NOTIFY', {
      headers: { Event: 'refer', 'Subscription-State': state },
      body: `SIP/2.0 ${status} Status\r\n`,
      contentType: 'message/sipfrag',
    });

  const resultOf = async (sid: string) =>
    (await until('the result of <Refer>', () => asked(app, '/refer-result', sid)[0])).form;

  it.each([
    [200, 'in-progress'],
    [486, 'busy'],
    [404, 'failed'],
  ])('tells what becomes of it: a peer that notifies %d is %s', async (status, outcome) => {
    const { sid, call } = await referred(`transferee-${status}`, 202);
    const request = await call.request('REFER');
    expect(request.headers.get('Refer-To')).toBe('<sip:elsewhere@example.com?X-Trip=4%202>');
    expect((await notify(call, 100, 'active;expires=60')).status).toBe(200);
    expect((await notify(call, status, 'terminated;reason=noresource')).status).toBe(200);
    expect(await resultOf(sid)).toMatchObject({
      ReferSipResponseCode: '202',
      NotifySipResponseCode: String(status),
      ReferCallStatus: outcome,
    });
    await call.over();
    await storedCall(trunkline, 'us1', sid);
    expect(eventsOf(timelineOf(trunkline, 'us1', sid), 'referred')).toMatchObject([
      { by: 'application', status },
    ]);
  });

  it('tells that the peer refuses', async () => {
    const { sid, call } = await referred('stubborn', 405);
    const result = await resultOf(sid);
    expect(result).toMatchObject({ ReferSipResponseCode: '405', ReferCallStatus: 'failed' });
    expect(result).not.toHaveProperty('NotifySipResponseCode');
    await call.over();
  });

  it('tells that the peer hung up first', async () => {
    const { sid, call } = await referred('impatient', 202);
    await call.request('REFER');
    await call.hangUp();
    expect(await resultOf(sid)).toMatchObject({ ReferCallStatus: 'canceled' });
    await storedCall(trunkline, 'us1', sid);
  });
});

it('a number that is not ours, without a carrier: 13224, and the caller goes on', async () => {
  const placed = await place(`<Dial ${action()}><Number>+15005550123</Number></Dial>`);
  expect(await placed.call.code).toBe(0);
  const parent = await parentOf(placed);
  expect(await outcomeOf(parent)).toMatchObject({ DialCallStatus: 'failed', DialBridged: 'false' });
  const [child] = await childrenOf(parent, 1);
  expect(child?.status).toBe('failed');
  expect(child && codesOf(child)).toEqual([13224]);
});
