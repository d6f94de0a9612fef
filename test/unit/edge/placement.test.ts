import { describe, expect, it } from 'vitest';
import { parseUri } from '../../../src/sip/message/uri.ts';
import { Callee, latin1 } from './callee.ts';
import {
  CALLEE,
  CHILD,
  DUBLIN,
  FRANKFURT,
  NUMBER,
  nothingIsLeft,
  OTHER_NUMBER,
  outboundJob,
  WORKER,
  world,
} from './world.ts';

describe('the INVITE', () => {
  it.each([
    ['dublin', 'sip:bob@10.0.0.3:5080', 'udp', DUBLIN],
    ['frankfurt', 'sip:bob@10.0.0.3:5080', 'udp', FRANKFURT],
    ['dublin', 'sip:bob@10.0.0.3:5080;transport=tcp', 'tcp', DUBLIN],
  ] as const)('leaves %s for %s by its own %s socket', async (edge, uri, transport, at) => {
    const w = await world();
    const callee = transport === 'udp' ? w.callee : await new Callee(CALLEE).bind(w.network, 'tcp', w.clock);
    const answer = await w.call({ uri, edge });
    const { message, from } = callee.request('INVITE');
    expect(message.uri).toBe(uri);
    expect(from.address).toBe(at.address);
    if (transport === 'udp') expect(from.port).toBe(at.port);
    const here = `${at.address}:${at.port}`;
    expect(message.headers.get('Via')).toMatch(
      new RegExp(`^SIP/2.0/${transport.toUpperCase()} ${here.replaceAll('.', '\\.')};`),
    );
    expect(parseUri(message.headers.get('Contact')?.slice(1, -1) ?? '')).toMatchObject({
      host: at.address,
      port: at.port,
    });
    expect(message.headers.get('From')).toMatch(`<sip:${OTHER_NUMBER}@${here}>;tag=`);
    expect(message.headers.get('To')).toBe(`<${uri}>`);
    expect(message.body).toMatch(/c=IN IP4 10\.0\.0\.1\r\n[\s\S]*m=audio 30000 RTP\/AVP 0 8 101\r\n/);
    expect(answer).toEqual({
      dialling: {
        sipCallId: message.headers.get('Call-ID'),
        leg: {
          state: 'ringing',
          media: {
            handle: 1,
            edge: w.relay.inner,
            format: { codec: 'PCMU', payloadType: 0, dtmfPayloadType: 101 },
          },
        },
      },
    });
    expect(w.relay.legs[0]?.attached).toEqual(WORKER);
    expect(w.switchboard.live).toBe(1);
  });

  it('brings the headers it was given, byte by byte', async () => {
    const w = await world();
    const headers = {
      'X-Order': latin1('größer; "a,b" <c>'),
      'x-lower': '  padded',
      'User-to-User': '48656c6c6f;encoding=hex',
      'X-Twilio-CallSid': CHILD,
    };
    await w.call({ headers });
    const lines = new Map(w.callee.request('INVITE').message.headers.lines.map((l) => [l.name, l.value]));
    expect(lines.get('X-Order')).toBe(latin1('größer; "a,b" <c>'));
    expect(lines.get('x-lower')).toBe('padded');
    expect(lines.get('User-to-User')).toBe('48656c6c6f;encoding=hex');
    expect(lines.get('X-Twilio-CallSid')).toBe(CHILD);
    expect(lines.get('Max-Forwards')).toBe('69');
  });

  it.each([
    ['jörg 1', '<sip:j%C3%B6rg%201@10.0.0.1:5060>'],
    ['anonymous', 'Anonymous <sip:anonymous@anonymous.invalid>'],
    ['sip:alice@pbx.example.com:5070', '<sip:alice@10.0.0.1:5060>'],
    ['', '<sip:10.0.0.1:5060>'],
  ])('from "%s" says %s', async (from, header) => {
    const w = await world();
    await w.call({ from });
    expect(w.callee.request('INVITE').message.headers.get('From')).toMatch(`${header};tag=`);
  });

  it.each([
    [401, 'WWW-Authenticate', 'Authorization'],
    [407, 'Proxy-Authenticate', 'Proxy-Authorization'],
  ])('is sent again with credentials after %d, once', async (status, asks, answers) => {
    const w = await world();
    await w.call({ credentials: { username: 'bob', password: 'secret' } });
    const challenge = { headers: { [asks]: 'Digest realm="pbx", nonce="n1", algorithm=MD5, qop="auth"' } };
    w.callee.respond(status, challenge);
    await w.settle();
    expect(w.callee.request('INVITE').message.headers.get(answers)).toContain('username="bob"');
    w.callee.respond(status, challenge);
    await w.settle();
    expect(w.told.ends).toMatchObject([
      { cause: 'rejected', sipStatus: status, diagnostic: { code: 32011, level: 'warning' } },
    ]);
    await nothingIsLeft(w);
  });
});

describe('a call that is not made', () => {
  it.each([
    ['a URI that is none', { uri: 'sip:' }, {}, 13243],
    ['a host without an address', { uri: 'sip:bob@nowhere.example' }, {}, 13254],
    ['a private address', { uri: 'sip:bob@10.0.0.3:5080' }, { allowPrivate: false }, 13254],
    [
      'a host with a private address',
      { uri: 'sip:bob@pbx.example' },
      { allowPrivate: false, hosts: { 'pbx.example': '10.0.0.3' } },
      13254,
    ],
    ['a private maddr', { uri: 'sip:bob@8.8.8.8;maddr=127.0.0.1' }, { allowPrivate: false }, 13254],
    ['TLS', { uri: 'sip:bob@10.0.0.3;transport=tls' }, {}, 32114],
    ['SIPS', { uri: 'sips:bob@10.0.0.3' }, {}, 32114],
    ['SRTP', { uri: 'sip:bob@10.0.0.3;secure=true' }, {}, 32207],
    ['a SIP domain that does not exist', { uri: 'sip:bob@acme.sip.twilio.com' }, {}, 32002],
    ['an edge of another process', { edge: 'tokyo' as const }, {}, 20503],
    ['no number', { number: '12345' }, {}, 13224],
    ['a number of nobody without a carrier', { number: '+442079460000' }, {}, 13224],
    ['a carrier without an address', { number: '+442079460000' }, { carrier: 'sip:gone.example' }, 13224],
    ['a caller id of nobody', { number: NUMBER, from: '+12025550000' }, {}, 13214],
    ['a caller id that is no number', { number: NUMBER, from: 'alice' }, {}, 13214],
    [
      'a caller id of another account',
      { number: NUMBER, job: outboundJob({ accountSid: `AC${'b'.repeat(32)}` }) },
      {},
      13214,
    ],
  ])('says why: %s', async (_what, parts, overrides, code) => {
    const w = await world(overrides);
    const answer = await w.call(parts);
    expect(answer).toMatchObject({ notDialled: { code, message: expect.stringMatching(/\S{2}.*[.]$/) } });
    expect(w.callee.heard).toEqual([]);
    expect(w.switchboard.live).toBe(0);
    expect(await w.relay.census()).toMatchObject({ legs: 0 });
  });

  it('says what to set when there is no carrier', async () => {
    const w = await world();
    expect(await w.call({ number: '+442079460000' })).toMatchObject({
      notDialled: { message: expect.stringContaining('TRUNKLINE_CARRIER') },
    });
  });

  it('is none of a worker of another Region, and none twice', async () => {
    const w = await world();
    await expect(w.call({ job: outboundJob({ region: 'ie1' }) })).rejects.toThrow(/us1 dials for ie1/);
    await w.call();
    await expect(w.call()).rejects.toThrow(/already/);
  });

  it('is made on behalf of a number of the call that dials', async () => {
    const w = await world({ carrier: 'sip:10.0.0.3:5080' });
    await w.call({ number: '+442079460000', from: '+33123456789', onBehalfOf: ['+33123456789'] });
    expect(w.callee.request('INVITE').message.headers.get('From')).toContain('+33123456789@');
  });
});

it('calls other numbers through the carrier, with its parameters and as who the carrier knows us', async () => {
  const w = await world({
    carrier: 'sip:trunk:p%40ss@carrier.example:5080;transport=udp;user=phone',
    allowPrivate: false, // the carrier is the operator's own choice
    hosts: { 'carrier.example': '10.0.0.3' },
  });
  await w.call({ number: '+442079460000', headers: { 'X-A': '1' } });
  const { message } = w.callee.request('INVITE');
  expect(message.uri).toBe('sip:+442079460000@carrier.example:5080;transport=udp;user=phone');
  expect(message.headers.get('X-A')).toBe('1');
  w.callee.respond(407, {
    headers: { 'Proxy-Authenticate': 'Digest realm="c", nonce="n", algorithm=MD5, qop="auth"' },
  });
  await w.settle();
  expect(w.callee.request('INVITE').message.headers.get('Proxy-Authorization')).toContain('username="trunk"');
});
