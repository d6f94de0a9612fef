import request from 'supertest';
import { beforeEach, describe, expect, it } from 'vitest';
import { regionApp } from '../../../src/api/region-app.ts';
import { isoMs } from '../../../src/core/dates.ts';
import { ACCOUNT, CREATED, RegionWorld, sid } from './support/region.ts';

const PATH = `/2010-04-01/Accounts/${ACCOUNT}/Calls/${sid('CA', 1)}/Events.json`;
const at = isoMs(CREATED);
const webhook = { at, type: 'webhook', method: 'POST', purpose: 'document', attempt: 1, ms: 5 } as const;

let region: RegionWorld;

beforeEach(async () => {
  region = new RegionWorld('au1');
  await region.addCall(1);
});

const ask = (path = PATH) => request(regionApp(region.options())).get(path).auth(ACCOUNT, region.token);

describe('the events of a call', () => {
  it('are its requests in order, with what was sent and answered', async () => {
    const sent = { CallSid: sid('CA', 1), 'SipHeader_X-Trip': 'a b', ApiVersion: '2010-04-01' };
    await region.store.appendTimeline(sid('CA', 1), [
      { at, type: 'exchange', url: 'http://app.test/a', parameters: sent, body: '<Response/>' },
      { ...webhook, url: 'http://app.test/a', error: 'refused', error_code: 11210 },
      { ...webhook, url: 'http://app.test/a', attempt: 2, status: 200, content_type: 'text/xml', bytes: 11 },
      { ...webhook, purpose: 'media', method: 'GET', url: 'http://app.test/b.wav', status: 200 },
      {
        ...webhook,
        purpose: 'status-callback',
        url: 'http://app.test/c',
        status: 204,
        parameters: { To: '+1' },
        body: 'thank you',
      },
    ]);
    const { body } = await ask();
    const date_created = 'Thu, 15 Jan 2026 12:00:00 +0000';
    const parameters = {
      call_sid: sid('CA', 1),
      'sip_header_x-trip': 'a b',
      api_version: '2010-04-01',
    };
    const none = { content_type: null, response_body: null, date_created, request_duration: 5 };
    expect(body.events).toEqual([
      {
        request: { method: 'POST', url: 'http://app.test/a', parameters },
        response: { ...none, response_code: null },
      },
      {
        request: { method: 'POST', url: 'http://app.test/a', parameters },
        response: {
          response_code: 200,
          request_duration: 5,
          content_type: 'text/xml',
          response_body: '<Response/>',
          date_created,
        },
      },
      {
        request: { method: 'GET', url: 'http://app.test/b.wav', parameters: {} },
        response: { ...none, response_code: 200 },
      },
      {
        request: { method: 'POST', url: 'http://app.test/c', parameters: { to: '+1' } },
        response: { ...none, response_code: 204, response_body: 'thank you' },
      },
    ]);
    expect(body).toMatchObject({
      page: 0,
      page_size: 50,
      next_page_uri: null,
      uri: `${PATH}?PageSize=50&Page=0`,
    });
  });

  it('come a page at a time', async () => {
    const urls = ['a', 'b', 'c'].map((name) => `http://app.test/${name}`);
    await region.store.appendTimeline(
      sid('CA', 1),
      urls.map((url) => ({ ...webhook, url, status: 200 })),
    );
    const first = (await ask(`${PATH}?PageSize=2`)).body;
    const second = (await ask(first.next_page_uri)).body;
    expect([...first.events, ...second.events].map((one) => one.request.url)).toEqual(urls);
    expect(second.next_page_uri).toBeNull();
  });

  it('are none for a call without requests, and 20404 for one that is not here', async () => {
    expect((await ask()).body.events).toEqual([]);
    expect((await ask(PATH.replace(sid('CA', 1), sid('CA', 2)))).body.code).toBe(20404);
  });
});

describe('the timeline of a call', () => {
  const TIMELINE = `/trunkline/v1/Calls/${sid('CA', 1)}/Timeline`;

  it('is every event, as it is stored', async () => {
    const events = [
      { at, type: 'exchange', url: 'http://app.test/a', parameters: {}, body: '<Response/>' } as const,
      { ...webhook, url: 'http://app.test/a', status: 200 },
    ];
    await region.store.appendTimeline(sid('CA', 1), events);
    const { body } = await ask(TIMELINE);
    expect(body).toMatchObject({ call_sid: sid('CA', 1), region: 'au1', events });
  });

  it('is 20404 for a call that is not here', async () => {
    expect((await ask(TIMELINE.replace(sid('CA', 1), sid('CA', 2)))).body.code).toBe(20404);
  });
});
