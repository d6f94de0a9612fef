import request from 'supertest';
import { beforeEach, describe, expect, it } from 'vitest';
import { regionApp } from '../../../src/api/region-app.ts';
import { blankApplication } from '../../../src/api/resources/application-resource.ts';
import type { RegionId } from '../../../src/region/region.ts';
import { ACCOUNT, RegionWorld, sid, World } from './support/region.ts';

const BASE = `/2010-04-01/Accounts/${ACCOUNT}`;

let world: World;
let regions: Record<RegionId, RegionWorld>;

beforeEach(() => {
  world = new World();
  regions = {
    us1: new RegionWorld('us1', world),
    ie1: new RegionWorld('ie1', world),
    au1: new RegionWorld('au1', world),
  };
});

const on = (region: RegionId) => request(regionApp(regions[region].options()));
const ask = (method: 'get' | 'delete', path: string, region: RegionId = 'us1') =>
  on(region)[method](`${BASE}${path}`).auth(ACCOUNT, regions[region].token);
const post = (path: string, form: Record<string, string>, region: RegionId = 'us1') =>
  on(region).post(`${BASE}${path}`).auth(ACCOUNT, regions[region].token).type('form').send(form);
const created = async (form: Record<string, string> = {}, region: RegionId = 'us1') => {
  const response = await post('/Applications.json', form, region);
  expect(response.status).toBe(201);
  return response.body;
};

describe('an application', () => {
  it('is created with every field of the resource; what is not set is null', async () => {
    const body = await created({ FriendlyName: 'Reception', VoiceUrl: 'https://a.example.com/' });
    expect(body).toEqual({
      account_sid: ACCOUNT,
      api_version: '2010-04-01',
      date_created: 'Thu, 15 Jan 2026 12:00:00 +0000',
      date_updated: 'Thu, 15 Jan 2026 12:00:00 +0000',
      friendly_name: 'Reception',
      message_status_callback: null,
      sid: expect.stringMatching(/^AP[0-9a-f]{32}$/),
      sms_fallback_method: 'POST',
      sms_fallback_url: null,
      sms_method: 'POST',
      sms_status_callback: null,
      sms_url: null,
      status_callback: null,
      status_callback_method: 'POST',
      uri: `${BASE}/Applications/${body.sid}.json`,
      voice_caller_id_lookup: false,
      voice_fallback_method: 'POST',
      voice_fallback_url: null,
      voice_method: 'POST',
      voice_url: 'https://a.example.com/',
      public_application_connect_enabled: false,
    });
    expect((await ask('get', `/Applications/${body.sid}.json`)).body).toEqual(body);
  });

  it('keeps what an update does not mention and clears what it empties', async () => {
    const { sid: application } = await created({
      VoiceUrl: 'https://a.example.com/',
      StatusCallback: 'https://b.example.com/',
    });
    await world.clock.advance(60_000);
    const { body } = await post(`/Applications/${application}.json`, {
      StatusCallback: '',
      VoiceMethod: 'get',
      SmsUrl: 'https://c.example.com/',
    });
    expect(body).toMatchObject({
      voice_url: 'https://a.example.com/',
      voice_method: 'GET',
      status_callback: null,
      sms_url: 'https://c.example.com/',
      date_created: 'Thu, 15 Jan 2026 12:00:00 +0000',
      date_updated: 'Thu, 15 Jan 2026 12:01:00 +0000',
    });
  });

  it.each([
    [{ VoiceUrl: 'nonsense' }, 21402],
    [{ StatusCallback: 'ftp://example.com/' }, 21402],
    [{ VoiceMethod: 'PUT' }, 21403],
    [{ VoiceFallbackUrl: 'https://a.example.com/' }, 21405],
    [{ SmsFallbackUrl: 'https://a.example.com/' }, 21406],
    [{ FriendlyName: 'x'.repeat(65) }, 20002],
    [{ VoiceCallerIdLookup: 'perhaps' }, 20001],
    [{ ApiVersion: '2008-08-01' }, 20001],
  ])('%o is %i', async (form, code) => {
    const response = await post('/Applications.json', form);
    expect(response.status).toBe(400);
    expect(response.body.code).toBe(code);
    expect((await ask('get', '/Applications.json')).body.applications).toEqual([]);
  });

  it('is listed newest first, by name, and a page at a time', async () => {
    for (const FriendlyName of ['one', 'two', 'one']) {
      await created({ FriendlyName });
      await world.clock.advance(1_000);
    }
    const names = (body: { applications: { friendly_name: string }[] }) =>
      body.applications.map((application) => application.friendly_name);
    expect(names((await ask('get', '/Applications.json')).body)).toEqual(['one', 'two', 'one']);
    expect(names((await ask('get', '/Applications.json?FriendlyName=one')).body)).toEqual(['one', 'one']);
    const first = (await ask('get', '/Applications.json?PageSize=2')).body;
    await created({ FriendlyName: 'late' });
    const second = await on('us1').get(first.next_page_uri).auth(ACCOUNT, regions.us1.token);
    expect(names(second.body)).toEqual(['one']);
  });

  it('is known in its own Region and account alone', async () => {
    const { sid: application } = await created();
    expect((await ask('get', `/Applications/${application}.json`, 'ie1')).body.code).toBe(20404);
    expect((await ask('get', '/Applications.json', 'ie1')).body.applications).toEqual([]);
    const foreign = blankApplication(sid('AP', 77), `AC${'c'.repeat(32)}`, 0);
    await regions.us1.config.records.applications.create(foreign);
    for (const method of ['get', 'delete'] as const) {
      expect((await ask(method, `/Applications/${foreign.sid}.json`)).status).toBe(404);
    }
    expect((await post(`/Applications/${foreign.sid}.json`, {})).status).toBe(404);
  });
});

describe('a number that an application answers', () => {
  const number = async (form: Record<string, string>) =>
    await post('/IncomingPhoneNumbers.json', { PhoneNumber: '+15105550100', ...form });

  it('shows its SID, keeps its own URLs and is let go again', async () => {
    const { sid: application } = await created({ VoiceUrl: 'https://a.example.com/' });
    const { body } = await number({ VoiceApplicationSid: application, VoiceUrl: 'https://own.example.com/' });
    expect(body).toMatchObject({
      voice_application_sid: application,
      voice_url: 'https://own.example.com/',
    });
    const path = `/IncomingPhoneNumbers/${body.sid}.json`;
    expect((await post(path, { VoiceMethod: 'GET' })).body.voice_application_sid).toBe(application);
    expect((await post(path, { VoiceApplicationSid: '' })).body.voice_application_sid).toBeNull();
  });

  it('is answered by its own URLs again when the application is deleted', async () => {
    const { sid: application } = await created({ VoiceUrl: 'https://a.example.com/' });
    const { body } = await number({ VoiceApplicationSid: application });
    expect((await ask('delete', `/Applications/${application}.json`)).status).toBe(204);
    expect((await ask('delete', `/Applications/${application}.json`)).status).toBe(404);
    const after = await ask('get', `/IncomingPhoneNumbers/${body.sid}.json`);
    expect(after.body.voice_application_sid).toBeNull();
  });

  it.each([
    ['unknown', async () => sid('AP', 99)],
    ['malformed', async () => 'AP1'],
    ['of another Region', async () => (await created({}, 'ie1')).sid as string],
  ])('cannot have one that is %s: 21420, and no number is taken', async (_what, application) => {
    const response = await number({ VoiceApplicationSid: await application() });
    expect(response.status).toBe(400);
    expect(response.body.code).toBe(21420);
    expect(await world.numbers()).toEqual([]);
  });
});

describe('a call with ApplicationSid', () => {
  const call = (form: Record<string, string>) =>
    post('/Calls.json', { To: 'sip:bob@example.com', From: 'alice', ...form });

  it('does what the application says and ignores what the form says instead', async () => {
    const { sid: application } = await created({
      VoiceUrl: 'https://a.example.com/voice',
      VoiceMethod: 'GET',
      VoiceFallbackUrl: 'https://a.example.com/fallback',
      StatusCallback: 'https://a.example.com/status',
      StatusCallbackMethod: 'GET',
    });
    const response = await call({
      ApplicationSid: application,
      Url: 'https://form.example.com/',
      Method: 'POST',
      FallbackUrl: 'https://form.example.com/',
      StatusCallback: 'https://form.example.com/',
      StatusCallbackEvent: 'ringing',
      Timeout: '20',
    });
    expect(response.status).toBe(201);
    expect(JSON.parse((await regions.us1.store.journal(response.body.sid)) ?? '')).toMatchObject({
      document: {
        kind: 'url',
        url: 'https://a.example.com/voice',
        method: 'GET',
        fallbackUrl: 'https://a.example.com/fallback',
        fallbackMethod: 'POST',
      },
      statusCallback: { url: 'https://a.example.com/status', method: 'GET', events: ['completed'] },
      timeoutMs: 20_000,
    });
  });

  it.each([
    ['unknown', async () => sid('AP', 99)],
    ['malformed', async () => 'reception'],
    ['of another Region', async () => (await created({ VoiceUrl: 'https://a.test/' }, 'ie1')).sid as string],
    ['without a VoiceUrl', async () => (await created()).sid as string],
  ])('that is %s is 21218', async (_what, application) => {
    const response = await call({ ApplicationSid: await application(), Url: 'https://form.example.com/' });
    expect(response.status).toBe(400);
    expect(response.body.code).toBe(21218);
  });
});
