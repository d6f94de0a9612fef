import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  makeChallenges,
  parseCredentials,
  passwordHash,
  verifyCredentials,
} from '../../src/sip/digest/digest.ts';
import { serialize } from '../../src/sip/message/serialize.ts';
import { noise, share } from '../support/alignment.ts';
import { storedCalls } from '../support/bucket-files.ts';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { until } from '../support/until.ts';
import { wavOf } from '../support/wav-compare.ts';
import { WebhookApp } from '../support/webhook-app.ts';
import { asked, expectSigned } from './support/callbacks.ts';
import { Callers } from './support/caller.ts';
import {
  clientOf,
  eventsOf,
  type RegionName,
  type StoredCall,
  storedCall,
  timelineOf,
} from './support/numbers.ts';
import { Telephones } from './support/telephones.ts';

const TUNE = noise(3);
const MOST = 0.8;
const LOGIN = { username: 'harbour', password: 'Fresnel-1822' };
const STRANGER = '+15005550123';

let trunkline: RunningTrunkline;
let app: WebhookApp;
let callers: Callers;
let carrier: Telephones;
let made = 0;

beforeAll(async () => {
  app = await WebhookApp.start();
  carrier = await Telephones.start();
  trunkline = await startTrunkline({
    env: {
      TRUNKLINE_DEMO: 'false',
      TRUNKLINE_CPS: '100',
      TRUNKLINE_CARRIER: `sip:${LOGIN.username}:${LOGIN.password}@${carrier.address}`,
    },
  });
  callers = new Callers(trunkline.sip);
  app.on('/tune.wav', { body: wavOf(TUNE), headers: { 'content-type': 'audio/wav' } });
  app.on('/after', { body: '<Response/>' });
});

afterAll(async () => {
  callers.close();
  await trunkline.stop();
  await carrier.close();
  await app.stop();
});

/** A new number that a Region answers with this document, at a path of its own. */
async function numberOf(region: RegionName, twiml: (own: string) => string) {
  const phoneNumber = `+1202555${String(2000 + made++)}`;
  const path = `/${region}/${phoneNumber.slice(1)}`;
  const voiceUrl = app.on(path, { body: `<Response>${twiml(phoneNumber)}</Response>` });
  await clientOf(trunkline, region).incomingPhoneNumbers.create({ phoneNumber, voiceUrl });
  return { number: phoneNumber, path };
}

const dial = (number: string, attributes = '') =>
  `<Dial action="${app.url('/after')}"${attributes}><Number>${number}</Number></Dial>`;

/** What `action` was told of the `<Dial>` of a call. */
async function outcomeOf(callSid: string): Promise<Record<string, string>> {
  return (await until('the action of the <Dial>', () => asked(app, '/after', callSid)[0])).form;
}

/** The record of the call that this one made. */
async function childOf(region: RegionName, parentSid: string): Promise<StoredCall> {
  const { sid } = await until(`the child of ${parentSid}`, () =>
    storedCalls(trunkline.home, region).find((call) => call.parent_call_sid === parentSid),
  );
  return await storedCall(trunkline, region, sid);
}

/** Waits for the records of the calls to a number that came in, in the bucket of its Region. */
const arrivalsAt = (region: RegionName, number: string, count: number) =>
  until(`${count} calls to ${number}`, () => {
    const found = storedCalls(trunkline.home, region).filter(
      ({ to, direction }) => to === number && direction === 'inbound',
    );
    return found.length >= count && found;
  });

const codesOf = ({ diagnostics }: StoredCall) => diagnostics.map(({ code }) => code);

describe('a number of this installation that another Region answers', () => {
  it('is called like any other: two calls, two Regions, each with its own webhook and record', async () => {
    const cork = await numberOf('ie1', () => `<Play>${app.url('/tune.wav')}</Play>`);
    const ashburn = await numberOf('us1', () => dial(cork.number));
    const call = callers.call(ashburn.number, '--from', '+15550107001', '--max', '120s');
    expect(await call.code, call.printed()).toBe(0);
    expect(share(TUNE, await call.heard())).toBeGreaterThan(MOST);

    const [parent] = await arrivalsAt('us1', ashburn.number, 1);
    const child = await childOf('us1', parent?.sid ?? '');
    const [callee] = await arrivalsAt('ie1', cork.number, 1);
    expect(parent).toMatchObject({ from: '+15550107001', status: 'completed', region: 'us1' });
    expect(child).toMatchObject({
      direction: 'outbound-dial',
      from: '+15550107001',
      to: cork.number,
      status: 'completed',
      region: 'us1',
      egress_edge: 'ashburn',
    });
    // The other Region takes it for what it is: a call that came in at that edge.
    expect(callee).toMatchObject({
      from: '+15550107001',
      parent_call_sid: null,
      status: 'completed',
      region: 'ie1',
      ingress_edge: 'ashburn',
      sip_call_id: child.sip_call_id,
    });
    const sids = [parent?.sid, child.sid, callee?.sid];
    expect(new Set(sids).size).toBe(3);
    expect(storedCalls(trunkline.home, 'us1').map(({ sid }) => sid)).not.toContain(callee?.sid);
    expect(storedCalls(trunkline.home, 'ie1').map(({ sid }) => sid)).toEqual([callee?.sid]);
    expectSigned(trunkline, 'us1', asked(app, ashburn.path));
    expectSigned(trunkline, 'ie1', asked(app, cork.path));
    expect(asked(app, cork.path).map(({ form }) => form)).toMatchObject([
      { CallSid: callee?.sid, From: '+15550107001', To: cork.number, Direction: 'inbound' },
    ]);
    expect(await outcomeOf(parent?.sid ?? '')).toMatchObject({
      DialCallStatus: 'completed',
      DialCallSid: child.sid,
      DialBridged: 'true',
    });
  });

  it('refuses: the <Dial> is told, and the caller goes on', async () => {
    const cork = await numberOf('ie1', () => '<Reject reason="busy"/>');
    const ashburn = await numberOf('us1', () => dial(cork.number, ' answerOnBridge="true"'));
    const call = callers.call(ashburn.number, '--from', '+15550107002');
    await call.code;
    const [parent] = await arrivalsAt('us1', ashburn.number, 1);
    expect(await outcomeOf(parent?.sid ?? '')).toMatchObject({
      DialCallStatus: 'busy',
      DialBridged: 'false',
    });
    expect((await arrivalsAt('ie1', cork.number, 1))[0]).toMatchObject({ status: 'busy' });
    expect(await childOf('us1', parent?.sid ?? '')).toMatchObject({ status: 'busy' });
  });

  it('is called through the API, and runs its document beside that of the call', async () => {
    const cork = await numberOf('ie1', () => `<Play>${app.url('/tune.wav')}</Play>`);
    const own = await numberOf('us1', () => '');
    const url = app.on('/ours', { body: '<Response><Pause length="300"/></Response>' });
    const created = await clientOf(trunkline, 'us1').calls.create({ to: cork.number, from: own.number, url });
    const [callee] = await arrivalsAt('ie1', cork.number, 1);
    expect(callee).toMatchObject({ from: own.number, status: 'completed', cause: 'the TwiML ended' });
    expect(await storedCall(trunkline, 'us1', created.sid)).toMatchObject({
      direction: 'outbound-api',
      status: 'completed',
      cause: 'the called party hung up during <Pause>',
      sip_call_id: callee?.sip_call_id,
    });
  });
});

describe('the caller id of a call to a number', () => {
  it('may be any number of the account, and no other: 13214', async () => {
    const cork = await numberOf('ie1', () => '');
    const another = await numberOf('us1', () => '');
    const calls = [
      ['+15550107011', '', true, '+15550107011'], // as it came
      ['+15550107012', ` callerId="${another.number}"`, true, another.number],
      ['+15550107013', ` callerId="${STRANGER}"`, false, STRANGER],
      ['alice', '', false, 'alice'],
      ['alice', ` callerId="${another.number}"`, true, another.number],
    ] as const;
    let arrivals = 0;
    for (const [from, attributes, accepted, shown] of calls) {
      const ashburn = await numberOf('us1', () => dial(cork.number, attributes));
      const call = callers.call(ashburn.number, '--from', from);
      expect(await call.code, call.printed()).toBe(0);
      const [parent] = await arrivalsAt('us1', ashburn.number, 1);
      const child = await childOf('us1', parent?.sid ?? '');
      const outcome = await outcomeOf(parent?.sid ?? '');
      if (accepted) {
        arrivals += 1;
        expect(outcome['DialCallStatus'], shown).toBe('completed');
        expect((await arrivalsAt('ie1', cork.number, arrivals)).map((one) => one.from)).toContain(shown);
        expect(codesOf(child)).toEqual([]);
      } else {
        expect(outcome['DialCallStatus'], shown).toBe('failed');
        expect(codesOf(child)).toEqual([13214]);
        expect(eventsOf(timelineOf(trunkline, 'us1', child.sid), 'call-placed')).toEqual([]);
      }
    }
    expect(await arrivalsAt('ie1', cork.number, arrivals)).toHaveLength(arrivals);
  });
});

describe('numbers that dial each other', () => {
  it.each(['itself', 'one another'] as const)(
    '%s: the chain ends, every call with a record',
    async (whom) => {
      const numbers: string[] = [];
      const other = () => numbers[whom === 'itself' ? 0 : 1] ?? '';
      const first = await numberOf('us1', () => '');
      numbers.push(first.number);
      const second = await numberOf('ie1', () => dial(first.number));
      numbers.push(second.number);
      app.on(first.path, () => ({ body: `<Response>${dial(other())}</Response>` }));
      const call = callers.call(first.number, '--from', '+15550107021', '--max', '170s');
      await call.code;

      // Nobody in it ever says anything: the last one is refused, and each <Dial> before it goes on and ends its call.
      const [parent] = await until('the first call', () => {
        const found = storedCalls(trunkline.home, 'us1').filter(
          ({ to, from, direction }) =>
            to === first.number && from === '+15550107021' && direction === 'inbound',
        );
        return found.length > 0 && found;
      });
      expect(parent).toMatchObject({ region: 'us1' });
      const live = async () => {
        const lists = await Promise.all(
          (['us1', 'ie1'] as const).flatMap((region) =>
            (['queued', 'ringing', 'in-progress'] as const).map((status) =>
              clientOf(trunkline, region).calls.list({ status }),
            ),
          ),
        );
        return lists.flat();
      };
      await until('no live call', async () => (await live()).length === 0);
      const records = () => [...storedCalls(trunkline.home, 'us1'), ...storedCalls(trunkline.home, 'ie1')];
      const inChain = () => records().filter(({ to }) => numbers.includes(to));
      const refused = await until('the end of the chain', () =>
        inChain().find((record) => codesOf(record).includes(32006)),
      );
      expect(refused.status).toBe('failed');
      expect(inChain().length).toBeLessThan(2 * 40);
    },
  );
});

describe("a number that is nobody's here", () => {
  it('is called through the carrier, with its login; the number is the user of the Request-URI', async () => {
    const nonce = 'b7c9036dbf3561';
    const telephone = carrier.of(STRANGER);
    telephone.onCall = async (call) => {
      const claimed = parseCredentials(call.header('Proxy-Authorization'));
      const secret = passwordHash('SHA-256', LOGIN, 'carrier');
      if (claimed && verifyCredentials(claimed, secret, 'INVITE')) {
        (await call.answer()).say(TUNE);
        return;
      }
      const [challenge = ''] = makeChallenges('carrier', nonce, { algorithms: ['SHA-256'] });
      call.refuse(407, { 'Proxy-Authenticate': challenge });
    };
    const ashburn = await numberOf('us1', () => dial(STRANGER));
    const call = callers.call(ashburn.number, '--from', '+15550107031', '--max', '120s');
    const answered = await until('the answered call at the carrier', () =>
      telephone.calls.length === 2 ? telephone.calls[1] : undefined,
    );
    expect(answered.invite.request.uri).toBe(`sip:${STRANGER}@${carrier.address}`);
    expect(answered.header('From')).toMatch(/^<sip:\+15550107031@/);
    for (const { invite } of telephone.calls)
      expect(serialize(invite.request).toString()).not.toContain(LOGIN.password);
    await call.says(/hears sound/);
    await answered.said();
    await answered.hangUp({ 'X-Billing': 'zone 4' });
    expect(await call.code, call.printed()).toBe(0);
    expect(share(TUNE, await call.heard())).toBeGreaterThan(MOST);
    const [parent] = await arrivalsAt('us1', ashburn.number, 1);
    const outcome = await outcomeOf(parent?.sid ?? '');
    expect(outcome).toMatchObject({ DialCallStatus: 'completed', DialBridged: 'true' });
    // A number is told nothing of SIP. https://www.twilio.com/docs/voice/twiml/dial#action
    expect(Object.keys(outcome).filter((name) => name.startsWith('DialSip'))).toEqual([]);
    const child = await childOf('us1', parent?.sid ?? '');
    expect(child).toMatchObject({ to: STRANGER, egress_edge: 'ashburn', status: 'completed' });
    expect(eventsOf(timelineOf(trunkline, 'us1', child.sid), 'call-placed')).toMatchObject([
      { uri: `tel:${STRANGER}` },
    ]);
  });

  it.each([
    [486, 'busy'],
    [480, 'no-answer'],
    [404, 'failed'],
    [503, 'failed'],
  ])('a carrier that says %d: %s', async (status, outcome) => {
    const number = `+1500555${status}0`;
    carrier.of(number).onCall = (call) => {
      call.ring();
      call.refuse(status);
    };
    const own = await numberOf('us1', () => '');
    const created = await clientOf(trunkline, 'us1').calls.create({
      to: number,
      from: own.number,
      url: app.url('/never'),
    });
    expect(await storedCall(trunkline, 'us1', created.sid)).toMatchObject({ status: outcome });
    expect(asked(app, '/never')).toEqual([]);
  });
});
