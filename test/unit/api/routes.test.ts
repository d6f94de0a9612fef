import request from 'supertest';
import { beforeEach, describe, expect, it } from 'vitest';
import { regionApp } from '../../../src/api/region-app.ts';
import { ACCOUNT, CREATED, RegionWorld, sid } from './support/region.ts';

const NUMBER = '+15105550100';

let region: RegionWorld;

beforeEach(async () => {
  region = new RegionWorld('ie1');
  await region.world.ownership.claim({
    sid: sid('PN', 1),
    accountSid: ACCOUNT,
    phoneNumber: NUMBER,
    createdAt: CREATED,
  });
});

const get = (key = NUMBER, kind = 'PhoneNumbers') =>
  request(regionApp(region.options())).get(`/v2/${kind}/${key}`).auth(ACCOUNT, region.token);
const post = (form: Record<string, string>, key = NUMBER, kind = 'PhoneNumbers') =>
  request(regionApp(region.options()))
    .post(`/v2/${kind}/${key}`)
    .auth(ACCOUNT, region.token)
    .type('form')
    .send(form);

describe('a route', () => {
  it('is absent until it is set, which means us1', async () => {
    const response = await get();
    expect(response.status).toBe(404);
    expect(response.body).toMatchObject({ code: 20404, message: expect.stringContaining('us1') });
  });

  it.each(['PhoneNumbers', 'PhoneNumber'])('is set and read under %s', async (kind) => {
    const response = await post({ VoiceRegion: 'au1', FriendlyName: 'Sales' }, NUMBER, kind);
    expect(response.status).toBe(200);
    expect(response.body).toEqual({
      phone_number: NUMBER,
      url: `http://routes.dublin.ie1.test/v2/PhoneNumbers/${NUMBER}`,
      sid: expect.stringMatching(/^QQ[0-9a-f]{32}$/),
      account_sid: ACCOUNT,
      friendly_name: 'Sales',
      voice_region: 'au1',
      date_created: '2026-01-15T12:00:00Z',
      date_updated: '2026-01-15T12:00:00Z',
    });
    expect((await get(NUMBER, kind)).body).toEqual(response.body);
    expect((await get(encodeURIComponent(NUMBER), kind)).body).toEqual(response.body);
  });

  it('keeps its SID, its creation and what is not mentioned when it changes', async () => {
    const { body: first } = await post({ VoiceRegion: 'au1', FriendlyName: 'Sales' });
    await region.world.clock.advance(5000);
    const { body: second } = await post({ VoiceRegion: 'us1' });
    expect(second).toEqual({ ...first, voice_region: 'us1', date_updated: '2026-01-15T12:00:05Z' });
    const { body: third } = await post({ FriendlyName: 'Support' });
    expect(third).toMatchObject({ sid: first.sid, voice_region: 'us1', friendly_name: 'Support' });
  });

  it('is us1 when created without a Region', async () => {
    expect((await post({ FriendlyName: 'Sales' })).body.voice_region).toBe('us1');
  });
});

describe('what a route may not be', () => {
  it.each([
    ['xx9', 'is not a Region'],
    ['', 'is not a Region'],
    ['IE1', 'lower case, ie1'],
    ['de1', 'names an edge (frankfurt)'],
    ['dublin', 'names an edge (dublin)'],
  ])('VoiceRegion "%s" is 21252', async (value, reason) => {
    const response = await post({ VoiceRegion: value });
    expect(response.status).toBe(400);
    expect(response.body.code).toBe(21252);
    expect(response.body.message).toContain(reason);
    expect(response.body.message).toContain('us1, ie1, au1');
    expect(await region.world.routeOf(NUMBER)).toBeUndefined();
  });

  it('refuses a Region that does not run here', async () => {
    const small = regionApp(region.options({ regions: ['us1', 'ie1'] }));
    const response = await request(small)
      .post(`/v2/PhoneNumbers/${NUMBER}`)
      .auth(ACCOUNT, region.token)
      .type('form')
      .send({ VoiceRegion: 'au1' });
    expect(response.body).toMatchObject({
      code: 21252,
      message: expect.stringContaining('does not run here'),
    });
  });

  it('refuses a long name', async () => {
    expect((await post({ FriendlyName: 'x'.repeat(64) })).status).toBe(200);
    expect((await post({ FriendlyName: 'x'.repeat(65) })).body.code).toBe(20002);
  });

  it.each(['+15105550199', '15105550100', 'nonsense'])('does not know %s', async (key) => {
    expect((await get(key)).body.code).toBe(20404);
    expect((await post({ VoiceRegion: 'us1' }, key)).body.code).toBe(20404);
    expect(await region.world.routeOf(NUMBER)).toBeUndefined();
  });
});
