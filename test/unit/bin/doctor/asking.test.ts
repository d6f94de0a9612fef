import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { doctorCommand } from '../../../../src/bin/doctor/doctor-command.ts';
import { examine } from '../../../../src/bin/doctor/examine.ts';
import type { RegionId } from '../../../../src/region/region.ts';
import { ACCOUNT, type Answers, FakeRegions, installationOf, tokenOf } from './fake-region.ts';

const NUMBER = '+353209155143';
const SECRET = 'c2VjcmV0IG9mIGEga2V5';
const KEY = `SK${'b'.repeat(32)}`;
const CONNECTION = `TX${'c'.repeat(32)}`;

let fake: FakeRegions | undefined;
afterEach(async () => {
  await fake?.stop();
  fake = undefined;
});

async function regions(
  answers: Partial<Record<RegionId, Answers>>,
  extra?: Partial<Record<RegionId, string>>,
): Promise<FakeRegions> {
  fake = await FakeRegions.start(answers, extra);
  return fake;
}

/** One Region's answers about the number: its configuration, and the record of the route table. */
function numberAnswers(voiceUrl: string | null | undefined, routedTo?: RegionId): Answers {
  const config = { phone_number: NUMBER, voice_url: voiceUrl };
  const listed = { incoming_phone_numbers: voiceUrl === undefined ? [] : [config] };
  const record = routedTo ? { sid: 'QQ1', date_updated: '2026-11-21T12:00:00.000Z' } : null;
  return {
    [`/2010-04-01/Accounts/${ACCOUNT}/IncomingPhoneNumbers.json?PhoneNumber=${NUMBER}`]: listed,
    ...(voiceUrl !== undefined && {
      [`/trunkline/v1/Routes/PhoneNumbers/${NUMBER}`]: {
        active_region: routedTo ?? 'us1',
        pending: null,
        record,
      },
    }),
  };
}

describe('a phone number', () => {
  it('says what would be asked when nothing runs, and what no record means', async () => {
    for (const text of [NUMBER, '+353 20 915-5143', `tel:${NUMBER}`]) {
      const finding = await examine(text, installationOf());
      expect(finding).toMatchObject({ subject: NUMBER, kind: 'number', region: { id: null }, problems: [] });
      expect(finding.region.why).toMatch(
        /would be asked for the phone number \+353209155143; no record means us1/,
      );
      expect(finding.notes).toEqual([expect.stringMatching(/Only its form was checked/)]);
    }
  });

  it('is where the route table says, and configured there', async () => {
    const { us1, ie1 } = {
      us1: numberAnswers(null, 'ie1'),
      ie1: numberAnswers('https://me:geheim@ie1.example.com/voice?x=geheim', 'ie1'),
    };
    const finding = await examine(NUMBER, (await regions({ us1, ie1 })).installation());
    expect(finding).toMatchObject({ region: { id: 'ie1' }, problems: [] });
    expect(finding.region.why).toMatch(/record QQ1, asked through us1/);
    expect(finding.notes).toContain('Configured in ie1: https://ie1.example.com/voice.');
    expect(JSON.stringify(finding)).not.toContain('geheim');
  });

  it('is where it was until a change takes effect', async () => {
    const pending = { voice_region: 'au1', date_effective: '2026-11-21T12:05:00.000Z' };
    const record = { sid: 'QQ1', date_updated: '2026-11-21T12:00:00.000Z' };
    const path = `/trunkline/v1/Routes/PhoneNumbers/${NUMBER}`;
    const ie1 = {
      ...numberAnswers('https://x.example.com/'),
      [path]: { active_region: 'ie1', pending, record },
    };
    const finding = await examine(NUMBER, (await regions({ ie1 })).installation());
    expect(finding).toMatchObject({ region: { id: 'ie1' }, problems: [] });
    expect(finding.notes).toContain(
      'A change to au1 is pending and takes effect at 2026-11-21T12:05:00.000Z.',
    );
  });

  it('is us1 without a record', async () => {
    const installation = (await regions({ us1: numberAnswers('https://us1.example.com/') })).installation();
    const finding = await examine(NUMBER, installation);
    expect(finding).toMatchObject({ region: { id: 'us1' }, problems: [] });
    expect(finding.region.why).toMatch(/no record.*which means us1/);
  });

  it.each([
    ['not configured where it goes', null, 'ie1', /no configuration there: calls fail with 22199/],
    ['configured with nothing', '', 'ie1', /names no URL/],
    ['routed to a Region that does not run', 'https://x.example.com/', 'au1', /au1, which does not run here/],
    ['not of this account', undefined, undefined, /is no number of account AC/],
  ] as const)('is wrong: %s', async (_, voiceUrl, routedTo, problem) => {
    const answers = numberAnswers(voiceUrl, routedTo);
    const finding = await examine(NUMBER, (await regions({ us1: answers, ie1: answers })).installation());
    expect(finding.problems).toEqual([expect.stringMatching(problem)]);
  });

  it.each(['12025550143', '00353209155143', '+0123', '555'])('%s is not E.164', async (text) => {
    const finding = await examine(text, installationOf());
    expect(finding).toMatchObject({
      kind: 'number',
      problems: [expect.stringMatching(/not a number in E\.164/)],
    });
  });
});

describe('a SIP domain', () => {
  const domains = (...names: string[]): Answers => ({
    [`/2010-04-01/Accounts/${ACCOUNT}/SIP/Domains.json?PageSize=1000`]: {
      domains: names.map((domain_name) => ({
        domain_name,
        auth_type: 'IP_ACL',
        voice_url: 'https://x.example.com',
      })),
    },
  });
  const route = (active_region: RegionId): Answers => ({
    '/trunkline/v1/Routes/SipDomains/acme.sip.twilio.com': {
      active_region,
      pending: null,
      record: { sid: 'QQ2', date_updated: '2026-11-21T12:00:00.000Z' },
    },
  });

  it('is processed where the table says, whichever edge its URI names', async () => {
    const own = { ...domains('acme.sip.twilio.com'), ...route('ie1') };
    const installation = (await regions({ us1: own, ie1: own })).installation();
    for (const edge of ['dublin', 'sydney', 'au1', 'tokyo-ix']) {
      const finding = await examine(`acme.sip.${edge}.twilio.com`, installation);
      expect(finding).toMatchObject({ region: { id: 'ie1' }, problems: [] });
    }
  });

  it('is wrong where it is routed to a Region that has none of it', async () => {
    const [us1, ie1] = [
      { ...domains('acme.sip.twilio.com'), ...route('ie1') },
      domains('other.sip.twilio.com'),
    ];
    const finding = await examine('acme.sip.twilio.com', (await regions({ us1, ie1 })).installation());
    expect(finding.problems).toEqual([expect.stringMatching(/routed to ie1 and exists in us1 only/)]);
  });

  it('is wrong when nobody has it, and when it lets nobody in', async () => {
    const nobody = await examine('acme.sip.twilio.com', (await regions({ us1: domains() })).installation());
    expect(nobody.problems).toEqual([expect.stringMatching(/No Region has a SIP domain 'acme'/)]);
    await fake?.stop();
    const path = `/2010-04-01/Accounts/${ACCOUNT}/SIP/Domains.json?PageSize=1000`;
    const closed = {
      [path]: { domains: [{ domain_name: 'acme.sip.twilio.com', auth_type: '', voice_url: '' }] },
    };
    const finding = await examine('acme.sip.twilio.com', (await regions({ us1: closed })).installation());
    expect(finding.problems).toEqual([
      expect.stringMatching(/neither an access/),
      expect.stringMatching(/VoiceUrl/),
    ]);
  });
});

describe('an Interconnect target', () => {
  const connection = (status: string): Answers => ({
    '/trunkline/v1/Connections': { connections: [{ sid: CONNECTION, exchange: 'london-ix', status }] },
  });

  it.each([
    ['edge=london-ix', 'active', 'london-ix', []],
    ['edge=london-ix', 'inactive', 'london-ix', [/^32305:/]],
    ['edge=tokyo-ix', 'active', 'tokyo-ix', [/^32305:/]],
    [`tnx=${CONNECTION}`, 'active', 'london-ix', []],
    [`tnx=${CONNECTION}`, 'inactive', 'london-ix', [/^32304:/]],
    [`tnx=TX${'d'.repeat(32)}`, 'active', null, [/^32302:/]],
  ])('%s with a connection that is %s', async (parameter, status, edge, problems) => {
    const installation = (await regions({ us1: {}, ie1: connection(status) })).installation();
    const finding = await examine(`sip:me@pbx.example.com;${parameter}`, installation);
    expect(finding.edge.id).toBe(edge);
    expect(finding.problems).toEqual(problems.map((pattern) => expect.stringMatching(pattern)));
  });
});

describe('a credential', () => {
  it('belongs to the Region that accepts it, and goes to every Region once', async () => {
    const running = await regions({ us1: {}, ie1: {}, au1: {} }, { ie1: `${KEY}:${SECRET}` });
    const finding = await examine(`${KEY}:${SECRET}`, running.installation({ account: undefined }));
    expect(finding).toMatchObject({ kind: 'credential', region: { id: 'ie1' }, problems: [] });
    expect(finding.notes).toContain('us1 refuses it (401, 20003: no: 20003).');
    expect(finding.notes).toContain('With ie1 use the host api.dublin.ie1.trunkline.localhost.');
    expect(JSON.stringify(finding)).not.toContain(SECRET);
    expect(running.asked.map(({ region, login }) => `${region} ${login}`).sort()).toEqual(
      ['au1', 'ie1', 'us1'].map((region) => `${region} ${KEY}:${SECRET}`),
    );
  });

  it('is never told to anything but a Region', async () => {
    const running = await regions({ us1: {} });
    await running.serveImpostor('ie1');
    const finding = await examine(`${ACCOUNT}:${tokenOf('us1')}`, running.installation());
    expect(finding).toMatchObject({ region: { id: 'us1' }, problems: [] });
    expect(finding.notes).toEqual(
      expect.arrayContaining([expect.stringMatching(/ie1 was not asked: .* is not ie1/)]),
    );
    expect(running.asked.map(({ region }) => region)).toEqual(['us1']);
  });

  it('without its token is asked for with the tokens of this home', async () => {
    const running = await regions({ us1: {}, ie1: {} });
    const finding = await examine(ACCOUNT, running.installation());
    expect(finding).toMatchObject({ region: { id: null, why: 'us1, ie1 accept it' }, problems: [] });
    expect(JSON.stringify(finding)).not.toContain('token-of');
    const stranger = await examine(`AC${'9'.repeat(32)}`, running.installation());
    expect(stranger).toMatchObject({
      problems: [],
      notes: [expect.stringMatching(/No token of AC9+ is known/)],
    });
  });

  it('of a key without its secret is looked for in every Region', async () => {
    const path = `/2010-04-01/Accounts/${ACCOUNT}/Keys/${KEY}.json`;
    const running = await regions({ us1: {}, au1: { [path]: { sid: KEY } } });
    const finding = await examine(KEY, running.installation());
    expect(finding).toMatchObject({ region: { id: 'au1' }, problems: [] });
    expect(finding.notes).toContain('us1 does not have it.');
  });

  it.each([
    `${KEY}:${SECRET}`,
    `${ACCOUNT}:${SECRET}`,
    `SK123:${SECRET}`,
    `${KEY}:`,
    'abcdef0123456789abcdef0123456789',
    `AC${'Z'.repeat(32)}:${SECRET}`,
  ])('%s is wrong, and shows no secret', async (text) => {
    const running = await regions({ us1: {}, ie1: {} });
    const finding = await examine(text, running.installation());
    expect(finding).toMatchObject({ kind: 'credential', region: { id: null } });
    expect(finding.problems).toHaveLength(1);
    expect(JSON.stringify(finding)).not.toMatch(new RegExp(`${SECRET}|abcdef0123456789`));
  });

  it('is wrong when no Region could be asked', async () => {
    const finding = await examine(`${KEY}:${SECRET}`, installationOf());
    expect(finding.problems).toEqual([expect.stringMatching(/us1, ie1, au1 could not be asked/)]);
  });
});

describe('the command', () => {
  async function run(argument: string, json = false, input = '') {
    let text = '';
    const stdout = { write: (chunk: string) => (text += chunk) };
    const io = { stdin: Readable.from([input]), stdout, installation: installationOf() };
    return { code: await doctorCommand(argument, json, io), text };
  }

  it('is 0 when nothing is wrong and 1 when something is, with a line for each thing', async () => {
    const fine = await run('api.dublin.ie1.twilio.com');
    expect(fine.code).toBe(0);
    expect(fine.text).toMatch(
      /^api\.dublin\.ie1\.twilio\.com: a host of the REST API\n {2}edge {4}none: .*\n {2}region {2}ie1: /,
    );
    expect(fine.text).toMatch(/\n {2}ok {6}nothing wrong was found\n$/);
    const retired = await run('api.ie1.twilio.com');
    expect(retired.code).toBe(1);
    expect(retired.text).toMatch(/\n {2}wrong {3}'api\.ie1\.twilio\.com' stopped working/);
  });

  it('says the same as JSON', async () => {
    const { code, text } = await run('api.ie1.twilio.com', true);
    expect(code).toBe(1);
    expect(JSON.parse(text)).toMatchObject({
      ok: false,
      kind: 'rest-host',
      region: { id: null },
      problems: [expect.any(String)],
    });
    expect(JSON.parse((await run('api.twilio.com', true)).text)).toMatchObject({
      ok: true,
      region: { id: 'us1' },
    });
  });

  it('reads what it is asked from standard input', async () => {
    const { text } = await run('-', false, `${KEY}:${SECRET}\n`);
    expect(text).toContain(`${KEY}:(secret not shown)`);
    expect(text).not.toContain(SECRET);
  });

  it('lets nothing steer the terminal', async () => {
    expect((await run('\u001b[2Jx')).text).not.toContain('\u001b');
  });
});
