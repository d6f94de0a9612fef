import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { DialWorld } from './support/dial-world.ts';
import { answers, type Behaviour, type Heard, RawCallee, rings } from './support/raw-callee.ts';

let world: DialWorld;
const callees: RawCallee[] = [];

async function callee(onInvite: Behaviour): Promise<RawCallee> {
  const one = await RawCallee.open(onInvite);
  callees.push(one);
  return one;
}

/** The bytes of a header's value as they came in. */
const bytesOf = (message: Heard, name: string) => Buffer.from(message.header(name), 'latin1');

beforeAll(async () => {
  world = await DialWorld.start();
});

afterEach(() => {
  for (const one of callees.splice(0)) one.close();
});

afterAll(() => world.stop());

describe('headers of a URI', () => {
  it.each([
    ['X-A', 'plain', 'plain'],
    ['X-Reserved', 'a%20b%26c%3Dd%3Fe%25f%3Bg%2Ch', 'a b&c=d?e%f;g,h'],
    ['X-Utf8', '%C3%9Cber%20%E2%82%AC%20%F0%9F%93%9E', 'Über € 📞'],
    ['x-lower', 'Keeps%20Case', 'Keeps Case'],
    ['X-Quoted', '%22q%5C%22%3Curi%3E', '"q\\"<uri>'],
    [
      'User-to-User',
      '3132333435%3Bencoding%3Dhex%3Bpurpose%3Dcalls',
      '3132333435;encoding=hex;purpose=calls',
    ],
    ['Remote-Party-ID', '%3Csip%3Aann%40example.com%3E%3Bprivacy%3Doff', '<sip:ann@example.com>;privacy=off'],
    ['P-Preferred-Identity', '%3Csip%3Aann%40example.com%3E', '<sip:ann@example.com>'],
    ['P-Called-Party-ID', '%3Csip%3Abob%40example.com%3E', '<sip:bob@example.com>'],
  ])('%s=%s arrives byte by byte', async (name, written, meant) => {
    const party = await callee((invite, one) => one.reply(invite, 486));
    const call = world.dial(`<Sip>${party.uri}?X-First=1&amp;${name}=${written}&amp;X-Last=2</Sip>`);
    const invite = await party.waitFor('INVITE');
    expect(bytesOf(invite, name)).toEqual(Buffer.from(meant, 'utf8'));
    expect(invite.text).toContain(`\r\n${name}: `); // the name as it was written
    expect([invite.header('X-First'), invite.header('X-Last')]).toEqual(['1', '2']);
    expect(invite.text.split('\r\n')[0]).toBe(`INVITE ${party.uri} SIP/2.0`);
    const { parent } = await world.ended(call.from);
    expect(parent.diagnostics).toEqual([]);
  });

  it('CR and LF make no header of their own; names that are not allowed stay away, with 32113', async () => {
    const party = await callee((invite, one) => one.reply(invite, 486));
    const call = world.dial(
      `<Sip>${party.uri}?X-Ok=1&amp;X-Bad=a%0D%0AX-Injected%3A%20b&amp;Subject=hello&amp;Route=%3Csip%3A192.0.2.1%3E</Sip>`,
    );
    const invite = await party.waitFor('INVITE');
    expect(invite.header('X-Ok')).toBe('1');
    for (const name of ['X-Injected', 'Subject', 'Route']) expect(invite.header(name)).toBe('');
    const { parent } = await world.ended(call.from);
    expect(parent.diagnostics.filter(({ code }) => code === 32113)).toHaveLength(2);
  });

  it('every INVITE says which call of which account it is', async () => {
    const party = await callee(rings);
    const call = world.dial(`<Sip>${party.uri}</Sip>`);
    const invite = await party.waitFor('INVITE');
    party.reply(invite, 486);
    const form = await world.after(call.from);
    expect(invite.header('X-Twilio-CallSid')).toBe(form['DialCallSid']);
    expect(invite.header('X-Twilio-AccountSid')).toBe(world.trunkline.accountSid);
    expect(invite.header('X-Twilio-ApiVersion')).toBe('2010-04-01');
    expect(form['DialSipCallId']).toBe(invite.header('Call-ID'));
  });
});

describe('headers that come back', () => {
  it('those of the 200 reach the screening URL, those of the BYE reach action', async () => {
    const utf8 = Buffer.from('Grüße €', 'utf8').toString('latin1');
    const party = await callee((invite, one) =>
      one.reply(invite, 200, {
        headers: ['X-Agent: 7 & 8', `X-Greeting: ${utf8}`, 'User-to-User: 31', 'Subject: no'],
      }),
    );
    const call = world.dial(`<Sip url="/screen">${party.uri}</Sip>`);
    const invite = await party.waitFor('INVITE');
    const screened = await screening();
    expect(screened).toMatchObject({ 'SipHeader_X-Agent': '7 & 8', 'SipHeader_X-Greeting': 'Grüße €' });
    expect(Object.keys(screened).filter((name) => /subject|user-to-user/i.test(name))).toEqual([]);
    expect(screened).toMatchObject({ SipCallId: invite.header('Call-ID'), Direction: 'outbound-dial' });
    await until('the caller at the callee: they are connected', () => party.media.length > 0);
    party.request('BYE', invite, 'X-Reason: done & gone', `X-Bye: ${utf8}`, 'Subject: no');
    const form = await world.after(call.from);
    expect(form).toMatchObject({ 'DialSipHeader_X-Reason': 'done & gone', 'DialSipHeader_X-Bye': 'Grüße €' });
    expect(form).toMatchObject({ DialCallStatus: 'completed', DialBridged: 'true' });
    expect(Object.keys(form).filter((name) => /^DialSipHeader_(?!X-)/.test(name))).toEqual([]);
    expect(screened).toMatchObject({ CallSid: form['DialCallSid'], ParentCallSid: form['CallSid'] });
  });

  it('those of a refusal reach action', async () => {
    const party = await callee((invite, one) => one.reply(invite, 486, { headers: ['X-Until: 17:00'] }));
    const call = world.dial(`<Sip>${party.uri}</Sip>`);
    expect(await world.after(call.from)).toMatchObject({
      'DialSipHeader_X-Until': '17:00',
      DialCallStatus: 'busy',
    });
  });

  async function screening(): Promise<Readonly<Record<string, string>>> {
    const request = await until('the screening request', () =>
      world.app.seen.find(({ path }) => path === '/screen'),
    );
    return request.form;
  }
});

describe('digest', () => {
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');

  it.each([
    [401, 'WWW-Authenticate', 'Authorization'],
    [407, 'Proxy-Authenticate', 'Proxy-Authorization'],
  ] as const)('%d is answered with what RFC 2617 computes', async (status, ask, say) => {
    const party = await callee((invite, one) => {
      if (invite.header(say) !== '') one.reply(invite, 486);
      else
        one.reply(invite, status, {
          headers: [`${ask}: Digest realm="r, 1", nonce="n=1", qop="auth", algorithm=MD5`],
        });
    });
    const call = world.dial(`<Sip username="änn" password="p: w&amp;d">${party.uri}</Sip>`);
    const second = await party.waitFor('INVITE', 2);
    const said = second.header(say);
    const field = (name: string) => new RegExp(`\\b${name}="?([^",]*)"?`).exec(said)?.[1] ?? '';
    const user = Buffer.from('änn', 'utf8').toString('latin1');
    expect(said).toContain(`username="${user}"`);
    const a1 = createHash('md5').update('änn:r, 1:p: w&d', 'utf8').digest('hex');
    const a2 = md5(`INVITE:${field('uri')}`);
    expect(field('response')).toBe(md5([a1, 'n=1', field('nc'), field('cnonce'), 'auth', a2].join(':')));
    expect(field('uri')).toBe(party.uri);
    expect(Number.parseInt(second.header('CSeq'), 10)).toBeGreaterThan(
      Number.parseInt(party.requests('INVITE')[0]?.header('CSeq') ?? '', 10),
    );
    expect(await world.after(call.from)).toMatchObject({
      DialCallStatus: 'busy',
      DialSipResponseCode: '486',
    });
  });
});

it('a call with SDP and media of its own: what the callee says is answered from where its INVITE said', async () => {
  const party = await callee(answers);
  const call = world.dial(`<Sip>${party.uri}</Sip>`);
  await party.waitFor('ACK');
  const [invite] = party.requests('INVITE');
  const port = Number(/^m=audio (\d+)/m.exec(invite?.text ?? '')?.[1]);
  await until('media at the callee', () => party.media.length > 10);
  expect(new Set(party.media.map((one) => one.port))).toEqual(new Set([port]));
  call.hangUp();
  await call.code;
});
