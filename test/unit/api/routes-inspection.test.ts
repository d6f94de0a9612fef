import request from 'supertest';
import { beforeEach, describe, expect, it } from 'vitest';
import { regionApp } from '../../../src/api/region-app.ts';
import { createMemoryRoutes } from '../../../src/routing/memory.ts';
import type { RouteTable } from '../../../src/routing/port.ts';
import { ACCOUNT, CREATED, RegionWorld, sid, World } from './support/region.ts';

const NUMBER = '+15105550100';
const OTHER_ACCOUNT = `AC${'f'.repeat(32)}`;
const DELAY_MS = 60_000;

let world: World;
let routes: RouteTable;
let region: RegionWorld;

const app = () => regionApp(region.options({ routes }));
const get = (path: string) => request(app()).get(`/trunkline/v1/Routes${path}`).auth(ACCOUNT, region.token);
const set = (path: string, form: object) =>
  request(app()).post(`/v2/${path}`).auth(ACCOUNT, region.token).type('form').send(form);

beforeEach(async () => {
  world = new World();
  routes = createMemoryRoutes({ clock: world.clock, delayMs: DELAY_MS }).table;
  region = new RegionWorld('ie1', world);
  await world.ownership.claim({
    sid: sid('PN', 1),
    accountSid: ACCOUNT,
    phoneNumber: NUMBER,
    createdAt: CREATED,
  });
  await world.ownership.configured(sid('PN', 1), 'us1');
  await world.names.claim('sip-domain', 'acme', ACCOUNT, 'ie1');
  await world.names.claim('sip-domain', 'rival', OTHER_ACCOUNT, 'ie1');
});

describe('/trunkline/v1/Routes/{kind}/{key}', () => {
  it('shows a key without a record: its calls go to us1', async () => {
    expect((await get(`/PhoneNumbers/${NUMBER}`)).body).toEqual({
      kind: 'PhoneNumbers',
      key: NUMBER,
      account_sid: ACCOUNT,
      active_region: 'us1',
      pending: null,
      record: null,
      date_everywhere: null,
      edge_max_age_ms: 5_000,
      configured_regions: ['us1'],
      warnings: [],
      url: `/trunkline/v1/Routes/PhoneNumbers/${NUMBER}`,
      links: { changes: `/trunkline/v1/Routes/PhoneNumbers/${NUMBER}/Changes` },
    });
  });

  it('shows the record, the change that is under way and when all edges follow it', async () => {
    const { body: record } = await set(`PhoneNumbers/${NUMBER}`, {
      VoiceRegion: 'ie1',
      FriendlyName: 'Main',
    });
    const { body } = await get(`/PhoneNumber/${NUMBER}`);
    expect(body).toMatchObject({
      active_region: 'us1',
      pending: { voice_region: 'ie1', date_effective: '2026-01-15T12:01:00.000Z' },
      record: { sid: record.sid, voice_region: 'ie1', friendly_name: 'Main' },
      date_everywhere: '2026-01-15T12:01:00.000Z',
      warnings: [expect.stringContaining('no voice configuration in ie1')],
    });
    await world.clock.advance(DELAY_MS);
    expect((await get(`/PhoneNumbers/${NUMBER}`)).body).toMatchObject({
      active_region: 'ie1',
      pending: null,
      // From then on an edge that missed the announcement is late by the age of what it remembers, at most.
      date_everywhere: '2026-01-15T12:00:05.000Z',
    });
  });

  it.each(['acme.sip.twilio.com', 'acme.sip.trunkline.localhost', 'acme'])(
    'reads %s as v2 does',
    async (key) => {
      await set(`SipDomains/${key}`, { VoiceRegion: 'ie1' });
      const { body } = await get(`/SipDomains/${key}`);
      expect(body).toMatchObject({
        kind: 'SipDomains',
        record: { voice_region: 'ie1' },
        warnings: [expect.any(String)],
      });
      expect(body.warnings[0]).toContain('us1'); // where its calls still go
    },
  );

  it.each([
    '/SipDomains/rival',
    '/SipDomains/nobody',
    '/PhoneNumbers/+15105550199',
    '/Kinds/x',
    '/SipDomains/rival/Changes',
  ])('does not know %s', async (path) => {
    const answer = await get(path);
    expect([answer.status, answer.body.code]).toEqual([404, 20404]);
  });
});

describe('/trunkline/v1/Routes', () => {
  beforeEach(async () => {
    await set(`PhoneNumbers/${NUMBER}`, { VoiceRegion: 'ie1' });
    await world.clock.advance(DELAY_MS);
    await set('SipDomains/acme', { VoiceRegion: 'au1' });
    await routes.save({
      sid: sid('QQ', 99),
      kind: 'sip-domain',
      key: 'rival',
      accountSid: OTHER_ACCOUNT,
      voiceRegion: 'ie1',
      friendlyName: '',
      createdAt: 1,
      updatedAt: 1,
    });
  });

  it.each([
    ['', ['acme.sip.trunkline.localhost', NUMBER]],
    ['?Kind=PhoneNumbers', [NUMBER]],
    ['?Kind=Trunks', []],
    ['?VoiceRegion=au1', ['acme.sip.trunkline.localhost']],
    ['?Pending=true', ['acme.sip.trunkline.localhost']],
    ['?Pending=false', [NUMBER]],
    ['?Key=ACME', ['acme.sip.trunkline.localhost']],
    ['?PageSize=1', ['acme.sip.trunkline.localhost']],
    ['?PageSize=1&Page=1', [NUMBER]],
  ])('lists the account’s own, newest first (%s)', async (query, keys) => {
    const { body } = await get(query);
    expect(body.routes.map(({ key }: { key: string }) => key)).toEqual(keys);
  });

  it('is followed from page to page', async () => {
    const { body } = await get('?PageSize=1');
    const { body: second } = await request(app()).get(body.next_page_uri).auth(ACCOUNT, region.token);
    expect(second.routes).toMatchObject([{ key: NUMBER, active_region: 'ie1' }]);
    expect(second.next_page_uri).toBeNull();
  });

  it.each([['?Kind=phone'], ['?VoiceRegion=de1'], ['?Pending=maybe'], ['?PageSize=0']])(
    'refuses %s',
    async (query) => {
      expect((await get(query)).status).toBe(400);
    },
  );
});

describe('/trunkline/v1/Routes/{kind}/{key}/Changes', () => {
  it('says who changed what, through which Region’s host, and when calls follow', async () => {
    const { body: first } = await set(`PhoneNumbers/${NUMBER}`, { VoiceRegion: 'ie1', FriendlyName: 'Main' });
    await world.clock.advance(1_500);
    await set(`PhoneNumbers/${NUMBER}`, { VoiceRegion: 'au1' });
    const terms = { sid: first.sid, friendly_name: 'Main' };
    const by = { account_sid: ACCOUNT, credential_sid: ACCOUNT, region: 'ie1' };
    const { body } = await get(`/PhoneNumbers/${NUMBER}/Changes`);
    expect(body.changes).toEqual([
      {
        date: '2026-01-15T12:00:01.500Z',
        date_effective: '2026-01-15T12:01:01.500Z',
        by,
        before: { ...terms, voice_region: 'ie1' },
        after: { ...terms, voice_region: 'au1' },
      },
      {
        date: '2026-01-15T12:00:00.000Z',
        date_effective: '2026-01-15T12:01:00.000Z',
        by,
        before: null,
        after: { ...terms, voice_region: 'ie1' },
      },
    ]);
    expect(JSON.stringify(await routes.changes('phone-number', NUMBER))).not.toContain(region.token);
  });

  it('names the API key that was used', async () => {
    const created = await request(app())
      .post(`/2010-04-01/Accounts/${ACCOUNT}/Keys.json`)
      .auth(ACCOUNT, region.token)
      .type('form')
      .send({});
    const { sid: key, secret } = created.body;
    await request(app())
      .post(`/v2/PhoneNumbers/${NUMBER}`)
      .auth(key, secret)
      .type('form')
      .send({ VoiceRegion: 'ie1' });
    const { body } = await get(`/PhoneNumbers/${NUMBER}/Changes`);
    expect(body.changes).toMatchObject([
      { by: { account_sid: ACCOUNT, credential_sid: key, region: 'ie1' } },
    ]);
    expect(JSON.stringify(body)).not.toContain(secret);
  });

  it('tells the creation and the release of a number, and the next owner nothing of it', async () => {
    const numbers = `/2010-04-01/Accounts/${ACCOUNT}/IncomingPhoneNumbers`;
    const create = () =>
      request(app())
        .post(`${numbers}.json`)
        .auth(ACCOUNT, region.token)
        .type('form')
        .send({ PhoneNumber: '+15105550142' });
    const { body: number } = await create();
    expect((await get('/PhoneNumbers/+15105550142/Changes')).body.changes).toMatchObject([
      { before: null, after: { voice_region: 'ie1' }, by: { credential_sid: ACCOUNT } },
    ]);
    await request(app()).delete(`${numbers}/${number.sid}.json`).auth(ACCOUNT, region.token);
    await create();
    const { body } = await get('/PhoneNumbers/+15105550142/Changes');
    expect(body.changes.map(({ after }: { after: object | null }) => after === null)).toEqual([
      false,
      true,
      false,
    ]);
    const [change] = await routes.changes('phone-number', '+15105550142');
    expect(change?.accountSid).toBe(ACCOUNT);
    await world.names.release('sip-domain', 'rival', OTHER_ACCOUNT, 'ie1');
    const record = {
      sid: sid('QQ', 9),
      kind: 'sip-domain',
      key: 'rival',
      accountSid: OTHER_ACCOUNT,
    } as const;
    await routes.save({ ...record, voiceRegion: 'ie1', friendlyName: '', createdAt: 1, updatedAt: 1 });
    await world.names.claim('sip-domain', 'rival', ACCOUNT, 'ie1');
    expect((await get('/SipDomains/rival/Changes')).body.changes).toEqual([]);
    expect((await get('/SipDomains/rival')).body.record).toBeNull();
  });
});
