import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseUri } from '../../../src/sip/message/uri.ts';
import { readSipTarget } from '../../../src/twiml/verbs/sip-uri.ts';

const codes = (text: string, options = {}) =>
  readSipTarget(text, options).diagnostics.map(({ code }) => code);
const SID = `TX${'0'.repeat(31)}1`;

describe('an address that registered devices may have', () => {
  const parameters = ['edge=mars-ix', 'region=mars-ix', 'tnx=TX1', 'edge=mars-ix;tnx=TX1'];

  it.each(parameters)('is kept with %s, and why nobody else can be called by it', (parameter) => {
    const { target, diagnostics } = readSipTarget(`kate@acme.sip.twilio.com;${parameter}`, { devices: true });
    expect(diagnostics).toEqual([]);
    expect(target).toMatchObject({
      uri: 'sip:kate@acme.sip.twilio.com',
      barred: { code: parameter.startsWith('tnx') ? 32301 : 32305 },
    });
  });

  it.each(parameters)('is no address where nobody looks for devices, nor another host (%s)', (parameter) => {
    const readings = [
      readSipTarget(`kate@acme.sip.twilio.com;${parameter}`),
      readSipTarget(`kate@example.com;${parameter}`, { devices: true }),
    ];
    for (const { target, diagnostics } of readings) {
      expect(target).toBeUndefined();
      expect(diagnostics).toHaveLength(parameter.split(';').length);
    }
  });

  it('has nothing to be kept when its parameters can be used', () => {
    const { target } = readSipTarget('kate@acme.sip.twilio.com;edge=dublin', { devices: true });
    expect(target).not.toHaveProperty('barred');
  });
});

describe('readSipTarget', () => {
  it.each([
    ['sip:kate@example.com', 'sip:kate@example.com'],
    ['  kate@example.com\n', 'sip:kate@example.com'],
    ['kate@example.com:5070', 'sip:kate@example.com:5070'],
    ['example.com', 'sip:example.com'],
    ['SIP:Kate@Example.COM', 'sip:Kate@example.com'],
    ['sip:kate@[::1]:5070', 'sip:kate@[::1]:5070'],
    ['sip:+15005550001@10.0.0.1;user=phone', 'sip:+15005550001@10.0.0.1;user=phone'],
    ['sip:kate@example.com;transport=TCP', 'sip:kate@example.com;transport=tcp'],
    ['sip:kate@example.com;transport=tls;secure=true', 'sip:kate@example.com;transport=tls;secure=true'],
    ['sip:kate@example.com;secure=false', 'sip:kate@example.com'],
    ['sips:kate@example.com', 'sip:kate@example.com;transport=tls'],
    ['sip:ka%20te@example.com', 'sip:ka%20te@example.com'],
    ['sip:kate:secret@example.com', 'sip:kate:secret@example.com'],
    ['sip:kate?x@example.com', 'sip:kate?x@example.com'],
    ['sip:kate;ext=1@example.com', 'sip:kate;ext=1@example.com'],
  ])('reads %j', (text, uri) => {
    expect(readSipTarget(text)).toEqual({
      target: {
        kind: 'sip',
        uri,
        headers: {},
        credentials: undefined,
        edge: undefined,
        connectionSid: undefined,
      },
      diagnostics: [],
    });
  });

  it.each([
    ['edge=frankfurt', 'frankfurt'],
    ['edge=san-jose', 'umatilla'],
    ['edge=Dublin', 'dublin'],
    ['edge=london-ix', 'london-ix'],
    ['region=ie1', 'dublin'],
    ['region=us2', 'umatilla'],
    ['region=us1-ix', 'ashburn-ix'],
    ['region=ie1;edge=tokyo', 'tokyo'],
  ])('leaves through the edge of %s, which is no part of the URI', (parameter, edge) => {
    const { target, diagnostics } = readSipTarget(`sip:kate@example.com;${parameter};lr`);
    expect(target).toMatchObject({ edge, uri: 'sip:kate@example.com;lr' });
    expect(diagnostics).toEqual([]);
  });

  it('takes the SID of a connection', () => {
    expect(readSipTarget(`sip:kate@example.com;tnx=${SID}`).target).toMatchObject({
      connectionSid: SID,
      uri: 'sip:kate@example.com',
    });
  });

  it.each([
    ['edge=mars-ix', 32305],
    ['region=ie9-ix', 32305],
    ['tnx=TX1', 32301],
    ['tnx', 32301],
  ])('calls nobody by %s, which names a private connection that cannot exist', (parameter, code) => {
    const { target, diagnostics } = readSipTarget(`sip:kate@example.com;${parameter}`);
    expect(target).toBeUndefined();
    expect(diagnostics.map((found) => [found.code, found.level])).toEqual([[code, 'warning']]);
  });

  it.each([
    ['edge=dublni', 32114],
    ['region=mars', 32114],
    ['transport=sctp', 32114],
    ['secure=yes', 32114],
    ['pa ram=1', 32110],
    ['=1', 32110],
  ])('leaves %s out with %i and calls all the same', (parameter, code) => {
    const { target, diagnostics } = readSipTarget(`sip:kate@example.com;${parameter}`);
    expect(diagnostics.map((found) => found.code)).toEqual([code]);
    expect(diagnostics[0]?.level).toBe('warning');
    expect(target).toMatchObject({ uri: 'sip:kate@example.com', edge: undefined });
  });

  it.each([
    '',
    '@example.com',
    'kate@',
    'sip:',
    'tel:+15005550001',
    'http://example.com/x',
    'kate@exa mple.com',
    'kate@example.com:0',
    'kate@example.com:99999',
    `${'k'.repeat(239)}@example.com`,
  ])('calls nobody by %j: 13243', (text) => {
    const { target, diagnostics } = readSipTarget(text);
    expect(target).toBeUndefined();
    expect(diagnostics.map(({ code }) => code)).toEqual([13243]);
  });

  it('allows 254 characters, not counting headers', () => {
    const user = 'k'.repeat(238); // sip: + user + @example.com
    expect(codes(`${user}@example.com?X-a=${'v'.repeat(500)}`)).toEqual([]);
  });

  it('escapes what a user part cannot hold', () => {
    const { target, diagnostics } = readSipTarget('sip:kate b<c>%@example.com');
    expect(diagnostics.map(({ code }) => code)).toEqual([32110]);
    expect(target?.uri).toBe('sip:kate%20b%3Cc%3E%25@example.com');
    expect(readSipTarget('sip:jö€@example.com').target?.uri).toBe('sip:j%C3%B6%E2%82%AC@example.com');
  });

  it('reads headers byte by byte', () => {
    const { target, diagnostics } = readSipTarget(
      'kate@example.com;edge=dublin?X-One=a%20b%26c%3D%C3%A9&User-to-User=0A1B%3Bencoding%3Dhex&x-lower=1' +
        '&Remote-Party-ID=%3Csip:a%40b%3E&P-Preferred-Identity=p&P-Called-Party-ID=q&X-Empty=',
    );
    expect(diagnostics).toEqual([]);
    expect(target?.headers).toEqual({
      'X-One': 'a b&c=\xc3\xa9',
      'User-to-User': '0A1B;encoding=hex',
      'x-lower': '1',
      'Remote-Party-ID': '<sip:a@b>',
      'P-Preferred-Identity': 'p',
      'P-Called-Party-ID': 'q',
      'X-Empty': '',
    });
    expect(target?.uri).toBe('sip:kate@example.com');
  });

  it.each([
    ['Subject=x', 32113],
    ['X-Twilio-CallSid=CA1', 32113],
    ['x-twilio-x=1', 32113],
    ['X-=1', 32113],
    ['Via=x', 32113],
    ['X%20Name=1', 13252],
    ['=1', 13252],
    ['X-a=%0d%0aVia:%20x', 32112],
    ['X-a=%00', 32112],
    ['X-a=0A;encoding=hex', 32110],
    ['X-a=b c', 32110],
    ['X-a=%zz', 32110],
    [`X-a=${'v'.repeat(1_021)}`, 13253],
    [`X-b=${'v'.repeat(600)}&X-a=${'v'.repeat(600)}`, 13251],
  ])('leaves the header %s out: %i', (headers, code) => {
    const { target, diagnostics } = readSipTarget(`kate@example.com?${headers}&X-ok=1`);
    expect(diagnostics[0]?.code).toBe(code);
    expect(Object.keys(target?.headers ?? {})).not.toContain('X-a');
    expect(target).toBeDefined();
  });

  it('takes user name and password together', () => {
    const credentials = { username: 'kate', password: 'p w:"\\' };
    expect(readSipTarget('kate@example.com', credentials).target?.credentials).toEqual(credentials);
    expect(codes('kate@example.com', { username: 'kate' })).toEqual([13249]);
    expect(codes('kate@example.com', { password: 'x' })).toEqual([13249]);
    expect(codes('kate@example.com', { username: 'k\n', password: 'x' })).toEqual([13249]);
    expect(codes('kate@example.com', { username: 'k', password: 'x'.repeat(256) })).toEqual([13249]);
  });

  it('never shows the password', () => {
    const { diagnostics } = readSipTarget('kate@example.com', { username: 'k', password: 'hush\n' });
    expect(JSON.stringify(diagnostics)).not.toContain('hush');
  });

  it('reads any text to nothing or to a URI that can be sent, and says what it left out', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'sip:',
        'sips:',
        'kate',
        '@',
        'example.com',
        ':5070',
        ';',
        'edge=',
        'dublin',
        '?',
        '&',
        '=',
        '%',
      ),
      fc.constantFrom(
        'transport=tcp',
        'X-a=',
        'Via=x',
        '%0d',
        '%41',
        '[::1]',
        ' ',
        '\r\n',
        '<',
        '"',
        'é',
        '\u{1f600}',
      ),
      fc.string({ unit: 'binary', maxLength: 4 }),
    );
    const text = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, (written) => {
        const { target, diagnostics } = readSipTarget(written);
        if (!target) {
          expect(diagnostics.at(-1)?.code).toBe(13243);
          return;
        }
        expect(parseUri(target.uri)).toMatchObject({ scheme: 'sip' });
        expect(target.uri).not.toMatch(/[\s<>"]/);
        for (const [name, value] of Object.entries(target.headers)) {
          expect(name).toMatch(/^(?:x-(?!twilio)|user-to-user|remote-party-id|p-)/i);
          expect(value).not.toMatch(/[\r\n\0]/);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
