import request from 'supertest';
import { beforeEach, describe, expect, it } from 'vitest';
import { regionApp } from '../../../src/api/region-app.ts';
import type { RegionId } from '../../../src/region/region.ts';
import { ACCOUNT, RegionWorld, World } from './support/region.ts';

const PATH = `/2010-04-01/Accounts/${ACCOUNT}/IncomingPhoneNumbers`;
const NUMBER = '+15105550100';

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

const on = (region: RegionId) => regionApp(regions[region].options());
const get = (region: RegionId, path = '') =>
  request(on(region)).get(`${PATH}${path}.json`).auth(ACCOUNT, `token-of-${region}`);
const list = (region: RegionId, query: string) =>
  request(on(region)).get(`${PATH}.json?${query}`).auth(ACCOUNT, `token-of-${region}`);
const post = (region: RegionId, form: Record<string, string>, path = '') =>
  request(on(region)).post(`${PATH}${path}.json`).auth(ACCOUNT, `token-of-${region}`).type('form').send(form);
const remove = (region: RegionId, path: string) =>
  request(on(region)).delete(`${PATH}${path}.json`).auth(ACCOUNT, `token-of-${region}`);

const created = async (region: RegionId, form: Record<string, string> = {}) => {
  const response = await post(region, { PhoneNumber: NUMBER, ...form });
  expect(response.status).toBe(201);
  return response.body;
};

describe('a number', () => {
  it('is created with every field of the resource', async () => {
    const body = await created('us1', { VoiceUrl: 'https://example.com/voice#rc=2', VoiceMethod: 'get' });
    expect(body).toEqual({
      account_sid: ACCOUNT,
      address_sid: null,
      address_requirements: 'none',
      api_version: '2010-04-01',
      beta: false,
      capabilities: { voice: true, sms: false, mms: false, fax: false },
      date_created: 'Thu, 15 Jan 2026 12:00:00 +0000',
      date_updated: 'Thu, 15 Jan 2026 12:00:00 +0000',
      friendly_name: '(510) 555-0100',
      identity_sid: null,
      phone_number: NUMBER,
      origin: 'twilio',
      sid: expect.stringMatching(/^PN[0-9a-f]{32}$/),
      sms_application_sid: '',
      sms_fallback_method: 'POST',
      sms_fallback_url: '',
      sms_method: 'POST',
      sms_url: '',
      status_callback: '',
      status_callback_method: 'POST',
      trunk_sid: null,
      uri: `${PATH}/${body.sid}.json`,
      voice_receive_mode: 'voice',
      voice_application_sid: null,
      voice_caller_id_lookup: false,
      voice_fallback_method: 'POST',
      voice_fallback_url: '',
      voice_method: 'GET',
      voice_url: 'https://example.com/voice#rc=2',
      emergency_status: 'Inactive',
      emergency_address_sid: null,
      emergency_address_status: 'unregistered',
      bundle_sid: null,
      status: 'in-use',
      type: 'local',
      subresource_uris: {},
    });
  });

  it('has one SID and a configuration of its own in each Region', async () => {
    const { sid } = await created('us1', { VoiceUrl: 'https://us1.example.com/' });
    const before = await get('ie1', `/${sid}`);
    expect(before.body).toMatchObject({ sid, phone_number: NUMBER, voice_url: null, status_callback: null });
    expect(await regions.ie1.config.number(sid)).toBeUndefined();

    const written = await post(
      'ie1',
      { VoiceUrl: 'https://ie1.example.com/', FriendlyName: 'Cork' },
      `/${sid}`,
    );
    expect(written.status).toBe(200);
    expect((await get('ie1', `/${sid}`)).body).toMatchObject({
      voice_url: 'https://ie1.example.com/',
      friendly_name: 'Cork',
    });
    expect((await get('us1', `/${sid}`)).body).toMatchObject({
      voice_url: 'https://us1.example.com/',
      friendly_name: '(510) 555-0100',
    });
    expect((await get('au1', `/${sid}`)).body.voice_url).toBeNull();
  });

  it('created on us1 has no route; created on another Region is routed there', async () => {
    await created('us1');
    expect(await world.routeOf(NUMBER)).toBeUndefined();
    await post('ie1', { PhoneNumber: '+442079460000' });
    expect(await world.routes.fetch('phone-number', '+442079460000')).toMatchObject({
      voiceRegion: 'ie1',
      accountSid: ACCOUNT,
    });
  });

  it('keeps what an update does not mention, and clears what it empties', async () => {
    const { sid } = await created('us1', {
      VoiceUrl: 'https://a.example.com/',
      StatusCallback: 'https://b.example.com/',
      VoiceCallerIdLookup: 'true',
    });
    await world.clock.advance(60_000);
    const { body } = await post('us1', { StatusCallback: '', VoiceMethod: 'GET' }, `/${sid}`);
    expect(body).toMatchObject({
      voice_url: 'https://a.example.com/',
      voice_method: 'GET',
      status_callback: '',
      voice_caller_id_lookup: true,
      date_created: 'Thu, 15 Jan 2026 12:00:00 +0000',
      date_updated: 'Thu, 15 Jan 2026 12:01:00 +0000',
    });
  });

  it('is released everywhere', async () => {
    const { sid } = await created('ie1');
    await post('us1', { VoiceUrl: 'https://us1.example.com/' }, `/${sid}`);
    expect((await remove('us1', `/${sid}`)).status).toBe(204);
    expect(await world.routeOf(NUMBER)).toBeUndefined();
    for (const region of ['us1', 'ie1', 'au1'] as const) {
      expect((await get(region, `/${sid}`)).body.code).toBe(20404);
    }
    expect((await created('us1')).sid).not.toBe(sid);
  });

  it('is not half created when it cannot be configured', async () => {
    const options = regions.ie1.options();
    const broken = regionApp({
      ...options,
      routes: { ...options.routes, save: async () => Promise.reject(new Error('Redis is away')) },
    });
    const failed = await request(broken)
      .post(`${PATH}.json`)
      .auth(ACCOUNT, 'token-of-ie1')
      .type('form')
      .send({ PhoneNumber: NUMBER });
    expect(failed.body.code).toBe(20500);
    expect(await world.numbers()).toEqual([]);
  });
});

describe('what a number may not be', () => {
  it.each([
    [{}, 21421],
    [{ PhoneNumber: '5105550100' }, 21421],
    [{ PhoneNumber: '+0105550100' }, 21421],
    [{ PhoneNumber: '+1510555010012345' }, 21421],
    [{ AreaCode: '51' }, 21451],
    [{ AreaCode: '911' }, 21452],
    [{ PhoneNumber: NUMBER, VoiceUrl: 'example.com/voice' }, 21402],
    [{ PhoneNumber: NUMBER, VoiceUrl: 'ftp://example.com/' }, 21402],
    [{ PhoneNumber: NUMBER, StatusCallback: 'http://' }, 21402],
    [{ PhoneNumber: NUMBER, VoiceMethod: 'PUT' }, 21403],
    [{ PhoneNumber: NUMBER, StatusCallbackMethod: 'HEAD' }, 21403],
    [{ PhoneNumber: NUMBER, VoiceFallbackUrl: 'https://example.com/' }, 21405],
    [{ PhoneNumber: NUMBER, VoiceApplicationSid: 'AP1' }, 21420],
    [{ PhoneNumber: NUMBER, TrunkSid: 'TK1' }, 21245],
    [{ PhoneNumber: NUMBER, SmsUrl: 'https://example.com/' }, 21407],
    [{ PhoneNumber: NUMBER, FriendlyName: 'x'.repeat(65) }, 20002],
    [{ PhoneNumber: NUMBER, VoiceCallerIdLookup: 'maybe' }, 20001],
    [{ PhoneNumber: NUMBER, VoiceReceiveMode: 'fax' }, 20001],
    [{ PhoneNumber: NUMBER, EmergencyStatus: 'Active' }, 20001],
  ])('%o is %i', async (form, code) => {
    const response = await post('us1', form);
    expect(response.status).toBe(400);
    expect(response.body.code).toBe(code);
    expect(await world.numbers()).toEqual([]);
  });

  it('refuses a number that is taken, in any Region', async () => {
    await created('us1');
    for (const region of ['us1', 'ie1'] as const) {
      const again = await post(region, { PhoneNumber: NUMBER });
      expect(again.status).toBe(400);
      expect(again.body.code).toBe(21422);
    }
    expect(await world.routeOf(NUMBER)).toBeUndefined();
  });

  it('writes nothing when an update is refused', async () => {
    const { sid } = await created('us1', { VoiceUrl: 'https://a.example.com/' });
    expect((await post('us1', { FriendlyName: 'New', VoiceUrl: 'nonsense' }, `/${sid}`)).status).toBe(400);
    expect((await get('us1', `/${sid}`)).body.friendly_name).toBe('(510) 555-0100');
  });

  it('allows a fallback once there is a URL', async () => {
    const { sid } = await created('us1', { VoiceUrl: 'https://a.example.com/' });
    const { body } = await post('us1', { VoiceFallbackUrl: 'https://b.example.com/' }, `/${sid}`);
    expect(body.voice_fallback_url).toBe('https://b.example.com/');
  });
});

describe('the list', () => {
  beforeEach(async () => {
    for (const [n, name] of ['one', 'two', 'three'].entries()) {
      await post('us1', { PhoneNumber: `+1510555010${n}`, FriendlyName: name });
      await world.clock.advance(1000);
    }
    await post('us1', { PhoneNumber: '+442079460000' });
  });

  const numbersOf = (body: { incoming_phone_numbers: { phone_number: string }[] }) =>
    body.incoming_phone_numbers.map((one) => one.phone_number);

  it('is newest first and the same in every Region', async () => {
    for (const region of ['us1', 'au1'] as const) {
      expect(numbersOf((await get(region)).body)).toEqual([
        '+442079460000',
        '+15105550102',
        '+15105550101',
        '+15105550100',
      ]);
    }
  });

  it.each([
    ['PhoneNumber=%2B15105550101', ['+15105550101']],
    ['PhoneNumber=%2B1510', ['+15105550102', '+15105550101', '+15105550100']],
    ['PhoneNumber=510****101', ['+15105550101']],
    ['FriendlyName=two', ['+15105550101']],
    ['FriendlyName=none', []],
    ['Beta=true', []],
    ['Origin=hosted', []],
    ['FriendlyName=', ['+442079460000', '+15105550102', '+15105550101', '+15105550100']],
  ])('%s', async (query, expected) => {
    expect(numbersOf((await list('us1', query)).body)).toEqual(expected);
  });

  it('comes in pages', async () => {
    const first = (await list('us1', 'PageSize=3')).body;
    expect(first).toMatchObject({ page: 0, page_size: 3, start: 0, end: 2, previous_page_uri: null });
    const second = await request(on('us1')).get(first.next_page_uri).auth(ACCOUNT, 'token-of-us1');
    expect(second.body).toMatchObject({ page: 1, start: 3, end: 3, next_page_uri: null });
    expect(numbersOf(second.body)).toEqual(['+15105550100']);
  });
});

describe('AreaCode', () => {
  it('takes the first number on offer there', async () => {
    const numbers = [];
    for (let n = 0; n < 2; n++) numbers.push((await post('us1', { AreaCode: '510' })).body);
    expect(numbers).toMatchObject([
      { phone_number: '+15105550100', friendly_name: '(510) 555-0100', voice_url: '' },
      { phone_number: '+15105550101', friendly_name: '(510) 555-0101' },
    ]);
    const taken = await post('us1', { AreaCode: '800' });
    expect(taken.body).toMatchObject({ phone_number: '+18005550199', type: 'toll-free' });
    expect((await post('us1', { AreaCode: '800' })).body.code).toBe(21452);
  });

  it('does not count beside PhoneNumber', async () => {
    const { body } = await post('us1', { AreaCode: '510', PhoneNumber: '+442079460000' });
    expect(body.phone_number).toBe('+442079460000');
  });
});

describe('the kinds of numbers', () => {
  const KINDS = [
    ['Local', 'local', '+15105550100'],
    ['Local', 'local', '+442079460000'],
    ['Local', 'local', '+4930123456'],
    ['Mobile', 'mobile', '+447700900123'],
    ['Mobile', 'mobile', '+61491570156'],
    ['TollFree', 'toll-free', '+18005550199'],
    ['TollFree', 'toll-free', '+18885550199'],
    ['TollFree', 'toll-free', '+448081570000'],
    ['TollFree', 'toll-free', '+611800160401'],
  ] as const;

  it.each(KINDS)('%s: %s is %s', async (segment, type, PhoneNumber) => {
    const { body, status } = await post('us1', { PhoneNumber }, `/${segment}`);
    expect(status).toBe(201);
    expect(body).toMatchObject({ phone_number: PhoneNumber, type });
    for (const other of ['Local', 'Mobile', 'TollFree']) {
      const { incoming_phone_numbers: listed } = (await get('us1', `/${other}`)).body;
      expect(listed).toHaveLength(other === segment ? 1 : 0);
    }
    const wrong = segment === 'Local' ? 'TollFree' : 'Local';
    expect((await post('us1', { PhoneNumber }, `/${wrong}`)).body.code).toBe(21458);
  });

  it.each(['Local', 'Mobile', 'TollFree'])('%s needs PhoneNumber', async (segment) => {
    expect((await post('us1', {}, `/${segment}`)).body.code).toBe(21421);
    expect((await post('us1', { AreaCode: '510' }, `/${segment}`)).body.code).toBe(21457);
    expect(await world.numbers()).toEqual([]);
  });
});
