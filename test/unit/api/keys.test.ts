import { beforeEach, describe, expect, it } from 'vitest';
import { ACCOUNT, RegionWorld, sid } from './support/region.ts';
import { Rest } from './support/rest.ts';

let region: RegionWorld;
let rest: Rest;

beforeEach(() => {
  region = new RegionWorld('au1');
  rest = new Rest(region);
});

describe.each([
  ['Keys', 'keys', 'Key'],
  ['SigningKeys', 'signing_keys', 'SigningKey'],
])('%s', (path, list, element) => {
  const all = `/2010-04-01/Accounts/${ACCOUNT}/${path}`;

  it('shows the secret when a key is created, and never again', async () => {
    const created = await rest.post(`${all}.json`, { FriendlyName: 'Billing' });
    expect(created.status).toBe(201);
    const key = {
      sid: expect.stringMatching(/^SK[0-9a-f]{32}$/),
      friendly_name: 'Billing',
      date_created: 'Thu, 15 Jan 2026 12:00:00 +0000',
      date_updated: 'Thu, 15 Jan 2026 12:00:00 +0000',
    };
    expect(created.body).toEqual({ ...key, secret: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect((await rest.get(`${all}/${created.body.sid}.json`)).body).toEqual(key);
    expect((await rest.get(`${all}.json`)).body[list]).toEqual([key]);
    const kept = await region.config.records.keys.fetch(created.body.sid);
    expect(JSON.stringify(kept)).not.toContain(created.body.secret);
  });

  it('renames and deletes', async () => {
    const { body } = await rest.post(`${all}.json`);
    const one = `${all}/${body.sid}.json`;
    region.world.clock.tick(5_000);
    const renamed = await rest.post(one, { FriendlyName: 'Ops' });
    expect(renamed.body).toMatchObject({
      friendly_name: 'Ops',
      date_updated: 'Thu, 15 Jan 2026 12:00:05 +0000',
    });
    expect((await rest.delete(one)).status).toBe(204);
    for (const gone of [rest.get(one), rest.post(one), rest.delete(one)]) {
      expect((await gone).body.code).toBe(20404);
    }
  });

  it('refuses a name that is too long with 20002', async () => {
    const response = await rest.post(`${all}.json`, { FriendlyName: 'x'.repeat(65) });
    expect([response.status, response.body.code]).toEqual([400, 20002]);
  });

  it('has pages and an XML form', async () => {
    for (let n = 0; n < 3; n++) await rest.post(`${all}.json`, { FriendlyName: `key ${n}` });
    const { body } = await rest.get(`${all}.json?PageSize=2`);
    expect(body[list]).toHaveLength(2);
    expect((await rest.get(body.next_page_uri)).body[list]).toHaveLength(1);
    expect((await rest.get(all)).text).toMatch(new RegExp(`<${element}><Sid>SK`));
  });
});

it('keys belong to one account in one Region', async () => {
  const sub = await rest.subaccount();
  const [key] = await rest.key(sub.sid, sub.login);
  const path = (account: string) => `/2010-04-01/Accounts/${account}/Keys/${key}.json`;
  expect((await rest.get(path(sub.sid))).status).toBe(200); // the parent may
  expect((await rest.get(path(ACCOUNT))).status).toBe(404);
  const other = new Rest(new RegionWorld('us1', region.world));
  expect((await other.get(path(sub.sid))).status).toBe(404);
  expect((await rest.get(`/2010-04-01/Accounts/${ACCOUNT}/Keys/${sid('SK', 1)}.json`)).status).toBe(404);
});
