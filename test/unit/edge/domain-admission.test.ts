import { beforeEach, describe, expect, it } from 'vitest';
import { type MappingUse, SIP_REALM } from '../../../src/config/sip.ts';
import { CountingIds } from '../../../src/core/ids.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { RegionId } from '../../../src/region/region.ts';
import { createSipAgent } from '../../../src/sip/agent/agent.ts';
import type { SipEnded } from '../../../src/sip/agent/port.ts';
import { answerChallenge, passwordHash } from '../../../src/sip/digest/digest.ts';
import { OFFER, type RequestParts } from '../sip/agent/support.ts';
import { ACCOUNT, DUBLIN, NUMBER, type World, world } from './world.ts';

const DOMAIN_URI = 'sip:bob@acme.sip.trunkline.localhost';
const OTHER_ACCOUNT = `AC${'b'.repeat(32)}`;
const ANN = { username: 'ann', password: 'Correct-Horse-7' };
const sid = (prefix: string, digit: string) => `${prefix}${digit.repeat(32)}`;
const SD = { us1: sid('SD', '1'), ie1: sid('SD', '2') };
const common = { accountSid: ACCOUNT, friendlyName: '', createdAt: 0, updatedAt: 0 };

let w: World;
let calls = 0;
beforeEach(async () => {
  w = await world({ allow: '10.9.9.9' }); // who may call numbers: not our peer
});

type TestRegion = keyof typeof SD;

interface Lists {
  readonly addresses?: readonly string[];
  readonly users?: readonly (typeof ANN)[];
  readonly use?: MappingUse;
}

/** A domain as the REST API leaves it in a Region. */
async function domain(region: TestRegion, name: string, lists: Lists, more: { secure?: boolean } = {}) {
  const { records } = w.configs[region];
  const domainSid = SD[region];
  await records.domains.create({
    ...common,
    sid: domainSid,
    domainName: `${name}.sip.twilio.com`,
    name,
    voiceUrl: '',
    voiceMethod: 'POST',
    voiceFallbackUrl: '',
    voiceFallbackMethod: 'POST',
    voiceStatusCallbackUrl: '',
    voiceStatusCallbackMethod: 'POST',
    sipRegistration: false,
    secure: more.secure ?? false,
    emergencyCallingEnabled: false,
    emergencyCallerSid: null,
    byocTrunkSid: null,
  });
  const use = lists.use ?? 'calls';
  const map = (list: 'ip-access-control-list' | 'credential-list', listSid: string) =>
    records.mappings.create({ ...common, sid: sid(listSid.slice(0, 2), '8'), domainSid, use, list, listSid });
  if (lists.addresses) {
    const listSid = sid('AL', '1');
    await map('ip-access-control-list', listSid);
    for (const [n, network] of lists.addresses.entries()) {
      const [ipAddress = '', prefix = '32'] = network.split('/');
      const cidrPrefixLength = Number(prefix);
      await records.addresses.create({
        ...common,
        sid: sid('IP', `${n}`),
        listSid,
        ipAddress,
        cidrPrefixLength,
      });
    }
  }
  if (lists.users) {
    const listSid = sid('CL', '1');
    await map('credential-list', listSid);
    for (const [n, user] of lists.users.entries()) {
      const secrets = {
        MD5: passwordHash('MD5', user, SIP_REALM),
        'SHA-256': passwordHash('SHA-256', user, SIP_REALM),
      };
      const record = { ...common, sid: sid('CR', `${n}`), listSid, username: user.username, secrets };
      await records.credentials.create(record);
    }
  }
}

function route(name: string, region: RegionId) {
  const record = { sid: sid('QQ', '1'), kind: 'sip-domain', key: name, accountSid: ACCOUNT } as const;
  return w.routes.save({ ...record, voiceRegion: region, friendlyName: '', createdAt: 0, updatedAt: 0 });
}

/** Another INVITE; the last final status it got, and acknowledges it. */
async function invite(parts: RequestParts = {}): Promise<number> {
  const call = { callId: `call-${++calls}`, uri: DOMAIN_URI, ...parts };
  w.peer.heard.length = 0;
  await w.dial(call);
  return w.peer.statuses.at(-1) ?? 0;
}

/** As a telephone does it: the INVITE, the challenge, the INVITE with the answer. */
async function inviteAs(user: typeof ANN, parts: RequestParts = {}): Promise<number> {
  const asked = await invite(parts);
  if (asked !== 407) return asked;
  const challenges = w.peer.lastResponse(407).headers.all('Proxy-Authenticate');
  const subject = { method: 'INVITE', uri: parts.uri ?? DOMAIN_URI };
  const answer = answerChallenge(challenges, user, subject, 'c0ffee');
  return invite({ ...parts, cseq: 2, headers: { ...parts.headers, 'Proxy-Authorization': answer } });
}

describe('lists of a domain', () => {
  it('none: nobody calls it', async () => {
    await domain('us1', 'acme', {});
    expect(await inviteAs(ANN)).toBe(403);
  });

  it('for registrations only: nobody calls it', async () => {
    await domain('us1', 'acme', { users: [ANN], use: 'registrations' });
    expect(await inviteAs(ANN)).toBe(403);
  });

  it.each([
    ['10.0.0.2', 180],
    ['10.0.0.0/30', 180],
    ['0.0.0.0/0', 180],
    ['10.0.0.3', 403],
    ['10.0.0.4/30', 403],
    ['::/0', 403],
    ['nonsense', 403],
  ])('the address %s alone: %d', async (network, status) => {
    await domain('us1', 'acme', { addresses: [network] });
    expect(await invite()).toBe(status);
  });

  it('an access control list without addresses: nobody calls it', async () => {
    await domain('us1', 'acme', { addresses: [] });
    expect(await invite()).toBe(403);
  });

  it('the address is where the packet came from, whatever it says', async () => {
    await domain('us1', 'acme', { addresses: ['10.7.7.7'] });
    const headers = {
      Contact: '<sip:a@10.7.7.7>',
      'X-Forwarded-For': '10.7.7.7',
      'P-Asserted-Identity': '<sip:a@10.7.7.7>',
    };
    const via = `SIP/2.0/UDP 10.7.7.7:5060;received=10.7.7.7;branch=z9hG4bKfake`;
    expect(await invite({ headers })).toBe(403);
    await invite({ headers, via });
    expect(w.refused.at(-1)).toBe(403);
    expect(await w.calls.waiting()).toBe(0);
  });

  it.each(['legacy', 'calls'] as const)('a credential list (%s): who knows the password', async (use) => {
    await domain('us1', 'acme', { users: [ANN], use });
    expect(await invite()).toBe(407);
    expect(await inviteAs({ ...ANN, password: 'Wrong-Horse-7' })).toBe(407);
    expect(await inviteAs({ ...ANN, username: 'bob' })).toBe(407);
    expect(await inviteAs(ANN)).toBe(180);
    expect((await w.job()).direction === 'inbound').toBe(true);
  });

  it('both: the address first, and only then a challenge', async () => {
    await domain('us1', 'acme', { addresses: ['10.0.0.2'], users: [ANN] });
    expect(await invite()).toBe(407);
    expect(await inviteAs(ANN)).toBe(180);
  });

  it('both: from elsewhere nothing tells a user from another', async () => {
    await domain('us1', 'acme', { addresses: ['10.0.0.9'], users: [ANN] });
    expect(await invite()).toBe(403);
    const authorization = answerChallenge(
      ['Digest realm="sip.twilio.com", nonce="1", qop="auth", algorithm=MD5'],
      ANN,
      { method: 'INVITE', uri: DOMAIN_URI },
      'c',
    );
    expect(await invite({ headers: { 'Proxy-Authorization': authorization } })).toBe(403);
    const { headers } = w.peer.lastResponse(403);
    expect(headers.has('Reason')).toBe(false);
    expect(headers.has('Proxy-Authenticate')).toBe(false);
  });

  it('are those of now: what is changed is seen by the next call', async () => {
    await domain('us1', 'acme', { addresses: ['10.0.0.9'] });
    expect(await invite()).toBe(403);
    const listSid = sid('AL', '1');
    const more = { ...common, sid: sid('IP', '5'), listSid, ipAddress: '10.0.0.2', cidrPrefixLength: 32 };
    await w.configs.us1.records.addresses.create(more);
    expect(await invite()).toBe(180);
    await w.configs.us1.records.addresses.remove(more.sid);
    expect(await invite()).toBe(403);
  });
});

describe('the job of a call to a domain', () => {
  const job = async () => {
    const taken = await w.job();
    if (taken.direction !== 'inbound') throw new Error('an inbound job');
    return taken;
  };

  it('says which domain, who called and how', async () => {
    await domain('us1', 'acme', { users: [ANN] });
    const headers = {
      From: '"Ann" <sip:+12025550100@10.0.0.2:5070;user=phone>;tag=caller',
      'X-Order': '42',
      'User-to-User': 'abc;encoding=hex',
    };
    const uri = `${DOMAIN_URI}:5060;transport=udp`;
    expect(await inviteAs(ANN, { headers, uri })).toBe(180);
    expect(await job()).toMatchObject({
      accountSid: ACCOUNT,
      region: 'us1',
      from: 'sip:+12025550100@10.0.0.2',
      callerName: 'Ann',
      to: DOMAIN_URI,
      phoneNumberSid: null,
      domain: { sid: SD.us1, domainName: 'acme.sip.twilio.com', username: 'ann' },
      ingressEdge: 'dublin',
      route: { key: 'acme', record: 'default' },
      sip: {
        sourceIp: '10.0.0.2',
        sourcePort: 5060,
        requestUri: uri,
        headers: { 'X-Order': '42', 'User-to-User': 'abc;encoding=hex' },
      },
    });
  });

  it('names no user where the address let it in', async () => {
    await domain('us1', 'acme', { addresses: ['10.0.0.2'] });
    await invite();
    expect((await job()).domain).toEqual({ sid: SD.us1, domainName: 'acme.sip.twilio.com', username: null });
  });

  it('shows the URI as it was called: no user, a sub-domain, an edge that is not this one', async () => {
    await domain('us1', 'east.acme', { addresses: ['10.0.0.2'] });
    expect(await invite({ uri: 'sip:east.acme.sip.london-ix.twilio.com' })).toBe(180);
    const { to, ingressEdge, notes } = await job();
    expect(to).toBe('sip:east.acme.sip.london-ix.twilio.com');
    expect(ingressEdge).toBe('dublin');
    expect(notes).toEqual([expect.stringContaining('london-ix')]);
  });

  it('is a number called at a domain, and no call to the number', async () => {
    await domain('us1', 'acme', { addresses: ['10.0.0.2'] });
    expect(await invite({ uri: `sip:${NUMBER}@acme.sip.twilio.com` })).toBe(180);
    expect(await job()).toMatchObject({ phoneNumberSid: null, to: `sip:${NUMBER}@acme.sip.twilio.com` });
  });
});

describe('the Region of a domain', () => {
  it('is us1 without a record, and no other Region’s domain is found', async () => {
    await domain('ie1', 'acme', { addresses: ['10.0.0.2'] });
    expect(await invite()).toBe(404);
  });

  it('decides by its own lists and gets the call', async () => {
    await domain('us1', 'acme', { addresses: ['10.0.0.9'] });
    await domain('ie1', 'acme', { addresses: ['10.0.0.2'] });
    await route('acme', 'ie1');
    expect(await invite()).toBe(180);
    expect(await w.calls.waiting()).toBe(0);
    expect(await w.ie1Calls.waiting()).toBe(1);
    await route('acme', 'us1');
    expect(await invite()).toBe(403);
  });

  it('takes no user of another Region', async () => {
    await domain('us1', 'acme', { users: [ANN] });
    await domain('ie1', 'acme', { users: [{ ...ANN, password: 'Another-Horse-7' }] });
    await route('acme', 'ie1');
    expect(await inviteAs(ANN)).toBe(407);
    expect(await inviteAs({ ...ANN, password: 'Another-Horse-7' })).toBe(180);
  });

  it('that cannot be read is 503 for its domains alone', async () => {
    await domain('us1', 'acme', { addresses: ['10.0.0.2'] });
    await domain('ie1', 'other', { addresses: ['10.0.0.2'] });
    await route('other', 'ie1');
    w.away.add('ie1');
    expect(await invite({ uri: 'sip:bob@other.sip.twilio.com' })).toBe(503);
    expect(await invite()).toBe(180);
  });

  it('that does not run here is 503', async () => {
    await route('acme', 'au1');
    expect(await invite()).toBe(503);
  });

  it('is not guessed when the route table cannot be read', async () => {
    const lookup = async () => {
      throw new Error('Redis is away');
    };
    w = await world({ lookup: { lookup, close: async () => {} } });
    await domain('us1', 'acme', { addresses: ['10.0.0.2'] });
    expect(await invite()).toBe(503);
  });
});

describe('a domain that takes no call for other reasons', () => {
  it('is not there', async () => {
    expect(await invite()).toBe(404);
  });

  it.each(['suspended', 'closed'] as const)(
    'has a %s account: 603, to those it would let in',
    async (status) => {
      await domain('us1', 'acme', { users: [ANN] });
      w.statuses.set(ACCOUNT, status);
      expect(await invite()).toBe(407);
      expect(await inviteAs(ANN)).toBe(603);
      w.statuses.set(ACCOUNT, 'active');
      w.statuses.set(OTHER_ACCOUNT, status);
      expect(await inviteAs(ANN)).toBe(180);
    },
  );

  it('is secure, and the call came in the clear', async () => {
    await domain('us1', 'acme', { addresses: ['10.0.0.2'] }, { secure: true });
    expect(await invite()).toBe(403);
  });

  it('is a trunk', async () => {
    w = await world();
    expect(await invite({ uri: `sip:${NUMBER}@east.pstn.twilio.com` })).toBe(404);
  });
});

describe('a caller that is refused', () => {
  beforeEach(() => domain('us1', 'acme', { users: [ANN] }));

  it('leaves nothing: no job, no media port, no record', async () => {
    for (let n = 0; n < 20; n++) await invite();
    await inviteAs({ ...ANN, password: 'Wrong-Horse-7' });
    expect(w.relay.legs).toEqual([]);
    expect(w.storage.added).toEqual([]);
    expect(await w.calls.waiting()).toBe(0);
    expect(w.switchboard.live).toBe(0);
    await w.clock.advance(70_000);
    expect(w.agent.census()).toMatchObject({ serverTransactions: 0, dialogs: 0 });
  });

  it('leaves no transaction, no dialog, no timer, as many as there are, and is told once', async () => {
    const bare = await world({ allow: '10.9.9.9' });
    const uris = [DOMAIN_URI, 'sip:bob@nobody.sip.twilio.com', `sip:${NUMBER}@10.0.0.1`];
    const told = [];
    for (const uri of uris) {
      const { peer, clock, agent } = uri === DOMAIN_URI ? w : bare;
      for (let n = 0; n < 200; n++) peer.request('INVITE', { uri, callId: `${uri.length}-${n}` });
      await clock.advance(20);
      expect(agent.census()).toMatchObject({ serverTransactions: 0, dialogs: 0, timers: 0 });
      await clock.advance(40_000);
      told.push(...peer.statuses.splice(0));
      peer.heard.length = 0;
    }
    expect(told).toEqual([407, 404, 403].flatMap((status) => Array.from({ length: 200 }, () => status)));
  });

  it('is told the same word for word when its INVITE comes again, and by another nonce once that is used', async () => {
    const asking = await w.dial({ uri: DOMAIN_URI, callId: 'again' });
    w.peer.send(asking);
    await w.settle();
    expect(w.peer.statuses).toEqual([407, 407]);
    const [first, second] = w.peer.heard;
    expect(second).toEqual(first); // which tells a caller that it is the same: sipp takes another for a refusal
    const challenges = w.peer.lastResponse(407).headers.all('Proxy-Authenticate');
    const answer = answerChallenge(challenges, ANN, { method: 'INVITE', uri: DOMAIN_URI }, 'c0ffee');
    expect(await invite({ callId: 'again', cseq: 2, headers: { 'Proxy-Authorization': answer } })).toBe(180);
    w.peer.send(asking);
    await w.settle();
    expect(w.peer.lastResponse(407).headers.all('Proxy-Authenticate')).not.toEqual(challenges);
  });

  it('after it has proved who it is, is told the same when it repeats itself', async () => {
    w.statuses.set(ACCOUNT, 'suspended');
    await invite({ callId: 'suspended' });
    const challenges = w.peer.lastResponse(407).headers.all('Proxy-Authenticate');
    const answer = answerChallenge(challenges, ANN, { method: 'INVITE', uri: DOMAIN_URI }, 'c');
    const parts = { callId: 'suspended', cseq: 2, headers: { 'Proxy-Authorization': answer } };
    const again = await w.dial({ uri: DOMAIN_URI, ...parts });
    w.peer.heard.length = 0;
    w.peer.send(again);
    await w.settle();
    expect(w.peer.statuses).toEqual([603]);
  });

  it('is counted by what it was told', async () => {
    await inviteAs(ANN);
    await inviteAs({ ...ANN, password: 'Wrong-Horse-7' });
    expect(w.refused).toEqual([407, 407, 407]);
  });

  it('is not asked twice for what it proved: the challenge’s ACK is absorbed, the answer used once', async () => {
    await invite();
    const challenges = w.peer.lastResponse(407).headers.all('Proxy-Authenticate');
    const answer = answerChallenge(challenges, ANN, { method: 'INVITE', uri: DOMAIN_URI }, 'c');
    const headers = { 'Proxy-Authorization': answer };
    expect(await invite({ headers })).toBe(180);
    expect(await invite({ headers })).toBe(407);
    expect(w.peer.lastResponse(407).headers.get('Proxy-Authenticate')).toContain('stale=true');
  });
});

it('lets in every caller with a password, once, while a flood of others comes and every third message is lost', async () => {
  let sent = 0;
  w = await world({ network: { lose: () => ++sent % 3 === 0 } });
  await domain('us1', 'acme', { users: [ANN] });
  const { clock, network } = w;
  const callers = createSipAgent({
    clock,
    ids: new CountingIds(1_000_000),
    logger: silentLogger,
    transports: network,
  });
  const at = { transport: 'udp', host: '10.0.0.7', port: 5060, label: 'callers' } as const;
  const listener = await callers.listen(at);
  const ends: unknown[] = [];
  for (let n = 0; n < 56; n++) {
    for (let flood = 0; flood < 20; flood++) {
      w.peer.request('INVITE', { uri: DOMAIN_URI, callId: `flood-${n}-${flood}`, body: OFFER });
    }
    const from = '<sip:ann@acme.sip.twilio.com>';
    const call = { listener, uri: DOMAIN_URI, destination: DUBLIN, from, body: OFFER, credentials: ANN };
    callers.invite(call).answered.catch(({ cause, status }: SipEnded) => ends.push(`${cause} ${status}`));
    await clock.advance(100);
  }
  await clock.advance(60_000);
  // nobody takes them in this test: each has waited for a worker
  expect(ends).toEqual(Array.from({ length: 56 }, () => 'rejected 503'));
  expect(w.relay.legs).toHaveLength(56);
  await clock.advance(70_000);
  expect(w.agent.census()).toMatchObject({ serverTransactions: 0, dialogs: 0, timers: 0 });
  await callers.close();
});
