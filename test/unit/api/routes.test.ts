import request from 'supertest';
import { beforeEach, describe, expect, it } from 'vitest';
import { regionApp } from '../../../src/api/region-app.ts';
import type { RegionOptions } from '../../../src/api/region-options.ts';
import type { RegionId } from '../../../src/region/region.ts';
import { createMemoryRoutes } from '../../../src/routing/memory.ts';
import { ACCOUNT, CREATED, RegionWorld, sid, World } from './support/region.ts';

const NUMBER = '+15105550100';
const OTHER_ACCOUNT = `AC${'f'.repeat(32)}`;
const WARNING = 'trunkline-warning';

let world: World;
let region: RegionWorld;

beforeEach(async () => {
  world = new World();
  region = new RegionWorld('ie1', world);
  await world.ownership.claim({
    sid: sid('PN', 1),
    accountSid: ACCOUNT,
    phoneNumber: NUMBER,
    createdAt: CREATED,
  });
  await world.names.claim('sip-domain', 'acme', ACCOUNT, 'ie1');
  await world.names.claim('sip-domain', 'east.acme', ACCOUNT, 'ie1');
  await world.names.claim('sip-domain', 'rival', OTHER_ACCOUNT, 'ie1');
  await world.names.claim('trunk', 'east', ACCOUNT, 'us1');
});

const get = (key = NUMBER, kind = 'PhoneNumbers', from = region) =>
  request(regionApp(from.options())).get(`/v2/${kind}/${key}`).auth(ACCOUNT, from.token);
const post = (form: Record<string, string>, key = NUMBER, kind = 'PhoneNumbers', from = region) =>
  request(regionApp(from.options()))
    .post(`/v2/${kind}/${key}`)
    .auth(ACCOUNT, from.token)
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

  it.each([
    ['SipDomains', 'sip_domain', 'acme.sip.twilio.com', 'acme.sip.twilio.com'],
    ['SipDomain', 'sip_domain', 'acme.sip.trunkline.localhost', 'acme.sip.trunkline.localhost'],
    ['SipDomains', 'sip_domain', 'acme', 'acme.sip.trunkline.localhost'],
    ['SipDomains', 'sip_domain', 'East.ACME.sip.twilio.com', 'east.acme.sip.twilio.com'],
    ['Trunks', 'sip_trunk_domain', 'east.pstn.twilio.com', 'east.pstn.twilio.com'],
    ['Trunk', 'sip_trunk_domain', 'east', 'east.pstn.trunkline.localhost'],
  ])('of %s is set and read by name (%s: %s)', async (kind, field, key, shown) => {
    expect((await get(key, kind)).body.code).toBe(20404);
    const response = await post({ VoiceRegion: 'ie1' }, key, kind);
    expect(response.status).toBe(200);
    expect(response.body).toEqual({
      [field]: shown,
      url: `http://routes.dublin.ie1.test/v2/${kind.replace(/s?$/, 's')}/${shown}`,
      sid: expect.stringMatching(/^QQ[0-9a-f]{32}$/),
      account_sid: ACCOUNT,
      friendly_name: shown,
      voice_region: 'ie1',
      date_created: '2026-01-15T12:00:00Z',
      date_updated: '2026-01-15T12:00:00Z',
    });
    expect((await get(key, kind)).body).toEqual(response.body);
  });

  it('is the same one under twilio.com, under our base domain and by the bare name', async () => {
    const { body } = await post({ VoiceRegion: 'ie1' }, 'acme.sip.twilio.com', 'SipDomains');
    for (const key of ['acme.sip.trunkline.localhost', 'acme', 'acme.sip.twilio.com']) {
      expect((await get(key, 'SipDomain')).body.sid).toBe(body.sid);
    }
    expect((await get('east', 'SipDomains')).status).toBe(404);
  });

  it.each(['us1', 'ie1', 'au1'] as const)('is set to any Region from the host of %s', async (from) => {
    const asked = new RegionWorld(from, world);
    for (const voiceRegion of ['ie1', 'au1', 'us1']) {
      expect((await post({ VoiceRegion: voiceRegion }, NUMBER, 'PhoneNumbers', asked)).status).toBe(200);
      expect((await get()).body.voice_region).toBe(voiceRegion);
    }
  });

  it('keeps its SID, its creation and what is not mentioned when it changes', async () => {
    const { body: first } = await post({ VoiceRegion: 'au1', FriendlyName: 'Sales' });
    await world.clock.advance(5000);
    const { body: second } = await post({ VoiceRegion: 'us1' });
    expect(second).toEqual({ ...first, voice_region: 'us1', date_updated: '2026-01-15T12:00:05Z' });
    const { body: third } = await post({ FriendlyName: 'Support' });
    expect(third).toMatchObject({ sid: first.sid, voice_region: 'us1', friendly_name: 'Support' });
  });

  it('is us1 when created without a Region', async () => {
    expect((await post({ FriendlyName: 'Sales' })).body.voice_region).toBe('us1');
  });

  it('does not go on with the record that an earlier owner of the name left', async () => {
    await world.routes.save({
      sid: sid('QQ', 9),
      kind: 'sip-domain',
      key: 'acme',
      accountSid: OTHER_ACCOUNT,
      voiceRegion: 'au1',
      friendlyName: 'theirs',
      createdAt: 1,
      updatedAt: 1,
    });
    expect((await get('acme', 'SipDomains')).status).toBe(404);
    const { body } = await post({ VoiceRegion: 'ie1' }, 'acme', 'SipDomains');
    expect(body.sid).not.toBe(sid('QQ', 9));
    expect(body.friendly_name).toBe('acme.sip.trunkline.localhost');
  });
});

describe('what a route may not be', () => {
  it.each([
    ['xx9', 'neither a Region nor an edge'],
    ['', 'it is empty'],
    ['IE1', 'lower case'],
    ['de1', 'legacy name of the edge frankfurt'],
    ['us2', 'legacy name of the edge umatilla'],
    ['dublin', 'is an edge'],
    ['ashburn-ix', 'Interconnect edge'],
    ['roaming', 'it is no Region'],
    ["ie1'; DROP", 'neither a Region nor an edge'],
  ])('VoiceRegion "%s" is 21252', async (value, reason) => {
    const response = await post({ VoiceRegion: value });
    expect(response.status).toBe(400);
    expect(response.body.code).toBe(21252);
    expect(response.body.message).toContain(reason);
    expect(response.body.message).toContain('us1, ie1, au1');
    expect(await world.routeOf(NUMBER)).toBeUndefined();
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

  it.each([
    ['PhoneNumbers', '+15105550199'],
    ['PhoneNumbers', '15105550100'],
    ['PhoneNumbers', 'nonsense'],
    ['PhoneNumbers', 'acme.sip.twilio.com'],
    ['SipDomains', 'nobody.sip.twilio.com'],
    ['SipDomains', 'rival.sip.twilio.com'],
    ['SipDomains', 'rival'],
    ['SipDomains', 'acme.sip.example.com'],
    ['SipDomains', 'sip.twilio.com'],
    ['SipDomains', NUMBER],
    ['SipDomains', 'a%00b'],
    ['SipDomains', '..%2f..'],
    ['Trunks', 'nobody.pstn.twilio.com'],
    ['Trunks', 'acme.pstn.twilio.com'],
  ])('%s does not know %s', async (kind, key) => {
    const answer = await get(key, kind);
    expect([answer.status, answer.body.code]).toEqual([404, 20404]);
    expect((await post({ VoiceRegion: 'us1' }, key, kind)).body.code).toBe(20404);
    expect((await world.routes.list(ACCOUNT, { offset: 0, limit: 1 })).items).toEqual([]);
  });

  it('tells the key of another account from an unknown one in nothing but the name', async () => {
    const [theirs, unknown] = await Promise.all(
      ['rival', 'river'].map((name) => get(`${name}.sip.twilio.com`, 'SipDomains')),
    );
    expect(theirs?.status).toBe(404);
    expect(theirs?.text.replaceAll('rival', 'river')).toBe(unknown?.text);
  });

  it.each([
    ['SipDomains', 'acme.sip.dublin.twilio.com', 'SipDomains/acme.sip.twilio.com'],
    ['SipDomains', 'acme.sip.ie1.trunkline.localhost', 'the edge dublin'],
    ['SipDomains', 'acme.sip.dublin.ie1.twilio.com', 'a Region never does'],
    ['SipDomains', 'acme.sip.nowhere.twilio.com', "'nowhere'"],
    ['Trunks', 'east.pstn.london-ix.twilio.com', 'Trunks/east.pstn.twilio.com'],
    ['SipDomains', 'east.pstn.twilio.com', 'ask Trunks'],
    ['Trunks', 'acme.sip.twilio.com', 'ask SipDomains'],
  ])('%s/%s is refused with what to do instead', async (kind, key, reason) => {
    const answer = await post({ VoiceRegion: 'us1' }, key, kind);
    expect([answer.status, answer.body.code]).toEqual([404, 20404]);
    expect(answer.body.message).toContain(reason);
    expect((await world.routes.list(ACCOUNT, { offset: 0, limit: 1 })).items).toEqual([]);
  });

  it('has no list, and cannot be deleted', async () => {
    const app = regionApp(region.options());
    expect((await request(app).get('/v2/SipDomains').auth(ACCOUNT, region.token)).status).toBe(404);
    const deleted = await request(app).delete(`/v2/PhoneNumbers/${NUMBER}`).auth(ACCOUNT, region.token);
    expect([deleted.status, deleted.body.code]).toEqual([405, 20004]);
  });
});

describe('a route to a Region that could not take the calls', () => {
  it('is set, with a warning that says what is missing and where to add it', async () => {
    const response = await post({ VoiceRegion: 'au1' });
    expect(response.status).toBe(200);
    expect(response.headers[WARNING]).toMatch(/22199.*api\.sydney\.au1\.trunkline\.localhost/);
    const domain = await post({ VoiceRegion: 'us1' }, 'acme', 'SipDomains');
    expect(domain.headers[WARNING]).toMatch(/does not exist in us1.*api\.trunkline\.localhost/);
    const trunk = await post({ VoiceRegion: 'ie1' }, 'east', 'Trunks');
    expect(trunk.headers[WARNING]).toMatch(/trunking\.dublin\.ie1/);
  });

  it('has no warning where the Region has it', async () => {
    expect((await post({ VoiceRegion: 'ie1' }, 'acme', 'SipDomains')).headers[WARNING]).toBeUndefined();
    const created = await request(regionApp(region.options()))
      .post(`/2010-04-01/Accounts/${ACCOUNT}/IncomingPhoneNumbers.json`)
      .auth(ACCOUNT, region.token)
      .type('form')
      .send({ PhoneNumber: '+15105550142' });
    expect(created.status).toBe(201);
    const number = created.body.phone_number;
    expect((await post({ VoiceRegion: 'ie1' }, number)).headers[WARNING]).toBeUndefined();
    expect((await post({ VoiceRegion: 'us1' }, number)).headers[WARNING]).toContain('us1');
    const us1 = new RegionWorld('us1', world);
    await request(regionApp(us1.options()))
      .post(`/2010-04-01/Accounts/${ACCOUNT}/IncomingPhoneNumbers/${created.body.sid}.json`)
      .auth(ACCOUNT, us1.token)
      .type('form')
      .send({ FriendlyName: 'Main' });
    expect((await post({ VoiceRegion: 'us1' }, number)).headers[WARNING]).toBeUndefined();
  });

  it('is set also when it cannot be found out', async () => {
    const { ownership } = region.options();
    const regionsOf = () => Promise.reject(new Error('away'));
    const response = await through({ ownership: { ...ownership, regionsOf } }).post({ VoiceRegion: 'us1' });
    expect(response.status).toBe(200);
  });
});

/** Requests to a Region of which something is different. */
function through(changes: Partial<RegionOptions>, id: RegionId = 'ie1') {
  const other = id === 'ie1' ? region : new RegionWorld(id, world);
  const app = regionApp(other.options(changes));
  const path = `/v2/PhoneNumbers/${NUMBER}`;
  return {
    get: () => request(app).get(path).auth(ACCOUNT, other.token),
    post: (form: object) => request(app).post(path).auth(ACCOUNT, other.token).type('form').send(form),
  };
}

describe('the route table', () => {
  it('takes so many changes a second from all Regions together, and reads go on', async () => {
    const routes = createMemoryRoutes({ clock: world.clock }).table;
    const [ie1, us1] = [through({ routes }), through({ routes }, 'us1')];
    for (let n = 0; n < 300; n++) {
      const key = { kind: 'trunk', key: `t${n}`, accountSid: ACCOUNT, sid: sid('QQ', n) } as const;
      const rest = { voiceRegion: 'ie1', friendlyName: '', createdAt: 1, updatedAt: 1 } as const;
      await routes.change('trunk', key.key, () => ({ ...key, ...rest }), null);
      await world.clock.advance(1);
    }
    for (const { post: set, get: read } of [ie1, us1]) {
      const refused = await set({ VoiceRegion: 'ie1' });
      expect([refused.status, refused.body.code]).toEqual([429, 20429]);
      expect(refused.headers['retry-after']).toBe('1');
      expect((await read()).body.code).toBe(20404);
    }
    await world.clock.advance(700);
    expect((await us1.post({ VoiceRegion: 'ie1' })).status).toBe(200);
    expect((await ie1.get()).body.voice_region).toBe('ie1');
  });

  it('is 503 when it cannot be read or written, and not "no route"', async () => {
    const { routes } = world;
    const away = () => Promise.reject(new Error('away'));
    const cannot = through({ routes: { ...routes, fetch: away, change: away } });
    for (const response of [await cannot.get(), await cannot.post({ VoiceRegion: 'ie1' })]) {
      expect([response.status, response.body.code]).toEqual([503, 20503]);
      expect(response.headers['retry-after']).toBe('1');
    }
    const { ownership } = region.options();
    const unowned = await through({ ownership: { ...ownership, byNumber: away } }).get();
    expect(unowned.status).toBe(503);
  });

  it('answers two writers of one key, keeps one record and tells of both', async () => {
    const [ie1, us1] = [through({}), through({}, 'us1')];
    const answers = await Promise.all([ie1.post({ VoiceRegion: 'ie1' }), us1.post({ VoiceRegion: 'au1' })]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(new Set(answers.map(({ body }) => body.sid)).size).toBe(1);
    const changes = await world.routes.changes('phone-number', NUMBER);
    expect(changes.map(({ by }) => by?.region).toSorted()).toEqual(['ie1', 'us1']);
    expect((await ie1.get()).body.voice_region).toBe(changes[0]?.after?.voiceRegion);
  });
});
