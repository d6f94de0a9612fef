import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.ts';
import type { RegionId } from '../../../src/region/region.ts';
import { createMemoryRoutes } from '../../../src/routing/memory.ts';
import type { RouteDecision } from '../../../src/routing/port.ts';
import { sipDomain } from '../../support/registrations.ts';
import { DOMAIN_SID, mapUsers } from '../../support/sip-domain.ts';
import {
  ACCOUNT,
  AOR,
  contactsIn,
  type RegisterParts,
  registrarWorld,
  sourceAt,
  USERS,
} from './registrar-world.ts';

const BOB = { username: 'bob', password: USERS.bob };
const CONTACT = '<sip:ann@192.168.1.20:5062>';

async function decision(region: RegionId): Promise<RouteDecision> {
  const { lookup } = createMemoryRoutes({ clock: new VirtualClock() });
  return { ...(await lookup.lookup('sip-domain', 'acme')), region };
}

describe('a REGISTER', () => {
  test('is challenged with 401, and stored when the password is right', async () => {
    const w = await registrarWorld();
    const challenged = await w.send();
    expect(challenged.status).toBe(401);
    expect([challenged.headers?.['WWW-Authenticate']].flat()[0]).toContain('realm="sip.twilio.com"');
    expect(await w.configs.us1.registrations.bindings(AOR)).toEqual([]);
    const answer = await w.register({ headers: { 'User-Agent': 'Phone/1.0', Expires: '900' } });
    expect(answer.status).toBe(200);
    expect(contactsIn(answer)).toEqual([`${CONTACT};expires=900`]);
    expect(answer.headers?.['Date']).toBe('Thu, 01 Jan 2026 00:00:00 GMT');
    expect(await w.configs.us1.registrations.bindings(AOR)).toEqual([
      expect.objectContaining({
        accountSid: ACCOUNT,
        domainSid: DOMAIN_SID,
        aor: AOR,
        username: 'ann',
        contact: 'sip:ann@192.168.1.20:5062',
        userAgent: 'Phone/1.0',
        path: [],
        flow: { edge: 'dublin', process: 'edge-1', transport: 'udp', address: '198.51.100.7', port: 40_000 },
        createdAt: w.clock.now(),
        expiresAt: w.clock.now() + 900_000,
      }),
    ]);
  });

  test.each<[string, RegisterParts]>([
    ['a host without an edge', {}],
    ['a host with an edge', { uri: 'sip:acme.sip.sydney.trunkline.localhost' }],
    ['a host with a legacy edge', { uri: 'sip:acme.sip.de1.trunkline.localhost' }],
    ['Twilio’s base', { uri: 'sip:acme.sip.twilio.com', to: 'sip:ann@acme.sip.twilio.com' }],
    ['an edge in To', { to: 'sip:ann@acme.sip.dublin.trunkline.localhost' }],
    ['the proxy as Request-URI', { uri: 'sip:sip.dublin.trunkline.localhost' }],
    ['the proxy without an edge', { uri: 'sip:sip.trunkline.localhost:5060' }],
    ['the proxy as Route', { headers: { Route: '<sip:sip.dublin.trunkline.localhost;lr>' } }],
    ['our address as Request-URI', { uri: 'sip:10.0.0.1:5060' }],
  ])('takes %s', async (_, parts) => {
    const w = await registrarWorld();
    expect((await w.register(parts)).status).toBe(200);
    expect(await w.configs.us1.registrations.bindings(AOR)).toHaveLength(1);
  });

  test.each<[string, number, RegisterParts]>([
    ['another domain in To', 404, { to: 'sip:ann@other.sip.trunkline.localhost' }],
    [
      'a domain that there is not',
      404,
      {
        uri: 'sip:nope.sip.trunkline.localhost',
        to: 'sip:ann@nope.sip.trunkline.localhost',
      },
    ],
    ['To at somebody else’s host', 404, { to: 'sip:ann@example.com' }],
    ['a trunk', 404, { uri: 'sip:acme.pstn.twilio.com', to: 'sip:ann@acme.pstn.twilio.com' }],
    ['a Region in the host', 404, { uri: 'sip:acme.sip.dublin.ie1.trunkline.localhost' }],
    ['somebody else’s address', 404, { uri: 'sip:192.0.2.1' }],
    ['To that is a telephone number', 404, { to: 'tel:+12025550143' }],
    [
      'a sips: address without TLS',
      416,
      {
        uri: 'sips:acme.sip.trunkline.localhost',
        to: 'sips:ann@acme.sip.trunkline.localhost',
      },
    ],
  ])('refuses %s', async (_, status, parts) => {
    const w = await registrarWorld();
    expect((await w.register(parts)).status).toBe(status);
  });
});

describe('who may register', () => {
  test('unknown users, wrong passwords and users of no list get the same answer', async () => {
    const w = await registrarWorld();
    const attempts = await Promise.all(
      [
        { username: 'ann', password: 'wrong' },
        { username: 'nobody', password: 'wrong' },
        { username: '', password: '' },
      ].map((credentials) => w.register({ credentials })),
    );
    const shape = attempts.map(({ status, headers, phrase }) => ({
      status,
      phrase,
      names: Object.keys(headers ?? {}),
      lines: [headers?.['WWW-Authenticate'] ?? []].flat().map((line) => line.replace(/nonce="\w+"/, '')),
    }));
    expect(shape[0]?.status).toBe(401);
    expect(new Set(shape.map((one) => JSON.stringify(one))).size).toBe(1);
  });

  test('a user registers under its own name only: 403 (32106)', async () => {
    const w = await registrarWorld();
    expect((await w.register({ credentials: BOB })).status).toBe(403);
    expect((await w.register({ to: 'sip:Ann@acme.sip.trunkline.localhost' })).status).toBe(403);
    expect((await w.register({ to: 'sip:acme.sip.trunkline.localhost' })).status).toBe(403);
    expect(await w.configs.us1.registrations.list({ domainSid: DOMAIN_SID })).toEqual([]);
    const escaped = await w.register({ to: 'sip:%61nn@acme.sip.trunkline.localhost' });
    expect(escaped.status).toBe(200); // RFC 3261 §19.1.4: the same user
  });

  test('a domain that takes no registrations: 403 without a challenge (32210)', async () => {
    const w = await registrarWorld();
    await w.configs.us1.records.domains.change(DOMAIN_SID, (d) => ({ ...d, sipRegistration: false }));
    expect((await w.send()).status).toBe(403);
  });

  test('lists mapped for calls let nobody register: 403 (32212)', async () => {
    const w = await registrarWorld();
    await w.configs.us1.records.mappings.remove('M-registrations');
    await mapUsers(w.configs.us1, ACCOUNT, 'calls');
    expect((await w.send()).status).toBe(403);
  });

  test.each(['suspended', 'closed'] as const)(
    'an account that is %s: 403, to its users only',
    async (status) => {
      const w = await registrarWorld();
      w.status.account = status;
      expect((await w.send()).status).toBe(401);
      expect((await w.register()).status).toBe(403);
    },
  );
});

describe('what is kept for repetitions', () => {
  test('nothing of a challenge or a refusal before it, for those are asked anew', async () => {
    const w = await registrarWorld();
    const wrong = { credentials: { username: 'ann', password: 'wrong' } };
    const elsewhere = { to: 'sip:ann@nobody.sip.twilio.com', uri: 'sip:nobody.sip.twilio.com' };
    const answers = [await w.send(), await w.register(wrong), await w.send(elsewhere)];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 404]);
    expect(answers.every(({ stateless }) => stateless)).toBe(true);
  });

  test('whatever a user was told, whose answer to the challenge is used up', async () => {
    const w = await registrarWorld();
    const brief = { headers: { Expires: '60' } };
    const answers = [await w.register(), await w.register({ credentials: BOB }), await w.register(brief)];
    w.status.account = 'suspended';
    answers.push(await w.register());
    expect(answers.map(({ status }) => status)).toEqual([200, 403, 423, 403]);
    expect(answers.some(({ stateless }) => stateless)).toBe(false);
  });
});

/** A world whose first REGISTER that was let in waits before it is stored. */
async function heldWorld() {
  let arrived = () => {};
  let release = () => {};
  const waits = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const goes = new Promise<void>((resolve) => {
    release = resolve;
  });
  const w = await registrarWorld({
    wrap: (there) => ({
      ...there,
      registrations: {
        ...there.registrations,
        async change(aor, next) {
          arrived();
          await goes;
          return there.registrations.change(aor, next);
        },
      },
    }),
  });
  return { w, waits, release };
}

describe('while a device registers', () => {
  test('its domain is re-routed: it is where it was let in, and where it belongs with its next REGISTER', async () => {
    const { w, waits, release } = await heldWorld();
    await w.saveDomain('ie1');
    const late = w.register({ callId: 'phone' });
    await waits;
    await w.route('ie1');
    release();
    expect((await late).status).toBe(200);
    expect(await w.configs.us1.registrations.bindings(AOR)).toHaveLength(1);
    expect(await w.configs.ie1.registrations.bindings(AOR)).toEqual([]);
    expect((await w.register({ callId: 'phone' })).status).toBe(200);
    expect(await w.configs.ie1.registrations.bindings(AOR)).toHaveLength(1);
    await w.clock.advance(3_600_000);
    expect(await w.configs.us1.registrations.bindings(AOR)).toEqual([]);
  });

  test('its domain is deleted: nothing is left to one of the same name, in no answer and among no devices', async () => {
    const { w, waits, release } = await heldWorld();
    const late = w.register({ contacts: ['<sip:ann@192.168.1.66>'], callId: 'late' });
    await waits;
    await w.configs.us1.records.domains.remove(DOMAIN_SID);
    const other = { sid: `SD${'2'.repeat(32)}`, accountSid: `AC${'2'.repeat(32)}` };
    await w.configs.us1.records.domains.create(sipDomain({ name: 'acme', ...other }));
    await mapUsers(w.configs.us1, other.accountSid, 'registrations', other.sid);
    release();
    expect((await late).status).toBe(200); // it was, when it was let in
    expect(await w.configs.us1.registrations.bindings(AOR)).toHaveLength(1);
    expect(contactsIn(await w.register({ contacts: [] }))).toEqual([]);
    const mine = await w.register({ contacts: ['<sip:ann@192.168.1.20>'] });
    expect(contactsIn(mine)).toHaveLength(1);
    expect(await w.configs.us1.registrations.bindings(AOR)).toMatchObject([
      { domainSid: other.sid, contact: 'sip:ann@192.168.1.20' },
    ]);
  });
});

describe('the Region', () => {
  test('holds the registrations of the domains active in it; a re-route moves none', async () => {
    const w = await registrarWorld();
    await w.saveDomain('ie1');
    await w.route('ie1');
    expect((await w.register()).status).toBe(200);
    expect(await w.configs.us1.registrations.bindings(AOR)).toEqual([]);
    expect(await w.configs.ie1.registrations.bindings(AOR)).toHaveLength(1);
    await w.route('us1');
    expect(contactsIn(await w.register({ contacts: [] }))).toEqual([]);
    await w.register({ contacts: ['<sip:ann@192.168.1.21>'] });
    expect(await w.configs.us1.registrations.bindings(AOR)).toHaveLength(1);
    expect(await w.configs.ie1.registrations.bindings(AOR)).toHaveLength(1);
    await w.clock.advance(3_600_000);
    expect(await w.configs.ie1.registrations.bindings(AOR)).toEqual([]);
  });

  test('a domain that is not in the Region it is routed to: 404, though another has it', async () => {
    const w = await registrarWorld();
    await w.route('ie1');
    expect((await w.send()).status).toBe(404);
  });

  test('a table or a Region that cannot be read: 503 with Retry-After, never another Region', async () => {
    const away = await registrarWorld({ lookup: () => Promise.reject(new Error('no table')) });
    const dark = await registrarWorld({
      wrap: (there) => ({
        ...there,
        registrations: { ...there.registrations, change: () => Promise.reject(new Error('no store')) },
      }),
    });
    const elsewhere = await registrarWorld({
      lookup: () => decision('au1'),
    });
    for (const w of [away, dark, elsewhere]) {
      const answer = await w.register();
      expect(answer.status).toBe(503);
      expect(answer.headers?.['Retry-After']).toMatch(/^\d+$/);
    }
  });
});

describe('limits', () => {
  test('ten devices; the eleventh is 403 (32007) while the ten refresh', async () => {
    const w = await registrarWorld();
    const contact = (n: number) => `<sip:ann@192.168.1.${n}>`;
    for (let n = 1; n <= 10; n++) {
      expect((await w.register({ contacts: [contact(n)], callId: `phone-${n}` })).status).toBe(200);
      await w.clock.advance(1_000);
    }
    expect((await w.register({ contacts: [contact(11)], callId: 'phone-11' })).status).toBe(403);
    expect(contactsIn(await w.register({ contacts: [contact(3)], callId: 'phone-3' }))).toHaveLength(10);
    await w.clock.advance(1_000);
    const swap = { contacts: [`${contact(1)};expires=0`, contact(11)], callId: 'phone-x' };
    expect(contactsIn(await w.register(swap))).toHaveLength(10);
    await w.clock.advance(3_600_000);
    expect(contactsIn(await w.register({ contacts: [contact(12)] }))).toEqual([
      `${contact(12)};expires=3600`,
    ]);
  });

  test('five REGISTERs a second of an address: more are 503 with Retry-After (32008); strangers use up nothing', async () => {
    const w = await registrarWorld();
    for (let n = 0; n < 50; n++) await w.send();
    for (let n = 0; n < 5; n++) expect((await w.register()).status).toBe(200);
    const sixth = await w.register();
    expect([sixth.status, sixth.headers?.['Retry-After']]).toEqual([503, '1']);
    const bob = { to: 'sip:bob@acme.sip.trunkline.localhost', credentials: BOB };
    expect((await w.register(bob)).status).toBe(200);
    await w.clock.advance(1_000);
    expect((await w.register()).status).toBe(200);
  });

  test('no more REGISTERs wait for a Region than a process can hold', async () => {
    let answer = () => {};
    const w = await registrarWorld({
      mostAtOnce: 2,
      lookup: () =>
        new Promise((resolve) => {
          answer = () => resolve(decision('us1'));
        }),
    });
    const waiting = [w.send(), w.send()];
    expect((await w.send()).status).toBe(503);
    answer();
    expect((await waiting[1])?.status).toBe(401);
    const next = w.send();
    answer();
    expect((await next).status).toBe(401);
  });
});

describe('a connection that closes', () => {
  const tcp = (port: number, open?: boolean) => sourceAt(port, { transport: 'tcp' }, open);

  test('leaves its bindings, out of reach, until they expire or make room', async () => {
    const w = await registrarWorld();
    for (let n = 1; n <= 10; n++) {
      await w.register(
        { contacts: [`<sip:ann@10.1.1.${n};transport=tcp>`], callId: `${n}` },
        tcp(50_000 + n),
      );
      await w.clock.advance(1_000);
    }
    await w.registrar.disconnected(tcp(50_004));
    await w.registrar.disconnected(tcp(59_999)); // nobody registered over that one
    const bindings = await w.configs.us1.registrations.bindings(AOR);
    expect(bindings.filter(({ flow }) => flow.lost).map(({ flow }) => flow.port)).toEqual([50_004]);
    const answer = await w.register(
      { contacts: ['<sip:ann@10.1.1.11;transport=tcp>'], callId: 'x' },
      tcp(50_011),
    );
    expect(contactsIn(answer)).toHaveLength(10);
    expect(contactsIn(answer).join()).not.toContain('10.1.1.4;');
  });

  test('a device that comes back is in reach again', async () => {
    const w = await registrarWorld();
    await w.register({}, tcp(50_001));
    await w.registrar.disconnected(tcp(50_001));
    await w.register({}, tcp(50_002));
    const [binding, ...more] = await w.configs.us1.registrations.bindings(AOR);
    expect([binding?.flow.port, binding?.flow.lost, more]).toEqual([50_002, undefined, []]);
    await w.registrar.disconnected(tcp(50_001)); // the old one, told again: not this one's
    expect((await w.configs.us1.registrations.bindings(AOR))[0]?.flow.lost).toBeUndefined();
  });

  test('while it registers is noted, too', async () => {
    const w = await registrarWorld();
    await w.register({}, tcp(50_001, false));
    expect((await w.configs.us1.registrations.bindings(AOR))[0]?.flow.lost).toBe(true);
  });
});

test('REGISTERs of one address at once are as one after the other', async () => {
  const w = await registrarWorld();
  const answers = await Promise.all(
    [1, 2, 3, 4, 5].map((n) => w.register({ contacts: [`<sip:ann@10.1.1.${n}>`], callId: `${n}` })),
  );
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  expect(await w.configs.us1.registrations.bindings(AOR)).toHaveLength(5);
});
