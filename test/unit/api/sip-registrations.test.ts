import { beforeEach, describe, expect, it } from 'vitest';
import type { Binding } from '../../../src/config/registrations.ts';
import { type As, codeOf, SipWorld } from './sip-world.ts';
import { ACCOUNT, CREATED, sid } from './support/region.ts';

const PATH = '/trunkline/v1/Registrations';

let sip: SipWorld;
let domain: string;

beforeEach(async () => {
  sip = new SipWorld();
  domain = await sip.domain('ie1', 'acme');
});

const get = (path = PATH, as?: As) => sip.rest.ie1.get(path, as?.login);
const sidOf = (path: string) => path.split('/')[1] ?? '';
const idsOf = (body: { registrations: { sid: string }[] }) => body.registrations.map((one) => one.sid).sort();

/** A device `n` of alice's, registered `n` seconds after noon for an hour. */
async function register(n: number, fields: Partial<Binding> = {}): Promise<Binding> {
  const at = CREATED + n * 1000;
  const binding: Binding = {
    id: sid('RB', n),
    accountSid: ACCOUNT,
    domainSid: sidOf(domain),
    aor: 'alice@acme',
    username: 'alice',
    contact: `sip:alice@192.0.2.${n}:5060`,
    identity: `${n}`,
    callId: 'call',
    cseq: 1,
    path: ['<sip:proxy.example.com;lr>'],
    flow: { edge: 'dublin', process: 'edge-1', transport: 'udp', address: `198.51.100.${n}`, port: 1024 + n },
    userAgent: 'Phone 1.0',
    createdAt: at,
    updatedAt: at,
    expiresAt: at + 3_600_000,
    ...fields,
  };
  await sip.regions.ie1.config.registrations.change(binding.aor, (before) => [...before, binding]);
  return binding;
}

describe('registrations', () => {
  it('are shown with every field', async () => {
    await register(1);
    const shown = {
      sid: sid('RB', 1),
      account_sid: ACCOUNT,
      domain_sid: sidOf(domain),
      domain: 'acme.sip.twilio.com',
      username: 'alice',
      aor: 'sip:alice@acme.sip.twilio.com',
      contact: 'sip:alice@192.0.2.1:5060',
      path: ['<sip:proxy.example.com;lr>'],
      region: 'ie1',
      edge: 'dublin',
      transport: 'udp',
      source_address: '198.51.100.1',
      source_port: 1025,
      user_agent: 'Phone 1.0',
      expires: 3601,
      date_created: '2026-01-15T12:00:01Z',
      date_updated: '2026-01-15T12:00:01Z',
      date_expires: '2026-01-15T13:00:01Z',
      url: `${PATH}/${sid('RB', 1)}`,
    };
    const list = await get();
    expect(list.body).toMatchObject({ page: 0, page_size: 50, next_page_uri: null, registrations: [shown] });
    const one = await get(`${PATH}/${sid('RB', 1)}`);
    expect([one.status, one.body]).toEqual([200, shown]);
    sip.world.clock.tick(600_000);
    expect((await get(`${PATH}/${sid('RB', 1)}`)).body.expires).toBe(3001);
  });

  it('are gone when they expire', async () => {
    await register(1);
    await register(2);
    sip.world.clock.tick(3_601_000);
    expect(idsOf((await get()).body)).toEqual([sid('RB', 2)]);
    expect(codeOf(await get(`${PATH}/${sid('RB', 1)}`))).toEqual([404, 20404]);
    expect(codeOf(await sip.rest.ie1.delete(`${PATH}/${sid('RB', 1)}`))).toEqual([404, 20404]);
  });

  it('are removed one by one', async () => {
    await register(1);
    await register(2);
    expect((await sip.rest.ie1.delete(`${PATH}/${sid('RB', 1)}`)).status).toBe(204);
    expect(codeOf(await sip.rest.ie1.delete(`${PATH}/${sid('RB', 1)}`))).toEqual([404, 20404]);
    expect(idsOf((await get()).body)).toEqual([sid('RB', 2)]);
  });

  it('are filtered by domain, user and address', async () => {
    const east = await sip.domain('ie1', 'east.acme');
    await register(1);
    await register(2, { aor: 'bob@acme', username: 'bob' });
    await register(3, { aor: 'alice@east.acme', domainSid: sidOf(east) });
    const found = async (query: string) => {
      const { body } = await get(`${PATH}?${query}`);
      return body.registrations.map((one: { sid: string }) => Number.parseInt(one.sid.slice(2), 16)).sort();
    };
    expect(await found('')).toEqual([1, 2, 3]);
    for (const name of [
      'acme',
      'ACME',
      'acme.sip.twilio.com',
      'acme.sip.trunkline.localhost',
      sidOf(domain),
    ]) {
      expect(await found(`Domain=${name}`), name).toEqual([1, 2]);
    }
    expect(await found('Domain=east.acme')).toEqual([3]);
    expect(await found('Username=alice')).toEqual([1, 3]);
    expect(await found('Username=Alice')).toEqual([]);
    expect(await found('Domain=acme&Username=alice')).toEqual([1]);
    for (const aor of ['alice@acme', 'sip:alice@acme.sip.twilio.com', 'alice@acme.sip.trunkline.localhost']) {
      expect(await found(`Aor=${encodeURIComponent(aor)}`), aor).toEqual([1]);
    }
    for (const none of [
      'Domain=cme',
      'Domain=unknown',
      'Aor=alice',
      'Aor=%40',
      'Username=%27%3B--',
      'Domain=%00',
    ]) {
      expect(await found(none), none).toEqual([]);
    }
  });

  it('are listed newest first, page by page', async () => {
    for (let n = 1; n <= 5; n++) await register(n, { aor: `user-${n}@acme` });
    const seen: string[] = [];
    for (let next: string | null = `${PATH}?PageSize=2`; next; ) {
      const { body }: { body: { registrations: { sid: string }[]; next_page_uri: string | null } } =
        await get(next);
      seen.push(...body.registrations.map((one) => one.sid));
      next = body.next_page_uri;
    }
    expect(seen).toEqual([5, 4, 3, 2, 1].map((n) => sid('RB', n)));
    expect(codeOf(await get(`${PATH}?PageSize=1001`))).toEqual([400, 20007]);
  });

  it('belong to an account and to a Region', async () => {
    await register(1);
    const other = await sip.stranger();
    expect((await get(PATH, other)).body.registrations).toEqual([]);
    expect(codeOf(await get(`${PATH}/${sid('RB', 1)}`, other))).toEqual([404, 20404]);
    const removal = await sip.rest.ie1.delete(`${PATH}/${sid('RB', 1)}`, other.login);
    expect(codeOf(removal)).toEqual([404, 20404]);
    expect((await sip.rest.us1.get(PATH)).body.registrations).toEqual([]);
    expect(idsOf((await get()).body)).toEqual([sid('RB', 1)]);
  });

  it.each(['RB1', 'x', sid('RB', 9), '%00'])('named %s are 404', async (name) => {
    expect(codeOf(await get(`${PATH}/${name}`))).toEqual([404, 20404]);
  });

  it('go with their domain, and with its old name', async () => {
    const beta = await sip.domain('ie1', 'beta');
    await register(1);
    await register(2, { aor: 'alice@beta', domainSid: sidOf(beta) });
    await sip.post('ie1', domain, { DomainName: 'renamed.sip.twilio.com' });
    expect(idsOf((await get()).body)).toEqual([sid('RB', 2)]);
    await sip.remove('ie1', beta);
    expect((await get()).body.registrations).toEqual([]);
  });
});
