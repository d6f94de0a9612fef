import { beforeEach, describe, expect, it } from 'vitest';
import { ACCOUNT_LIMITS } from '../../../src/api/limits.ts';
import type { CallOrder } from '../../../src/call/orders.ts';
import { ACCOUNT, RegionWorld, sid, World } from './support/region.ts';
import { Rest } from './support/rest.ts';

const ACCOUNTS = '/2010-04-01/Accounts';
const one = (accountSid: string) => `${ACCOUNTS}/${accountSid}.json`;

let world: World;
let ie1Region: RegionWorld;
let ie1: Rest;
let us1: Rest;

beforeEach(() => {
  world = new World();
  ie1Region = new RegionWorld('ie1', world);
  ie1 = new Rest(ie1Region);
  us1 = new Rest(new RegionWorld('us1', world));
});

describe('the first account', () => {
  it('is there without being created, with the token of this Region', async () => {
    const { status, body } = await ie1.get(one(ACCOUNT));
    expect(status).toBe(200);
    expect(body).toEqual({
      auth_token: 'token-of-ie1',
      date_created: 'Thu, 15 Jan 2026 12:00:00 +0000',
      date_updated: 'Thu, 15 Jan 2026 12:00:00 +0000',
      friendly_name: 'Trunkline',
      owner_account_sid: ACCOUNT,
      sid: ACCOUNT,
      status: 'active',
      subresource_uris: expect.objectContaining({
        calls: `${ACCOUNTS}/${ACCOUNT}/Calls.json`,
        signing_keys: `${ACCOUNTS}/${ACCOUNT}/SigningKeys.json`,
      }),
      type: 'Full',
      uri: one(ACCOUNT),
    });
    expect((await us1.get(one(ACCOUNT))).body.auth_token).toBe('token-of-us1');
  });

  it('is renamed, everywhere', async () => {
    world.clock.tick(60_000);
    const { body } = await ie1.post(one(ACCOUNT), { FriendlyName: 'Tours' });
    expect(body).toMatchObject({ friendly_name: 'Tours', status: 'active' });
    expect((await us1.get(one(ACCOUNT))).body.friendly_name).toBe('Tours');
  });

  it.each(['suspended', 'closed', 'active'])('cannot be made %s through the API: 21477', async (status) => {
    const response = await ie1.post(one(ACCOUNT), { Status: status });
    expect([response.status, response.body.code]).toEqual([400, 21477]);
    expect((await ie1.get(one(ACCOUNT))).body.status).toBe('active');
  });
});

describe('a subaccount', () => {
  it('is created in one Region and known in all, with a token of its own in each', async () => {
    const created = await ie1.post(`${ACCOUNTS}.json`, { FriendlyName: 'Cork' });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({
      friendly_name: 'Cork',
      owner_account_sid: ACCOUNT,
      status: 'active',
    });
    const inAmerica = await us1.get(one(created.body.sid));
    expect(inAmerica.body).toMatchObject({ sid: created.body.sid, friendly_name: 'Cork' });
    expect(inAmerica.body.auth_token).not.toBe(created.body.auth_token);
    const login = [created.body.sid, created.body.auth_token] as const;
    expect((await ie1.get(one(created.body.sid), login)).status).toBe(200);
    expect((await us1.get(one(created.body.sid), login)).status).toBe(401);
  });

  it('has a name of its making when nobody names it', async () => {
    expect((await ie1.post(`${ACCOUNTS}.json`)).body.friendly_name).toBe(
      'SubAccount Created at 2026-01-15 12:00 pm',
    );
  });

  it('has no subaccounts: 20010', async () => {
    const { login } = await ie1.subaccount();
    const response = await ie1.post(`${ACCOUNTS}.json`, {}, login);
    expect([response.status, response.body.code]).toEqual([403, 20010]);
  });

  it('is refused with 20002 when its name is longer than 64 characters', async () => {
    const response = await ie1.post(`${ACCOUNTS}.json`, { FriendlyName: 'x'.repeat(65) });
    expect([response.status, response.body.code]).toEqual([400, 20002]);
  });

  it('is refused with 21480 when there are as many as there may be', async () => {
    await ie1.get(one(ACCOUNT));
    for (let n = 0; n < ACCOUNT_LIMITS.subaccounts; n++) {
      await world.accounts.create({
        sid: sid('AC', 10_000 + n),
        ownerAccountSid: ACCOUNT,
        friendlyName: '',
        status: 'closed',
        createdAt: n,
        updatedAt: n,
      });
    }
    expect((await ie1.post(`${ACCOUNTS}.json`)).body.code).toBe(21480);
  });
});

describe('the list', () => {
  beforeEach(async () => {
    for (const name of ['Cork', 'Galway', 'Cork']) {
      world.clock.tick(1_000);
      await ie1.subaccount(name);
    }
  });

  const names = async (query = '', rest = us1) =>
    (await rest.get(`${ACCOUNTS}.json${query}`)).body.accounts.map(
      ({ friendly_name }: { friendly_name: string }) => friendly_name,
    );

  it('has the account and its subaccounts, the newest first, in every Region', async () => {
    expect(await names()).toEqual(['Cork', 'Galway', 'Cork', 'Trunkline']);
  });

  it('is filtered by FriendlyName and Status', async () => {
    expect(await names('?FriendlyName=Cork')).toEqual(['Cork', 'Cork']);
    const { body } = await ie1.get(`${ACCOUNTS}.json?FriendlyName=Galway`);
    await ie1.post(one(body.accounts[0].sid), { Status: 'suspended' });
    expect(await names('?Status=suspended')).toEqual(['Galway']);
    expect(await names('?Status=active')).toHaveLength(3);
    expect((await ie1.get(`${ACCOUNTS}.json?Status=gone`)).body.code).toBe(20001);
  });

  it('has pages', async () => {
    const { body } = await ie1.get(`${ACCOUNTS}.json?PageSize=3`);
    expect(body).toMatchObject({ page_size: 3, start: 0, end: 2 });
    const next = (await ie1.get(body.next_page_uri)).body;
    expect(next.accounts.map(({ sid: found }: { sid: string }) => found)).toEqual([ACCOUNT]);
    expect(next.next_page_uri).toBeNull();
  });

  it('of a subaccount has itself alone', async () => {
    const { sid: own, login } = await ie1.subaccount('Kerry');
    const { body } = await ie1.get(`${ACCOUNTS}.json`, login);
    expect(body.accounts.map(({ sid: found }: { sid: string }) => found)).toEqual([own]);
  });
});

describe('the status', () => {
  const calls = (accountSid: string) => `${ACCOUNTS}/${accountSid}/Calls.json`;

  it.each(['suspended', 'closed'])('%s: its credentials are refused, its parent reads it', async (status) => {
    const { sid: own, login } = await ie1.subaccount();
    const key = await ie1.key(own, login);
    const changed = await ie1.post(one(own), { Status: status });
    expect(changed.body.status).toBe(status);
    for (const credentials of [login, key]) {
      const refused = await ie1.get(calls(own), credentials);
      expect([refused.status, refused.body.code]).toEqual([403, 20005]);
      expect(refused.body.message).toContain(status);
    }
    expect((await ie1.get(one(own))).body.status).toBe(status);
    expect((await ie1.get(calls(own))).status).toBe(200);
    const written = await ie1.post(`${ACCOUNTS}/${own}/Keys.json`);
    expect([written.status, written.body.code]).toEqual([403, 20005]);
  });

  it.each(['suspended', 'closed'])('%s: its live calls go on until its parent ends them', async (status) => {
    const { sid: own, login } = await ie1.subaccount();
    const call = await ie1Region.addCall(7, { account_sid: own, status: 'in-progress', worker: 'w1' });
    const orders: CallOrder[] = [];
    ie1Region.orders.receiver.receive('w1', async (order) => {
      orders.push(order);
      await ie1Region.store.save({ ...call, status: 'completed' });
      return { ok: true };
    });
    await ie1.post(one(own), { Status: status });
    expect(orders).toEqual([]);
    const path = `${ACCOUNTS}/${own}/Calls/${call.sid}.json`;
    const document = await ie1.post(path, { Twiml: '<Response/>' });
    expect([document.status, document.body.code]).toEqual([403, 20005]);
    const itself = await ie1.post(path, { Status: 'completed' }, login);
    expect([itself.status, itself.body.code]).toEqual([403, 20005]);
    const both = await ie1.post(path, { Status: 'completed', Twiml: '<Response/>' });
    expect([both.status, both.body.code]).toEqual([400, 20001]);
    expect(orders).toEqual([]);
    await ie1.post(path, { Status: 'completed' });
    expect(orders).toEqual([{ kind: 'end', callSid: call.sid, status: 'completed' }]);
  });

  it("closed: its numbers are released everywhere, and nobody else's", async () => {
    const { sid: own, login } = await ie1.subaccount();
    const numbers = (accountSid: string) => `${ACCOUNTS}/${accountSid}/IncomingPhoneNumbers.json`;
    const voice = { VoiceUrl: 'https://example.com/voice' };
    for (const PhoneNumber of ['+35315550101', '+35315550102']) {
      expect((await ie1.post(numbers(own), { PhoneNumber, ...voice }, login)).status).toBe(201);
    }
    await ie1.post(numbers(ACCOUNT), { PhoneNumber: '+35315550103', ...voice });
    const [{ sid: number }] = (await ie1.get(numbers(own))).body.incoming_phone_numbers;
    await ie1.post(one(own), { Status: 'suspended' });
    expect(await world.ownership.byNumber('+35315550101')).toBeDefined();
    await ie1.post(one(own), { Status: 'closed' });
    expect(await world.ownership.list(own)).toEqual([]);
    expect(await world.ownership.byNumber('+35315550101')).toBeUndefined();
    expect(await world.routeOf('+35315550102')).toBeUndefined();
    expect(await ie1Region.config.number(number)).toBeUndefined();
    expect((await us1.get(numbers(own))).body.incoming_phone_numbers).toEqual([]);
    expect(await world.numbers()).toEqual(['+35315550103']);
  });

  it('closed: what cannot be released now is told, and released the next time', async () => {
    const { sid: own, login } = await ie1.subaccount();
    await ie1.post(
      `${ACCOUNTS}/${own}/IncomingPhoneNumbers.json`,
      { PhoneNumber: '+35315550101', VoiceUrl: 'https://example.com/voice' },
      login,
    );
    const release = async () => {
      throw new Error('the global Redis is away');
    };
    const failing = new Rest(ie1Region, { ownership: { ...world.ownership, release } });
    expect((await failing.post(one(own), { Status: 'closed' })).status).toBeGreaterThanOrEqual(500);
    expect((await ie1.get(one(own))).body.status).toBe('active');
    expect((await ie1.post(one(own), { Status: 'closed' })).body.status).toBe('closed');
    expect(await world.ownership.list(own)).toEqual([]);
  });

  it('holds in another Region within two seconds', async () => {
    const { sid: own } = await ie1.subaccount();
    const login = [own, (await us1.get(one(own))).body.auth_token] as const;
    expect((await us1.get(calls(own), login)).status).toBe(200);
    await ie1.post(one(own), { Status: 'suspended' });
    await world.clock.advance(2_000);
    expect((await us1.get(calls(own), login)).status).toBe(403);
    await ie1.post(one(own), { Status: 'active' });
    await world.clock.advance(2_000);
    expect((await us1.get(calls(own), login)).status).toBe(200);
  });

  it('closed is final: 21479', async () => {
    const { sid: own } = await ie1.subaccount();
    await ie1.post(one(own), { Status: 'closed' });
    for (const status of ['active', 'suspended', 'closed']) {
      expect((await ie1.post(one(own), { Status: status })).body.code).toBe(21479);
    }
  });

  it('is one of three: 21475', async () => {
    const { sid: own } = await ie1.subaccount();
    expect((await ie1.post(one(own), { Status: 'Closed' })).body.code).toBe(21475);
  });

  it('is changed by the parent alone: 20006', async () => {
    const { sid: own, login } = await ie1.subaccount();
    const response = await ie1.post(one(own), { Status: 'suspended' }, login);
    expect([response.status, response.body.code]).toEqual([403, 20006]);
    expect((await ie1.post(one(own), { FriendlyName: 'Mine' }, login)).body.friendly_name).toBe('Mine');
  });
});

describe('when the global store cannot be read', () => {
  it('the last status known stays valid, and the first account is active', async () => {
    const region = new RegionWorld('ie1', world);
    let down = false;
    let hanging = false;
    const failing = {
      ...world.accounts,
      fetch: async (accountSid: string) => {
        if (hanging) return new Promise<never>(() => {});
        if (down) throw new Error('the Redis of us1 is down');
        return world.accounts.fetch(accountSid);
      },
    };
    const rest = new Rest(region, { accounts: failing });
    const known = await rest.subaccount('known');
    const suspended = await rest.subaccount('suspended');
    await rest.post(one(suspended.sid), { Status: 'suspended' });
    const unknown = await new Rest(region).subaccount('never seen');
    down = true;
    await world.clock.advance(60_000);
    const status = async ({ sid: own, login }: typeof known) =>
      (await rest.get(`${ACCOUNTS}/${own}/Calls.json`, login)).status;
    expect(await status(known)).toBe(200);
    expect(await status(suspended)).toBe(403);
    expect(await status(unknown)).toBe(503);
    await world.clock.advance(60_000);
    expect(await status(known)).toBe(200);
    hanging = true; // from here on nobody gets an answer who waits for one
    await world.clock.advance(60_000);
    expect(await status(known)).toBe(200);
    expect(await status(suspended)).toBe(403);
    hanging = false;
    down = false;
    await us1.post(one(known.sid), { Status: 'suspended' });
    await world.clock.advance(2_000);
    await status(known); // asks the store again
    expect(await status(known)).toBe(403);
    down = true;
    expect((await rest.get(`${ACCOUNTS}/${ACCOUNT}/Calls.json`)).status).toBe(200);
    const fresh = new Rest(region, { accounts: failing });
    expect((await fresh.get(`${ACCOUNTS}/${ACCOUNT}/Calls.json`)).status).toBe(200);
  });
});
