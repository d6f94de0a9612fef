import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryRegionalConfig } from '../../../src/config/memory.ts';
import type { RegionalConfig } from '../../../src/config/port.ts';
import { registeredDevices } from '../../../src/config/registered-address.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import { CountingIds } from '../../../src/core/ids.ts';
import { binding, sipDomain } from '../../support/registrations.ts';

const ACCOUNT = `AC${'a'.repeat(32)}`;
const STRANGER = `AC${'f'.repeat(32)}`;
const SUBACCOUNT = `AC${'5'.repeat(32)}`;
const BASE = 'voice.example.com';

let clock: VirtualClock;
let config: RegionalConfig;

const register = (...bindings: Parameters<typeof binding>[0][]) =>
  Promise.all(
    bindings.map((fields) => {
      const one = binding({ expiresAt: clock.now() + 600_000, ...fields });
      return config.registrations.change(one.aor, (before) => [...before, one]);
    }),
  );

async function call(uri: string, accountSid = ACCOUNT, asksEgress = false) {
  return registeredDevices(
    { uri, accountSid, asksEgress },
    {
      config,
      domain: BASE,
      related: async (...pair) => pair.includes(SUBACCOUNT),
      domainRelated: async (name, sid) => name === 'abroad' && sid !== STRANGER,
    },
  );
}

async function found(uri: string, accountSid?: string) {
  const result = await call(uri, accountSid);
  if (!result || 'code' in result) throw new Error(`nobody was found: ${result?.message}`);
  return result;
}

beforeEach(async () => {
  clock = new VirtualClock();
  config = createMemoryRegionalConfig('ie1', { clock, ids: new CountingIds() });
  await config.records.domains.create(sipDomain({ accountSid: ACCOUNT, name: 'acme' }));
});

describe('an address that is called', () => {
  it('is that of every device registered under it, in the order in which they came', async () => {
    await register({ flow: { edge: 'dublin', port: 1 } }, { flow: { edge: 'tokyo', port: 2 } });
    const { address, bindings, notes } = await found(`sip:alice@acme.sip.${BASE}`);
    expect(address).toBe('sip:alice@acme.sip.twilio.com');
    expect(bindings.map(({ flow }) => [flow.edge, flow.port])).toEqual([
      ['dublin', 1],
      ['tokyo', 2],
    ]);
    expect(notes).toEqual([
      '2 devices are registered under this address: 198.51.100.7:1 (udp, dublin), 198.51.100.7:2 (udp, tokyo)',
    ]);
  });

  it.each([`acme.sip.${BASE}`, 'acme.sip.twilio.com', 'ACME.SIP.Twilio.com'])(
    'has the host %s',
    async (host) => {
      await register({});
      expect((await found(`sip:alice@${host}`)).bindings).toHaveLength(1);
    },
  );

  it('is not that of devices which a deleted domain of this name left, maybe somebody else’s', async () => {
    const former = { accountSid: STRANGER, domainSid: `SD${'f'.repeat(32)}` };
    await register(former);
    expect(await call(`sip:alice@acme.sip.${BASE}`)).toMatchObject({ code: 32009 });
    await register({ flow: { port: 7 } });
    expect((await found(`sip:alice@acme.sip.${BASE}`)).bindings.map(({ flow }) => flow.port)).toEqual([7]);
  });

  it('may be of a sub-domain, and of a user whose name must be escaped', async () => {
    await config.records.domains.create(sipDomain({ accountSid: ACCOUNT, name: 'east.acme' }));
    await register({ aor: 'zoë k@east.acme' });
    const { address } = await found('sip:zo%C3%AB%20k@east.acme.sip.twilio.com');
    expect(address).toBe('sip:zo%C3%AB%20k@east.acme.sip.twilio.com');
  });

  it.each([
    'sip:bob@pbx.example.com',
    'sip:bob@10.0.0.3:5080',
    `sip:bob@pbx.${BASE}`, // a telephone system of ours under our own domain
    `sip:bob@${BASE}`,
    'sip:bob@sip.dublin.twilio.com',
    'sip:+12025550143@acme.pstn.twilio.com',
  ])('is not %s', async (uri) => {
    expect(await call(uri)).toBeUndefined();
  });

  it('its edge, region and tnx parameters are ignored, which is noted', async () => {
    await register({});
    const result = await call('sip:alice@acme.sip.twilio.com', ACCOUNT, true);
    expect(result).toMatchObject({
      bindings: [{}],
      notes: [expect.any(String), expect.stringContaining('edge, region and tnx')],
    });
  });
});

describe('nobody is called', () => {
  const at = (host: string) => `sip:alice@${host}`;

  it.each([
    [
      'an edge in the host',
      at('acme.sip.dublin.twilio.com'),
      32220,
      'error',
      'sip:alice@acme.sip.twilio.com',
    ],
    [
      'a private edge in the host',
      at('acme.sip.london-ix.twilio.com'),
      32220,
      'error',
      'sip:alice@acme.sip.twilio.com',
    ],
    [
      'a legacy label other than us1',
      at('acme.sip.ie1.twilio.com'),
      32220,
      'error',
      'sip:alice@acme.sip.twilio.com',
    ],
    [
      'an edge and a domain that is not there',
      at('nope.sip.dublin.twilio.com'),
      32220,
      'error',
      'sip:alice@nope.sip',
    ],
    ['a domain that is not there', at('nope.sip.twilio.com'), 32002, 'warning', 'create the domain in ie1'],
    ['a label that is no edge', at('acme.sip.mars.twilio.com'), 32002, 'warning', 'mars'],
    ['no user', 'sip:acme.sip.twilio.com', 32223, 'error', 'sip:user@acme.sip.twilio.com'],
    [
      'nobody registered',
      at('acme.sip.twilio.com'),
      32009,
      'warning',
      'make the call in the Region it is routed to',
    ],
    [
      'nobody at the legacy edge',
      at('acme.sip.us1.twilio.com'),
      32221,
      'error',
      'sip:alice@acme.sip.twilio.com',
    ],
  ] as const)('%s', async (_, uri, code, level, says) => {
    expect(await call(uri)).toMatchObject({ code, level, message: expect.stringContaining(says) });
  });

  it('an unrelated account, whether somebody is registered or not: 32214', async () => {
    expect(await call('sip:alice@acme.sip.twilio.com', STRANGER)).toMatchObject({
      code: 32214,
      level: 'warning',
    });
    await register({});
    expect(await call('sip:alice@acme.sip.twilio.com', STRANGER)).toMatchObject({ code: 32214 });
    expect((await found('sip:alice@acme.sip.twilio.com', SUBACCOUNT)).bindings).toHaveLength(1);
  });

  it('who was registered until now: 32009', async () => {
    await register({ expiresAt: clock.now() + 600_000 });
    await clock.advance(600_000);
    expect(await call('sip:alice@acme.sip.twilio.com')).toMatchObject({ code: 32009 });
  });

  it('whose domain is in other Regions only: 32009, and 32002 for whom it is a stranger’s', async () => {
    expect(await call('sip:alice@abroad.sip.twilio.com')).toMatchObject({ code: 32009 });
    expect(await call('sip:alice@abroad.sip.twilio.com', STRANGER)).toMatchObject({ code: 32002 });
  });

  it('who is registered in another Region: 32009', async () => {
    const us1 = createMemoryRegionalConfig('us1', { clock });
    await us1.registrations.change('alice@acme', () => [binding({ expiresAt: clock.now() + 600_000 })]);
    expect(await call('sip:alice@acme.sip.twilio.com')).toMatchObject({ code: 32009 });
  });

  it('asked for encryption, devices that are registered without: 32209', async () => {
    await register({});
    for (const uri of [
      'sip:alice@acme.sip.twilio.com;secure=true',
      'sip:alice@acme.sip.twilio.com;transport=tls',
    ])
      expect(await call(uri)).toMatchObject({ code: 32209, level: 'error' });
    await register({ flow: { transport: 'tls' } });
    const { bindings } = await found('sip:alice@acme.sip.twilio.com;secure=true');
    expect(bindings.map(({ flow }) => flow.transport)).toEqual(['tls']);
  });
});

it.each([
  ['us1', 'ashburn'],
  ['us1-ix', 'ashburn-ix'],
] as const)('the legacy label %s means the devices registered through %s', async (label, edge) => {
  await register({ flow: { edge: 'dublin' } }, { flow: { edge } });
  const { bindings } = await found(`sip:alice@acme.sip.${label}.twilio.com`);
  expect(bindings.map(({ flow }) => flow.edge)).toEqual([edge]);
});
