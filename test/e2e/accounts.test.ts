import twilio from 'twilio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { twilioClient } from '../support/twilio-client.ts';
import { until } from '../support/until.ts';
import { type SeenRequest, WebhookApp } from '../support/webhook-app.ts';
import { Callers } from './support/caller.ts';

const PLACES = {
  us1: {},
  ie1: { edge: 'dublin', region: 'ie1' },
  au1: { edge: 'sydney', region: 'au1' },
} as const;
const NUMBER = '+12025550171';

type Place = keyof typeof PLACES;

let trunkline: RunningTrunkline;
let app: WebhookApp;
let callers: Callers;

/** The official client at a Region's host name, through the front. */
const client = (region: Place, user = trunkline.accountSid, password = trunkline.tokens[region] ?? '') =>
  twilioClient(trunkline.httpPort, user, password, PLACES[region]);

/** The same with an API key. */
const keyClient = (region: Place, key: string, secret: string) =>
  twilioClient(trunkline.httpPort, key, secret, { ...PLACES[region], accountSid: trunkline.accountSid });

const denied = { status: 401, code: 20003 };

beforeAll(async () => {
  app = await WebhookApp.start();
  app.on('/voice', { body: '<Response><Say>Hello.</Say></Response>' });
  trunkline = await startTrunkline({ env: { TRUNKLINE_DEMO: 'false' } });
  callers = new Callers(trunkline.sip);
});

afterAll(async () => {
  callers.close();
  await trunkline.stop();
  await app.stop();
});

describe('credentials are per Region', () => {
  it("[E13] a us1 token on ie1's host is 401 with 20003, and the log says why", async () => {
    const wrong = client('ie1', trunkline.accountSid, trunkline.tokens['us1']);
    await expect(wrong.calls.list()).rejects.toMatchObject({
      ...denied,
      message: expect.stringContaining('credentials are per Region'),
    });
    const line = await until('the reason in the log', () =>
      trunkline.output.find((printed) => printed.includes('ie1 refused a request: wrong-token')),
    );
    expect(line).not.toContain(trunkline.tokens['us1']);
    expect(await client('us1').calls.list()).toEqual([]);
  });

  it('[E13] an API key opens its Region and no other, until it is deleted', async () => {
    const { sid, secret } = await client('ie1').newKeys.create({ friendlyName: 'Billing' });
    expect(await keyClient('ie1', sid, secret).calls.list()).toEqual([]);
    await expect(keyClient('us1', sid, secret).calls.list()).rejects.toMatchObject(denied);
    await expect(keyClient('au1', sid, secret).calls.list()).rejects.toMatchObject(denied);
    await client('ie1').keys(sid).remove();
    await expect(keyClient('ie1', sid, secret).calls.list()).rejects.toMatchObject(denied);
  });

  it("another Region's SID is 404 with 20404", async () => {
    const key = await client('au1').newSigningKeys.create();
    expect((await client('au1').signingKeys(key.sid).fetch()).sid).toBe(key.sid);
    const elsewhere = client('us1').signingKeys(key.sid);
    await expect(elsewhere.fetch()).rejects.toMatchObject({ status: 404, code: 20404 });
    await expect(elsewhere.remove()).rejects.toMatchObject({ status: 404, code: 20404 });
  });
});

describe('subaccounts', () => {
  it('are the same in every Region, with credentials of their own in each', async () => {
    const made = await client('ie1').api.accounts.create({ friendlyName: 'Cork' });
    const inAmerica = await client('us1').api.accounts(made.sid).fetch();
    expect(inAmerica).toMatchObject({ sid: made.sid, friendlyName: 'Cork', status: 'active' });
    expect(inAmerica.authToken).not.toBe(made.authToken);
    const listed = await client('au1').api.accounts.list({ friendlyName: 'Cork' });
    expect(listed.map(({ sid }) => sid)).toEqual([made.sid]);

    expect(await client('ie1', made.sid, made.authToken).calls.list()).toEqual([]);
    await expect(client('us1', made.sid, made.authToken).calls.list()).rejects.toMatchObject(denied);
    const parents = client('ie1', made.sid, made.authToken).api.accounts(trunkline.accountSid);
    await expect(parents.calls.list()).rejects.toMatchObject(denied);
    expect(await client('ie1').api.accounts(made.sid).calls.list()).toEqual([]); // the parent may
  });

  it('are refused everywhere once they are suspended, and let in again', async () => {
    const made = await client('ie1').api.accounts.create({ friendlyName: 'Galway' });
    const { authToken } = await client('us1').api.accounts(made.sid).fetch();
    const inAmerica = client('us1', made.sid, authToken);
    expect(await inAmerica.calls.list()).toEqual([]);
    const inactive = async () =>
      inAmerica.calls.list().then(
        () => false,
        (error: unknown) =>
          error instanceof twilio.RestException && error.status === 403 && error.code === 20005,
      );
    await client('ie1').api.accounts(made.sid).update({ status: 'suspended' });
    await until('the suspension to be known in us1', inactive);
    expect((await client('us1').api.accounts(made.sid).fetch()).status).toBe('suspended');
    await client('us1').api.accounts(made.sid).update({ status: 'active' });
    await until('the account to be active again', async () => !(await inactive()));
    await client('au1').api.accounts(made.sid).update({ status: 'closed' });
    await expect(client('au1').api.accounts(made.sid).update({ status: 'active' })).rejects.toMatchObject({
      status: 400,
      code: 21479,
    });
  });
});

describe('rotation of the auth token', () => {
  const signedWith = ({ headers, url, form }: SeenRequest, token: string) =>
    twilio.validateRequest(token, String(headers['x-twilio-signature']), url, form);

  it('has no gap: neither token is refused before the promotion, the new one never; webhooks follow it', async () => {
    const old = trunkline.tokens['au1'] ?? '';
    await client('au1').incomingPhoneNumbers.create({ phoneNumber: NUMBER, voiceUrl: app.url('/voice') });
    const webhook = async (from: string) => {
      const call = callers.call(NUMBER, '--from', from);
      await call.code;
      return until(`the webhook of the call from ${from}`, () =>
        app.seen.find(({ form }) => form['From'] === from),
      );
    };
    expect(signedWith(await webhook('+15550100101'), old)).toBe(true);

    let stop = false;
    const refused: unknown[] = [];
    const keepAsking = async (token: string, mayEnd: () => boolean) => {
      const asking = client('au1', trunkline.accountSid, token);
      while (!stop && !mayEnd()) {
        await asking.calls.list({ limit: 1 }).catch((error: unknown) => {
          if (!mayEnd()) refused.push(error);
        });
      }
    };
    let promoting = false;
    const clients = [keepAsking(old, () => promoting)];
    const { secondaryAuthToken: fresh } = await client('au1').accounts.v1.secondaryAuthToken().create();
    clients.push(keepAsking(fresh, () => false));
    for (let n = 0; n < 5; n++) await client('au1').api.accounts(trunkline.accountSid).fetch();
    expect(signedWith(await webhook('+15550100102'), old)).toBe(true); // the primary one signs

    promoting = true;
    const promoted = await client('au1').accounts.v1.authTokenPromotion().update();
    expect(promoted.authToken).toBe(fresh);
    await expect(client('au1').calls.list()).rejects.toMatchObject(denied);
    expect(await client('us1').calls.list()).toEqual([]); // its token is another one

    let calls = 0;
    await until('a webhook that is signed with the new token', async () => {
      const seen = await webhook(`+1555010${1_000 + calls++}`);
      expect(signedWith(seen, old) || signedWith(seen, fresh)).toBe(true);
      return signedWith(seen, fresh);
    });
    stop = true;
    await Promise.all(clients);
    expect(refused).toEqual([]);
  });
});
