import request from 'supertest';
import { beforeEach, describe, expect, it } from 'vitest';
import { regionApp } from '../../../src/api/region-app.ts';
import { candidatesOf, notificationSid } from '../../../src/api/resources/notification-sid.ts';
import { isoMs } from '../../../src/core/dates.ts';
import { failure, warning } from '../../../src/core/diagnostic.ts';
import { RandomIds } from '../../../src/core/ids.ts';
import { ACCOUNT, CREATED, RegionWorld, sid } from './support/region.ts';

const BASE = `/2010-04-01/Accounts/${ACCOUNT}`;
const URL = 'https://app.example.com/voice?a=1';
const DAY = 86_400_000;

const LOOP = warning(13410, 'loop="x" cannot be used', { url: URL, line: 3, column: 7 });
const GONE = failure(11200, 'nobody answers', { url: 'https://app.example.com/gone' });

let region: RegionWorld;

beforeEach(async () => {
  region = new RegionWorld('ie1');
  await call(1, [LOOP], 60_000);
  await call(2, []);
  await call(3, [GONE, LOOP], 3 * 60_000);
  await call(4, [GONE], 2 * DAY, { account_sid: `AC${'c'.repeat(32)}` });
});

/** A live call whose diagnostics were raised `after` the beginning of the test's day. */
async function call(n: number, diagnostics: (typeof LOOP)[], after = 0, changes = {}): Promise<void> {
  await region.addCall(n, { diagnostics, ...changes });
  const at = isoMs(CREATED + after);
  const request = {
    at,
    type: 'webhook',
    url: URL,
    method: 'GET',
    purpose: 'document',
    attempt: 1,
    ms: 2,
  } as const;
  await region.store.appendTimeline(sid('CA', n), [
    { at, type: 'exchange', url: URL, parameters: { CallSid: sid('CA', n), To: '+1' }, body: '<Response/>' },
    { ...request, status: 200, content_type: 'text/xml' },
    ...diagnostics.map((diagnostic) => ({ at, type: 'diagnostic' as const, ...diagnostic })),
  ]);
}

const ask = (path: string) =>
  request(regionApp(region.options())).get(`${BASE}${path}`).auth(ACCOUNT, region.token);
const list = async (path: string) => {
  const response = await ask(path);
  expect(response.status).toBe(200);
  return response.body.notifications.map(
    (one: { call_sid: string; error_code: string }) =>
      `${Number.parseInt(one.call_sid.slice(2), 16)} ${one.error_code}`,
  );
};

describe('a notification', () => {
  it('is a diagnostic of a call, with the request that it is about', async () => {
    const [{ sid: one }] = (await ask(`/Calls/${sid('CA', 1)}/Notifications.json`)).body.notifications;
    const { body } = await ask(`/Calls/${sid('CA', 1)}/Notifications/${one}.json`);
    expect(body).toEqual({
      account_sid: ACCOUNT,
      api_version: '2010-04-01',
      call_sid: sid('CA', 1),
      date_created: 'Thu, 15 Jan 2026 12:01:00 +0000',
      date_updated: 'Thu, 15 Jan 2026 12:01:00 +0000',
      error_code: '13410',
      log: '1',
      message_date: 'Thu, 15 Jan 2026 12:01:00 +0000',
      message_text: expect.any(String),
      more_info: 'https://www.twilio.com/docs/errors/13410',
      request_method: 'GET',
      request_url: URL,
      request_variables: `CallSid=${sid('CA', 1)}&To=%2B1`,
      response_body: '<Response/>',
      response_headers: 'Content-Type=text%2Fxml',
      sid: one,
      uri: `${BASE}/Calls/${sid('CA', 1)}/Notifications/${one}.json`,
    });
    expect(Object.fromEntries(new URLSearchParams(body.message_text))).toEqual({
      LogLevel: 'WARN',
      Msg: 'loop="x" cannot be used',
      ErrorCode: '13410',
      url: URL,
      line: '3',
      column: '7',
    });
    const ofAccount = await ask(`/Notifications/${one}.json`);
    expect(ofAccount.body).toEqual({ ...body, uri: `${BASE}/Notifications/${one}.json` });
  });

  it('without a request that was answered says so', async () => {
    const [first] = (await ask('/Notifications.json?Log=0')).body.notifications;
    const { body } = await ask(`/Notifications/${first.sid}.json`);
    expect(body).toMatchObject({
      log: '0',
      request_method: null,
      request_url: GONE.url,
      request_variables: '',
      response_body: null,
      response_headers: null,
    });
  });

  it('has the same SID once its call is archived', async () => {
    const before = (await ask('/Notifications.json')).body.notifications;
    const done = await region.store.fetch(sid('CA', 3));
    if (done) await region.store.archived(done);
    expect((await ask('/Notifications.json')).body.notifications).toEqual(before);
  });

  it.each([
    ['unknown', `/Notifications/${sid('NO', 7)}.json`],
    ['malformed', '/Notifications/NO1.json'],
    ['of another account', `/Notifications/${notificationSid(sid('CA', 4), 0)}.json`],
    ['beyond the last', `/Notifications/${notificationSid(sid('CA', 1), 1)}.json`],
    ['of another call', `/Calls/${sid('CA', 2)}/Notifications/${notificationSid(sid('CA', 1), 0)}.json`],
    ['of an unknown call', `/Calls/${sid('CA', 9)}/Notifications.json`],
  ])('that is %s is 20404', async (_what, path) => {
    const response = await ask(path);
    expect(response.status).toBe(404);
    expect(response.body.code).toBe(20404);
  });
});

describe('the lists', () => {
  it.each([
    ['/Notifications.json', ['3 13410', '3 11200', '1 13410']],
    ['/Notifications.json?Log=0', ['3 11200']],
    ['/Notifications.json?Log=1', ['3 13410', '1 13410']],
    ['/Notifications.json?MessageDate=2026-01-15', ['3 13410', '3 11200', '1 13410']],
    ['/Notifications.json?MessageDate=2026-01-16', []],
    ['/Notifications.json?MessageDate%3E=2026-01-15T12:02:00Z', ['3 13410', '3 11200']],
    ['/Notifications.json?MessageDate%3C=2026-01-15T12:02:00Z', ['1 13410']],
    [`/Calls/${sid('CA', 3)}/Notifications.json`, ['3 13410', '3 11200']],
    [`/Calls/${sid('CA', 3)}/Notifications.json?Log=0`, ['3 11200']],
    [`/Calls/${sid('CA', 2)}/Notifications.json`, []],
  ])('%s', async (path, expected) => {
    expect(await list(path)).toEqual(expected);
  });

  it('show no request in full', async () => {
    const [first] = (await ask('/Notifications.json')).body.notifications;
    expect(first).not.toHaveProperty('response_body');
    expect(first).not.toHaveProperty('request_variables');
  });

  it('have pages that do not shift', async () => {
    const seen: string[] = [];
    for (let uri = `${BASE}/Notifications.json?PageSize=1`; uri; ) {
      const { body } = await ask(uri.slice(BASE.length));
      seen.push(...body.notifications.map((one: { sid: string }) => one.sid));
      await call(100 + seen.length, [LOOP]);
      uri = body.next_page_uri;
    }
    expect(seen).toHaveLength(3);
    expect(new Set(seen).size).toBe(3);
  });

  it.each(['Log=2', 'Log=error', 'MessageDate=yesterday'])('?%s is 20001', async (query) => {
    const response = await ask(`/Notifications.json?${query}`);
    expect(response.status).toBe(400);
    expect(response.body.code).toBe(20001);
  });
});

describe('notification SIDs', () => {
  it('lead back to their call, and to that of no other', () => {
    const ids = new RandomIds();
    for (let n = 0; n < 20; n++) {
      const callSid = ids.sid('CA');
      const found = [...candidatesOf(notificationSid(callSid, n * 10))];
      expect(found.filter((candidate) => candidate.callSid === callSid)).toEqual([
        { callSid, index: n * 10 },
      ]);
    }
    expect(notificationSid(sid('CA', 1), 1)).not.toBe(notificationSid(sid('CA', 2), 0));
    expect(notificationSid(sid('CA', 1), 0)).toMatch(/^NO[0-9a-f]{32}$/);
  });
});
