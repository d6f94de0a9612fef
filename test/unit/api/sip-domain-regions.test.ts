import { beforeEach, describe, expect, it } from 'vitest';
import { codeOf, SipWorld } from './sip-world.ts';
import { ACCOUNT, sid } from './support/region.ts';

let sip: SipWorld;

beforeEach(() => {
  sip = new SipWorld();
});

describe('sub-domains', () => {
  it('need their domain in this Region', async () => {
    expect(codeOf(await sip.create('ie1', 'east.acme.sip.twilio.com'))).toEqual([400, 21232]);
    await sip.domain('us1', 'acme');
    expect(codeOf(await sip.create('ie1', 'east.acme.sip.twilio.com'))).toEqual([400, 21232]);
    await sip.domain('ie1', 'acme');
    await sip.domain('ie1', 'east.acme');
    expect(codeOf(await sip.create('ie1', 'a.west.acme.sip.twilio.com'))).toEqual([400, 21232]);
    await sip.domain('ie1', 'a.east.acme');
    expect(await sip.world.names.ownerOf('sip-domain', 'a.east.acme')).toBe(ACCOUNT);
  });

  it('may be a subaccount’s, never a stranger’s', async () => {
    await sip.domain('ie1', 'acme');
    expect(codeOf(await sip.create('ie1', 'x.acme.sip.twilio.com', {}, await sip.stranger()))).toEqual([
      400, 21232,
    ]);
    await sip.domain('ie1', 'east.acme', await sip.subaccount());
  });

  it('of a subaccount give the parent account no place below them', async () => {
    const sub = await sip.subaccount();
    await sip.domain('ie1', 'acme', sub);
    expect(codeOf(await sip.create('ie1', 'east.acme.sip.twilio.com'))).toEqual([400, 21232]);
  });

  it('keep their domain from being deleted or renamed: 21233', async () => {
    const domain = await sip.domain('ie1', 'acme');
    const sub = await sip.subaccount();
    const below = await sip.domain('ie1', 'east.acme', sub);
    await sip.domain('ie1', 'northacme');
    expect(codeOf(await sip.remove('ie1', domain))).toEqual([400, 21233]);
    expect(codeOf(await sip.post('ie1', domain, { DomainName: 'new.sip.twilio.com' }))).toEqual([400, 21233]);
    expect((await sip.get('ie1', domain)).body.domain_name).toBe('acme.sip.twilio.com');
    expect((await sip.remove('ie1', below, sub)).status).toBe(204);
    expect((await sip.remove('ie1', domain)).status).toBe(204);
  });
});

describe('the number of domains', () => {
  it('is at most 100 for an account in a Region: 21230, and the name refused stays free', async () => {
    for (let n = 0; n < 100; n++) await sip.domain('ie1', `name-${n}`);
    expect(codeOf(await sip.create('ie1', 'more.sip.twilio.com'))).toEqual([400, 21230]);
    expect(await sip.world.names.ownerOf('sip-domain', 'more')).toBeUndefined();
    expect(await sip.route('more')).toBeUndefined();
    await sip.domain('us1', 'more');
    await sip.domain('ie1', 'theirs', await sip.subaccount());
    const [first] = await sip.regions.ie1.config.records.domains.list(ACCOUNT);
    expect((await sip.remove('ie1', `Domains/${first?.sid}`)).status).toBe(204);
    await sip.domain('ie1', 'another');
  });
});

describe('a domain in several Regions', () => {
  it('is routed to the Region where it is first created, and stays there', async () => {
    const inIreland = await sip.domain('ie1', 'acme');
    const first = await sip.route('acme');
    expect(first).toMatchObject({
      kind: 'sip-domain',
      key: 'acme',
      accountSid: ACCOUNT,
      voiceRegion: 'ie1',
      friendlyName: 'acme.sip.twilio.com',
    });
    expect(first?.sid).toMatch(/^QQ[0-9a-f]{32}$/);
    const inAustralia = await sip.domain('au1', 'acme');
    const inVirginia = await sip.domain('us1', 'acme');
    expect(new Set([inIreland, inAustralia, inVirginia]).size).toBe(3);
    expect(await sip.route('acme')).toEqual(first);
    expect((await sip.remove('ie1', inIreland)).status).toBe(204);
    expect((await sip.remove('us1', inVirginia)).status).toBe(204);
    expect(await sip.route('acme')).toEqual(first);
    expect((await sip.remove('au1', inAustralia)).status).toBe(204);
    expect(await sip.route('acme')).toBeUndefined();
    expect(await sip.world.names.ownerOf('sip-domain', 'acme')).toBeUndefined();
  });

  it('has no route when it is created in us1 first', async () => {
    await sip.domain('us1', 'acme');
    expect(await sip.route('acme')).toBeUndefined();
    await sip.domain('ie1', 'acme');
    expect(await sip.route('acme')).toBeUndefined();
  });

  it('is known by SID in its own Region alone', async () => {
    const domain = await sip.domain('ie1', 'acme');
    const response = await sip.get('us1', domain);
    expect(codeOf(response)).toEqual([404, 20404]);
    expect(response.body.message).toContain('us1');
    expect((await sip.get('us1', 'Domains')).body.domains).toEqual([]);
  });

  it('goes to another account once the first has it nowhere', async () => {
    const other = await sip.stranger();
    const here = await sip.domain('ie1', 'acme');
    const there = await sip.domain('us1', 'acme');
    await sip.remove('ie1', here);
    expect(codeOf(await sip.create('ie1', 'acme.sip.twilio.com', {}, other))).toEqual([400, 21232]);
    await sip.remove('us1', there);
    await sip.domain('ie1', 'acme', other);
    expect((await sip.route('acme'))?.accountSid).toBe(other.sid);
  });

  it('leaves no route of an earlier owner in force', async () => {
    await sip.world.routes.save({
      sid: sid('QQ', 1),
      kind: 'sip-domain',
      key: 'acme',
      accountSid: sid('AC', 9),
      voiceRegion: 'au1',
      friendlyName: '',
      createdAt: 1,
      updatedAt: 1,
    });
    await sip.domain('us1', 'acme');
    expect(await sip.route('acme')).toBeUndefined();
  });
});

describe('another name', () => {
  it('frees the old one and follows the rules of new ones', async () => {
    const domain = await sip.domain('ie1', 'acme');
    await sip.domain('ie1', 'beta');
    expect(codeOf(await sip.post('ie1', domain, { DomainName: 'beta.sip.twilio.com' }))).toEqual([
      400, 21232,
    ]);
    expect(codeOf(await sip.post('ie1', domain, { DomainName: 'x.y.sip.twilio.com' }))).toEqual([400, 21232]);
    expect(codeOf(await sip.post('ie1', domain, { DomainName: 'wrong' }))).toEqual([400, 21231]);
    expect(await sip.world.names.ownerOf('sip-domain', 'acme')).toBe(ACCOUNT);
    const { status, body } = await sip.post('ie1', domain, { DomainName: 'new.sip.twilio.com' });
    expect([status, body.sid, body.domain_name]).toEqual([200, domain.split('/')[1], 'new.sip.twilio.com']);
    expect([await sip.route('acme'), (await sip.route('new'))?.voiceRegion]).toEqual([undefined, 'ie1']);
    expect(await sip.regions.ie1.config.records.domains.find('acme')).toBeUndefined();
    await sip.domain('ie1', 'acme', await sip.stranger());
  });

  it('is none when only its spelling changes', async () => {
    const domain = await sip.domain('ie1', 'acme');
    const before = await sip.route('acme');
    const { body } = await sip.post('ie1', domain, { DomainName: 'ACME.sip.trunkline.localhost' });
    expect(body.domain_name).toBe('ACME.sip.trunkline.localhost');
    expect(await sip.route('acme')).toEqual(before);
    expect(await sip.world.names.ownerOf('sip-domain', 'acme')).toBe(ACCOUNT);
  });
});
