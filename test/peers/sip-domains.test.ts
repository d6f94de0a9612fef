import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EDGE_IDS, edgePort } from '../../src/region/edge.ts';
import { EDGES } from '../../src/region/edge-catalogue.ts';
import { clientOf, eventsOf, storedCall, storedCallFrom, timelineOf } from '../e2e/support/numbers.ts';
import { freePort } from '../support/free-port.ts';
import { notRun, peer } from '../support/peers.ts';
import { until } from '../support/until.ts';
import { startSipp } from './sipp/sipp.ts';
import { answerTo, DomainCaller } from './support/domain-caller.ts';
import { SipDomainWorld } from './support/sip-domain-world.ts';

const ANN = { username: 'ann', password: 'Correct-Horse-7' };
const WRONG = { ...ANN, password: 'Wrong-Horse-77' };
const uriOf = (name: string) => `sip:bob@${name}.sip.twilio.com`;

let world: SipDomainWorld;
let caller: DomainCaller;

beforeAll(async () => {
  // Who may call numbers has no say about SIP domains.
  world = await SipDomainWorld.start({ TRUNKLINE_INGRESS_ALLOW: '192.0.2.1' });
});
afterAll(() => world.stop());
beforeEach(async () => {
  caller = await DomainCaller.open(world.trunkline.sip);
});
afterEach(() => caller.close());

/** What a call to the domain of this name becomes. */
const invite = async (name: string) => (await caller.invite({ uri: uriOf(name) })).status;
const inviteAs = async (user: typeof ANN, name: string, rings?: () => Promise<unknown>) =>
  (await caller.inviteAs(user, { uri: uriOf(name), ...(rings && { rings }) })).status;

/** Whether a challenge says that the nonce, not the password was the matter. */
const isStale = (response: string) => /^Proxy-Authenticate: .*stale=true/m.test(response);

describe('Given a SIP domain, when an INVITE arrives for it', () => {
  it('with no list mapped, then nobody gets in', async () => {
    await world.domain('us1', 'closed', {});
    expect(await inviteAs(ANN, 'closed')).toBe(403);
  });

  it('with an access control list that has the source, then it rings, and the webhook says so', async () => {
    const sid = await world.domain('us1', 'office', { addresses: ['127.0.0.0/8'] });
    const { status, callId } = await caller.invite({
      uri: uriOf('office'),
      headers: ['X-Order: 42', 'User-to-User: abc;encoding=hex', 'Y-Other: no'],
      rings: () => world.webhook('us1', 'office'),
    });
    expect(status).toBe(180);
    const form = await world.webhook('us1', 'office');
    expect(form).toMatchObject({
      To: uriOf('office'),
      From: 'sip:caller@127.0.0.1',
      Direction: 'inbound',
      SipDomain: 'office.sip.twilio.com',
      SipDomainSid: sid,
      SipCallId: callId,
      SipSourceIp: '127.0.0.1',
      'SipHeader_X-Order': '42',
      'SipHeader_User-to-User': 'abc;encoding=hex',
    });
    expect(Object.keys(form)).not.toContain('SipUsername');
    expect(Object.keys(form)).not.toContain('SipHeader_Y-Other');
  });

  it('with an access control list without the source, then 403, whatever its headers say', async () => {
    await world.domain('us1', 'elsewhere', { addresses: ['10.1.2.3'] });
    const headers = ['X-Forwarded-For: 10.1.2.3', 'P-Asserted-Identity: <sip:a@10.1.2.3>'];
    const uri = uriOf('elsewhere');
    expect((await caller.invite({ uri, headers, from: '<sip:caller@10.1.2.3>' })).status).toBe(403);
  });

  it.each(['calls', 'legacy'] as const)(
    'with a credential list (%s), then whoever knows a password',
    async (use) => {
      const name = `users-${use}`;
      await world.domain('us1', name, { users: [ANN], use });
      expect(await invite(name)).toBe(407);
      expect(await inviteAs(WRONG, name)).toBe(407);
      expect(await inviteAs({ ...ANN, username: 'Ann' }, name)).toBe(407);
      expect(await inviteAs(ANN, name, () => world.webhook('us1', name))).toBe(180);
      expect(world.webhooks('us1', name)).toMatchObject([{ SipUsername: 'ann' }]);
    },
  );

  it('with a credential list for registrations only, then nobody', async () => {
    await world.domain('us1', 'registrations', { users: [ANN], use: 'registrations' });
    expect(await inviteAs(ANN, 'registrations')).toBe(403);
  });

  it('with both lists, then who passes both, and who fails the first learns nothing of the second', async () => {
    await world.domain('us1', 'both', { addresses: ['127.0.0.1'], users: [ANN] });
    await world.domain('us1', 'both-elsewhere', { addresses: ['10.1.2.3'], users: [ANN] });
    expect(await invite('both')).toBe(407);
    expect(await inviteAs(WRONG, 'both')).toBe(407);
    expect(await inviteAs(ANN, 'both')).toBe(180);
    const uri = uriOf('both-elsewhere');
    const stranger = await caller.invite({ uri });
    const user = await caller.invite({ uri, headers: ['Proxy-Authorization: Digest username="ann"'] });
    expect([stranger.status, user.status]).toEqual([403, 403]);
    expect(stranger.response).not.toContain('Authenticate');
  });

  it('that is not there, then 404', async () => {
    expect(await invite('nothing')).toBe(404);
  });

  it('that is secure, and it came in the clear, then 403', async () => {
    await world.domain('us1', 'vault', { addresses: ['127.0.0.1'], secure: true });
    expect(await invite('vault')).toBe(403);
  });

  it('of a suspended account, then 603, to those it would let in', async () => {
    const accountSid = await world.account('suspended');
    await world.domain('us1', 'asleep', { users: [ANN], accountSid });
    expect(await invite('asleep')).toBe(407);
    expect(await inviteAs(ANN, 'asleep')).toBe(603);
  });

  it('that is a sub-domain, then by its own lists', async () => {
    await world.domain('us1', 'parent', { addresses: ['127.0.0.1'] });
    await world.domain('us1', 'east.parent', { users: [ANN] });
    expect(await invite('parent')).toBe(180);
    expect(await inviteAs(ANN, 'east.parent')).toBe(180);
    expect(await invite('west.parent')).toBe(404);
  });

  it('and is refused, then no call is left of it', async () => {
    await world.domain('us1', 'quiet', { users: [ANN] });
    for (let n = 0; n < 5; n++) await inviteAs(WRONG, 'quiet');
    expect(await inviteAs(ANN, 'quiet', () => world.webhook('us1', 'quiet'))).toBe(180);
    expect(world.webhooks('us1', 'quiet')).toHaveLength(1);
    const calls = await clientOf(world.trunkline, 'us1').calls.list({ to: uriOf('quiet') });
    expect(calls).toHaveLength(1);
    await world.trunkline.line(/32202/); // its owner finds why
  });

  it('and a number is called from where numbers may not be, then 403', async () => {
    expect((await caller.invite({ uri: 'sip:+12025550143@127.0.0.1' })).status).toBe(403);
  });
});

describe('Given a domain with a credential list, when the answer to the challenge', () => {
  const uri = uriOf('strict');
  beforeAll(async () => {
    await world.domain('us1', 'strict', { users: [ANN] });
  });

  it.each([
    ['is for another realm', (header: string) => header.replace('realm="sip.twilio.com"', 'realm="acme"')],
    ['is for another URI', (header: string) => header.replace(/uri="[^"]*"/, 'uri="sip:eve@evil.example"')],
    ['is of an unknown algorithm', (header: string) => header.replace(/algorithm=[^,]*/, 'algorithm=SHA-3')],
    ['protects the body', (header: string) => header.replace('qop=auth', 'qop=auth-int')],
    ['is cut', (header: string) => header.slice(0, 60)],
    ['is of another scheme', () => 'Proxy-Authorization: Basic YW5uOng='],
  ])('%s, then it is asked again, and the next answer counts', async (_what, change) => {
    const { status, response } = await caller.inviteAs(ANN, { uri }, change);
    expect(status).toBe(407);
    expect(isStale(response)).toBe(false);
    expect(await inviteAs(ANN, 'strict')).toBe(180);
  });

  it('has a nonce that this edge never gave, then the challenge says stale', async () => {
    const foreign = (header: string) => header.replace(/nonce="[^"]*"/, `nonce="${'0'.repeat(60)}"`);
    const { status, response } = await caller.inviteAs(ANN, { uri }, foreign);
    expect(status).toBe(407);
    expect(isStale(response)).toBe(true);
  });

  it('was overheard, then neither the flow it came by nor another gets in with it', async () => {
    const asked = await caller.invite({ uri });
    const headers = [answerTo(asked, ANN, uri)];
    expect((await caller.invite({ uri, headers })).status).toBe(180);
    const again = await caller.invite({ uri, headers });
    expect(again.status).toBe(407);
    expect(isStale(again.response)).toBe(true);
    const thief = await DomainCaller.open(world.trunkline.sip);
    expect((await thief.invite({ uri, headers })).status).toBe(407);
    thief.close();
    // The same nonce with the next count is a telephone that goes on with it.
    expect((await caller.invite({ uri, headers: [answerTo(asked, ANN, uri, 2)] })).status).toBe(180);
  });

  it('is wrong for a user there is and for one there is not, then nothing tells them apart', async () => {
    const shape = (response: string) =>
      response.replace(/nonce="[^"]*"|;tag=\S+|branch=\S+|^Call-ID.*$|^Via.*$|^From.*$/gm, '');
    const known = await caller.inviteAs(WRONG, { uri });
    const unknown = await caller.inviteAs({ ...WRONG, username: 'nobody' }, { uri });
    expect(shape(known.response)).toBe(shape(unknown.response));
    expect(known.status).toBe(407);
  });
});

describe('Given every edge, when the domain’s localized host is called at it', () => {
  it.each(EDGE_IDS)('%s, then the call comes in there, and the Region is the active one', async (edge) => {
    const name = 'global';
    if (edge === 'ashburn') {
      await world.domain('us1', name, { addresses: ['10.9.9.9'] });
      await world.domain('ie1', name, { addresses: ['127.0.0.1'] });
      await world.route(name, 'ie1');
    }
    const { host, port } = world.trunkline.sip;
    const there = await DomainCaller.open({ host, port: edgePort(edge, port) });
    for (const label of [edge, EDGES[edge].legacy]) {
      const from = `<sip:${edge}-${label}@127.0.0.1>`;
      const uri = `sip:bob@${name}.sip.${label}.twilio.com`;
      expect((await there.invite({ uri, from })).status).toBe(180);
      const call = await storedCallFrom(world.trunkline, 'ie1', `sip:${edge}-${label}@127.0.0.1`);
      expect(call).toMatchObject({ ingress_edge: edge, region: 'ie1', to: uri });
    }
    there.close();
  });
});

describe('Given a domain in two Regions', () => {
  const name = 'moving';
  beforeAll(async () => {
    await world.domain('us1', name, { users: [ANN] });
    await world.domain('ie1', name, { users: [{ ...ANN, password: 'Irish-Horse-77' }] });
  });

  it('when it is re-routed, then new calls go by the lists of the other Region, and there', async () => {
    expect(await inviteAs(ANN, name, () => world.webhook('us1', name))).toBe(180);
    await world.route(name, 'ie1');
    await until('the new Region to decide', async () => (await inviteAs(ANN, name)) === 407);
    const irish = { ...ANN, password: 'Irish-Horse-77' };
    expect(await inviteAs(irish, name, () => world.webhook('ie1', name))).toBe(180);
    const callSid = (await world.webhook('ie1', name))['CallSid'] ?? '';
    expect(await storedCall(world.trunkline, 'ie1', callSid)).toMatchObject({ region: 'ie1' });
    expect(eventsOf(timelineOf(world.trunkline, 'ie1', callSid), 'routed')).toMatchObject([
      { key: name, record: 'explicit', region: 'ie1' },
    ]);
    expect(world.webhooks('us1', name)).toHaveLength(1);
  });
});

describe('Given a Region whose Redis is stopped', () => {
  it('when its domains are called, then 503; and those of others do not notice', async () => {
    await world.domain('us1', 'here', { users: [ANN] });
    await world.domain('ie1', 'there', { users: [ANN] });
    await world.route('there', 'ie1');
    expect(await inviteAs(ANN, 'there')).toBe(180);
    await world.redis.ie1.kill();
    try {
      expect(await invite('there')).toBe(503);
      expect(await inviteAs(ANN, 'here')).toBe(180);
    } finally {
      await world.redis.ie1.start();
    }
    await until('its domains to be back', async () => (await inviteAs(ANN, 'there')) === 180);
  });
});

function sippTests(sipp: string): void {
  describe.each(['udp', 'tcp'] as const)('Given sipp over %s, when it calls a domain', (transport) => {
    const call = async (
      scenario: string,
      name: string,
      keys: Readonly<Record<string, string>> = {},
      calls = 10,
    ) => {
      const { host: address, port } = world.trunkline.sip;
      return startSipp(sipp, {
        scenario: `uac-domain${scenario}`,
        transport,
        calls,
        rate: 10,
        target: { address, port },
        port: await freePort(),
        keys: { uri: uriOf(name), ...keys },
      }).done;
    };
    const all = { code: 0, failed: 0, successful: 10 };

    beforeAll(async () => {
      const document = '<Response><Say>Hello.</Say><Pause length="30"/></Response>';
      for (const [name, lists] of [
        [`acl-${transport}`, { addresses: ['127.0.0.0/8'] }],
        [`digest-${transport}`, { users: [ANN] }],
        [`both-${transport}`, { addresses: ['127.0.0.0/8'], users: [ANN] }],
        [`none-${transport}`, {}],
      ] as const) {
        await world.domain('us1', name, lists);
        world.app.on(world.voicePath('us1', name), { body: document });
      }
    });

    it('with an access control list, then every call is answered', async () => {
      expect(await call('', `acl-${transport}`)).toMatchObject(all);
    });

    it('with a credential list, then every call is challenged and answered', async () => {
      expect(await call('-digest', `digest-${transport}`, ANN)).toMatchObject(all);
    });

    it('with both, then every call is challenged and answered', async () => {
      expect(await call('-digest', `both-${transport}`, ANN)).toMatchObject(all);
    });

    it('with a wrong password, then every call is challenged twice', async () => {
      expect(await call('-wrong', `digest-${transport}`, WRONG)).toMatchObject(all);
    });

    it('with no list, then every call is refused', async () => {
      expect(await call('-refused', `none-${transport}`, { status: '403' })).toMatchObject(all);
    });
  });
}

const sipp = peer('sipp');
if (sipp === undefined) notRun('sipp calls SIP domains', 'sipp not found on PATH');
else sippTests(sipp);
