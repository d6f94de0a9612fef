import { beforeEach, describe, expect, it } from 'vitest';
import { createCredentialCheck } from '../../../src/api/credentials.ts';
import type { RegionalConfig } from '../../../src/config/port.ts';
import { type Logger, silentLogger } from '../../../src/core/logger.ts';
import { ACCOUNT, RegionWorld, sid, World } from './support/region.ts';
import { type Login, Rest } from './support/rest.ts';

const ACCOUNTS = '/2010-04-01/Accounts';
const calls = (accountSid: string) => `${ACCOUNTS}/${accountSid}/Calls.json`;

let region: RegionWorld;
let rest: Rest;

beforeEach(() => {
  region = new RegionWorld('ie1');
  rest = new Rest(region);
});

const answer = async (path: string, login?: Login) => {
  const { status, body } = await rest.get(path, login);
  return [status, body.code];
};

describe('an auth token', () => {
  it('acts for its account and, by path, for its subaccounts', async () => {
    const sub = await rest.subaccount();
    expect((await rest.get(calls(sub.sid))).status).toBe(200);
    expect((await rest.get(calls(sub.sid), sub.login)).status).toBe(200);
  });

  it('of a subaccount: 20003 for its parent, 20404 for any other account', async () => {
    const [one, two] = [await rest.subaccount(), await rest.subaccount()];
    expect(await answer(calls(ACCOUNT), one.login)).toEqual([401, 20003]);
    expect(await answer(calls(two.sid), one.login)).toEqual([404, 20404]);
    expect(await answer(calls(sid('AC', 99)), one.login)).toEqual([404, 20404]);
    expect(await answer(`${ACCOUNTS}/${ACCOUNT}.json`, one.login)).toEqual([401, 20003]);
    expect(await answer(`${ACCOUNTS}/${two.sid}.json`, one.login)).toEqual([404, 20404]);
  });

  it('is one of this Region: another one is refused like any wrong one, with a hint', async () => {
    const response = await rest.get(calls(ACCOUNT), [ACCOUNT, 'token-of-us1']);
    expect(response.body.message).toContain('credentials are per Region');
  });
});

describe('an API key', () => {
  it('acts for its account', async () => {
    expect((await rest.get(calls(ACCOUNT), await rest.key())).status).toBe(200);
  });

  it('is for its Region alone', async () => {
    const america = new Rest(new RegionWorld('us1', region.world));
    const key = await rest.key();
    const response = await america.get(calls(ACCOUNT), key);
    expect([response.status, response.body.code]).toEqual([401, 20003]);
    expect(response.body.message).toContain('credentials are per Region');
  });

  it('is for its account alone: 20003 for a subaccount, its parent; 20404 for others', async () => {
    const [one, two] = [await rest.subaccount(), await rest.subaccount()];
    const parents = await rest.key();
    const subs = await rest.key(one.sid, one.login);
    expect(await answer(calls(one.sid), parents)).toEqual([401, 20003]);
    expect(await answer(calls(ACCOUNT), subs)).toEqual([401, 20003]);
    expect(await answer(calls(two.sid), subs)).toEqual([404, 20404]);
    expect(await answer(calls(one.sid), subs)).toEqual([200, undefined]);
  });

  it.each([
    `${ACCOUNTS}.json`,
    `${ACCOUNTS}/${ACCOUNT}.json`,
    `${ACCOUNTS}/${ACCOUNT}/Keys.json`,
    `${ACCOUNTS}/${ACCOUNT}/Keys/${sid('SK', 1)}.json`,
    `${ACCOUNTS}/${ACCOUNT}/SigningKeys.json`,
  ])('is a Standard one: %s is 20003', async (path) => {
    expect(await answer(path, await rest.key())).toEqual([401, 20003]);
  });

  it('may not rotate auth tokens', async () => {
    const key = await rest.key();
    expect((await rest.post('/v1/AuthTokens/Secondary', {}, key)).status).toBe(401);
    expect((await rest.post('/v1/AuthTokens/Promote', {}, key)).status).toBe(401);
  });

  it('is refused as soon as it is deleted', async () => {
    const key = await rest.key();
    expect(await answer(calls(ACCOUNT), key)).toEqual([200, undefined]);
    expect((await rest.delete(`${ACCOUNTS}/${ACCOUNT}/Keys/${key[0]}.json`)).status).toBe(204);
    expect(await answer(calls(ACCOUNT), key)).toEqual([401, 20003]);
  });
});

describe('who exists', () => {
  it('is told neither by the answer nor by what is read', async () => {
    const sub = await rest.subaccount();
    const [keySid] = await rest.key();
    const reads: string[] = [];
    const { config } = region;
    const watched: RegionalConfig = {
      ...config,
      tokens: {
        ...config.tokens,
        known: (accountSid) => {
          reads.push('tokens');
          return config.tokens.known(accountSid);
        },
      },
      records: {
        ...config.records,
        keys: {
          ...config.records.keys,
          fetch: (key) => {
            reads.push('key');
            return config.records.keys.fetch(key);
          },
        },
      },
    };
    const watching = new Rest(region, { config: watched });
    const seen = async (user: string) => {
      reads.length = 0;
      const { status, body, headers } = await watching.get(calls(ACCOUNT), [user, 'f'.repeat(32)]);
      return { status, body, challenge: headers['www-authenticate'], reads: [...reads] };
    };
    const nobody = await seen(sid('AC', 12_345));
    expect(nobody.reads).toEqual(['tokens']);
    expect(await seen(ACCOUNT)).toEqual(nobody);
    expect(await seen(sub.sid)).toEqual(nobody);
    const noKey = await seen(sid('SK', 12_345));
    expect(noKey).toEqual({ ...nobody, reads: ['key'] });
    expect(await seen(keySid)).toEqual(noKey);
  });

  it('gets no tokens by being asked for', async () => {
    const stranger = sid('AC', 4_711);
    await rest.get(calls(stranger), [stranger, 'x']);
    expect(await region.config.tokens.known(stranger)).toBeUndefined();
  });

  it('is what the log says, without the secret', async () => {
    const lines: string[] = [];
    const logger: Logger = {
      ...silentLogger,
      warn: (fields, message) => void lines.push(JSON.stringify({ ...fields, message })),
    };
    const logged = new Rest(region, { logger });
    const [keySid] = await rest.key();
    for (const user of [sid('AC', 5), ACCOUNT, sid('SK', 5), keySid, 'me']) {
      await logged.get(calls(ACCOUNT), [user, 'hush-hush']);
    }
    const reasons = lines.map((line) => JSON.parse(line).reason);
    expect(reasons).toEqual(['unknown-user', 'wrong-token', 'unknown-key', 'wrong-secret', 'unknown-user']);
    expect(lines.join()).not.toContain('hush-hush');
    expect(lines[1]).toContain('credentials are per Region');
  });

  it.each(['', ' '])('an absent secret is not matched by %o', async (password) => {
    const check = createCredentialCheck({ config: region.config, logger: silentLogger });
    expect(await check({ user: ACCOUNT, password })).toBe('wrong-token');
    expect(await check({ user: sid('AC', 5), password })).toBe('unknown-user');
    expect(await check({ user: sid('SK', 5), password })).toBe('unknown-key');
  });
});

describe("when the Region's own store cannot be read", () => {
  it('who was known before is known, anybody else is told to try again', async () => {
    let down = false;
    const { config } = region;
    const unless = async <T>(read: Promise<T>): Promise<T> => {
      if (!down) return read;
      await read.catch(() => {});
      throw new Error('connection refused');
    };
    const failing: RegionalConfig = {
      ...config,
      tokens: { ...config.tokens, known: (accountSid) => unless(config.tokens.known(accountSid)) },
    };
    const check = createCredentialCheck({ config: failing, logger: silentLogger });
    const good = { user: ACCOUNT, password: region.token };
    expect(await check(good)).toEqual({ accountSid: ACCOUNT, keySid: undefined });
    down = true;
    expect(await check(good)).toEqual({ accountSid: ACCOUNT, keySid: undefined });
    expect(await check({ ...good, password: 'x' })).toBe('wrong-token');
    await expect(check({ user: sid('AC', 9), password: 'x' })).rejects.toMatchObject({ status: 503 });
  });
});

describe('rotation of the auth token', () => {
  const rotate = '/v1/AuthTokens';

  it('makes a secondary token that is valid beside the primary one, and promotes it', async () => {
    const made = await rest.post(`${rotate}/Secondary`);
    expect(made.status).toBe(201);
    expect(made.body).toEqual({
      account_sid: ACCOUNT,
      date_created: '2026-01-15T12:00:00Z',
      date_updated: '2026-01-15T12:00:00Z',
      secondary_auth_token: expect.stringMatching(/^[0-9a-f]{32}$/),
      url: 'http://accounts.dublin.ie1.test/v1/AuthTokens/Secondary',
    });
    const second: Login = [ACCOUNT, made.body.secondary_auth_token];
    expect(await answer(calls(ACCOUNT))).toEqual([200, undefined]);
    expect(await answer(calls(ACCOUNT), second)).toEqual([200, undefined]);
    const promoted = await rest.post(`${rotate}/Promote`, {}, second);
    expect(promoted.status).toBe(200);
    expect(promoted.body).toMatchObject({ account_sid: ACCOUNT, auth_token: second[1] });
    expect(await answer(calls(ACCOUNT), second)).toEqual([200, undefined]);
    expect(await answer(calls(ACCOUNT))).toEqual([401, 20003]);
    expect((await rest.get(`${ACCOUNTS}/${ACCOUNT}.json`, second)).body.auth_token).toBe(second[1]);
  });

  it('can be given up: the secondary token is refused then', async () => {
    const { body } = await rest.post(`${rotate}/Secondary`);
    expect((await rest.delete(`${rotate}/Secondary`)).status).toBe(204);
    expect(await answer(calls(ACCOUNT), [ACCOUNT, body.secondary_auth_token])).toEqual([401, 20003]);
    for (const nothing of [rest.delete(`${rotate}/Secondary`), rest.post(`${rotate}/Promote`)]) {
      expect((await nothing).body.code).toBe(20404);
    }
  });

  it('changes nothing in another Region', async () => {
    const america = new Rest(new RegionWorld('us1', region.world));
    await rest.post(`${rotate}/Secondary`);
    await rest.post(`${rotate}/Promote`);
    expect((await america.get(calls(ACCOUNT))).status).toBe(200);
  });

  it('has no gap: whatever runs meanwhile, nobody with either token is refused', async () => {
    const refused: unknown[] = [];
    let over = false;
    const keepAsking = async (login: Login) => {
      while (!over) {
        const { status } = await rest.get(calls(ACCOUNT), login);
        if (status !== 200 && !over) refused.push([login, status]);
      }
    };
    const first: Login = [ACCOUNT, region.token];
    const clients = [keepAsking(first)];
    const { body } = await rest.post(`${rotate}/Secondary`);
    const second: Login = [ACCOUNT, body.secondary_auth_token];
    clients.push(keepAsking(second), keepAsking(second));
    for (let n = 0; n < 20; n++) {
      expect((await rest.get(calls(ACCOUNT), first)).status).toBe(200);
      expect((await rest.get(calls(ACCOUNT), second)).status).toBe(200);
    }
    over = true;
    await Promise.all(clients);
    over = false;
    const after = keepAsking(second);
    expect((await rest.post(`${rotate}/Promote`, {}, first)).status).toBe(200);
    for (let n = 0; n < 20; n++) expect((await rest.get(calls(ACCOUNT), second)).status).toBe(200);
    over = true;
    await after;
    expect(refused).toEqual([]);
  });
});

describe('the dashboard', () => {
  it('is for the first account', async () => {
    const world = new World();
    const open = new Rest(new RegionWorld('ie1', world), { listenerIsLoopback: false });
    const sub = await open.subaccount();
    expect((await open.get('/dashboard')).status).toBe(200);
    expect((await open.get('/dashboard', sub.login)).status).toBe(401);
    expect((await open.get('/dashboard/overview.json', sub.login)).status).toBe(401);
  });
});
