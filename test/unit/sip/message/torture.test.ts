import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { responseTo } from '../../../../src/sip/message/build.ts';
import type { SipMessage } from '../../../../src/sip/message/message.ts';
import { parseNameAddr } from '../../../../src/sip/message/name-addr.ts';
import { maxForwards, parseMessage } from '../../../../src/sip/message/parse.ts';
import { serialize, utf8OfText } from '../../../../src/sip/message/serialize.ts';
import { parseUri } from '../../../../src/sip/message/uri.ts';
import { parseVia, topVia } from '../../../../src/sip/message/via.ts';

interface Expectation {
  readonly name: string;
  readonly section: string;
  readonly title: string;
  readonly parser: 'accept' | 'reject' | 'drop';
  readonly status?: number;
  /** What layers above the parser make of a message it accepts. */
  readonly above?: { readonly layer: string; readonly outcome: string };
  /** Why the outcome is not the RFC's first choice, or what differs from its text. */
  readonly note?: string;
}

const folder = new URL('../../../corpus/sip/rfc4475/', import.meta.url);
const read = (name: string) => readFileSync(new URL(`${name}.dat`, folder));
const expectations: Expectation[] = JSON.parse(readFileSync(new URL('expectations.json', folder), 'utf8'));

function accepted(name: string): SipMessage {
  const result = parseMessage(read(name));
  if (!result.ok) throw new Error(`${name}: ${result.reason}`);
  return result.message;
}

function request(name: string) {
  const message = accepted(name);
  if (message.kind !== 'request') throw new Error(`${name} is a response`);
  return message;
}

describe('RFC 4475', () => {
  it('has an expectation for every message and a message for every expectation', () => {
    const files = readdirSync(folder).filter((file) => file.endsWith('.dat'));
    expect(files.sort()).toEqual(expectations.map((e) => `${e.name}.dat`).sort());
    expect(files).toHaveLength(49);
  });

  it.each(expectations)('§$section $name: $title', ({ name, parser, status }) => {
    const result = parseMessage(read(name));
    if (parser === 'accept') {
      expect(result).toMatchObject({ ok: true });
      return;
    }
    if (result.ok) throw new Error('accepted');
    expect(result.reason).not.toBe('');
    if (parser === 'drop') {
      expect(result.answerable).toBeUndefined();
      return;
    }
    expect(result.status).toBe(status);
    if (!result.answerable) throw new Error('not answerable');
    // The refusal goes where the top Via says and parses as far as the request's own headers do.
    const refusal = responseTo(result.answerable, result.status, undefined, { toTag: 'refused' });
    expect(topVia(refusal)).toBeDefined();
    expect(serialize(refusal).toString('latin1')).toMatch(/^SIP\/2\.0 \d{3} [A-Z]/);
  });

  it('survives a change of hands: what is accepted is serialized into the same message', () => {
    for (const { name } of expectations.filter((e) => e.parser === 'accept')) {
      const message = accepted(name);
      const again = parseMessage(serialize(message));
      if (!again.ok) throw new Error(`${name}: ${again.reason}`);
      expect(again.message.body).toBe(message.body);
      const lines = (m: SipMessage) => m.headers.lines.filter((l) => !/^(l|content-length)$/i.test(l.name));
      expect(lines(again.message)).toEqual(lines(message));
    }
  });
});

describe('what is read out of the valid messages', () => {
  it('wsinv: folding, compact forms, spaces everywhere', () => {
    const { uri, headers } = request('wsinv');
    expect(parseUri(uri)).toMatchObject({ user: 'vivekg', params: new Map([['unknownparam', '']]) });
    expect(parseNameAddr(headers.get('To') ?? '')?.params.get('tag')).toBe('1918181833n');
    expect(parseNameAddr(headers.get('f') ?? '')).toEqual({
      displayName: 'J Rosenberg \\"',
      uri: 'sip:jdrosen@example.com',
      params: new Map([['tag', '98asjd8']]),
    });
    expect(headers.get('subject')).toBe('');
    expect(headers.get('newfangledheader')).toBe('newfangled value continued newfangled value');
    expect(headers.get('UnknownHeaderWithUnusualValue')).toBe(';;,,;;,;');
    expect(headers.get('CSeq')).toBe('0009 INVITE');
    expect(maxForwards(headers)).toBe(68);
    const vias = headers.list('Via').map(parseVia);
    expect(vias.map((via) => [via?.transport, via?.host, via?.branch])).toEqual([
      ['UDP', '192.0.2.2', '390skdjuw'],
      ['TCP', 'spindle.example.com', 'z9hG4bK9ikj8'],
      ['UDP', '192.168.255.111', 'z9hG4bK30239'],
    ]);
    expect(parseNameAddr(headers.list('contact')[0] ?? '')).toEqual({
      displayName: 'Quoted string ""',
      uri: 'sip:jdrosen@example.com',
      params: new Map([
        ['newparam', 'newvalue'],
        ['secondparam', ''],
        ['q', '0.33'],
      ]),
    });
  });

  it('intmeth: every character a token, word and URI may have', () => {
    const { method, uri, headers } = request('intmeth');
    expect(method).toBe("!interesting-Method0123456789_*+`.%indeed'~");
    expect(parseUri(uri)).toMatchObject({
      user: "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
      password: "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)",
      host: 'example.com',
    });
    expect(parseNameAddr(headers.get('to') ?? '')?.displayName).toBe('BEL:\x07 NUL:\x00 DEL:\x7f');
    const from = parseNameAddr(headers.get('from') ?? '');
    expect(from?.displayName).toBe("token1~` token2'+_ token3*%!.-");
    expect(from?.params.get('tag')).toBe("_token~1'+`*%!-.");
    expect(utf8OfText(from?.params.get("fromparam''~+*_!.-%") ?? '')).toBe('работающий');
  });

  it('esc01: escapes are resolved once and only in URIs', () => {
    const { uri, headers } = request('esc01');
    expect(parseUri(uri)).toMatchObject({
      user: 'sips%3Auser%40example.com',
      userDecoded: 'sips:user@example.com',
      host: 'example.net',
    });
    const contact = parseUri(parseNameAddr(headers.get('contact') ?? '')?.uri ?? '');
    expect(contact?.userDecoded).toBe('caller');
    expect(contact?.params).toEqual(
      new Map([
        ['lr', ''],
        ['name', 'value%41'],
      ]),
    );
  });

  it('escnull and esc02: a null is a character, and % means nothing outside a URI', () => {
    const contacts = request('escnull')
      .headers.list('contact')
      .map((c) => parseUri(parseNameAddr(c)?.uri ?? '')?.userDecoded);
    expect(contacts).toEqual(['\0', '\0\0']);
    const { headers } = request('esc02');
    expect(parseNameAddr(headers.get('to') ?? '')?.displayName).toBe('%Z%45');
    expect(headers.list('contact')).toHaveLength(2);
  });

  it('longreq, dblreq, semiuri, transports, mpart01, unreason, noreason', () => {
    expect(request('longreq').headers.list('via')).toHaveLength(34);
    expect(parseNameAddr(request('longreq').headers.get('from') ?? '')?.params.get('tag')).toHaveLength(155);
    expect(request('dblreq')).toMatchObject({ method: 'REGISTER', body: '' });
    expect(parseUri(request('semiuri').uri)?.userDecoded).toBe('user;par=u@example.net');
    expect(
      request('transports')
        .headers.list('v')
        .map((v) => parseVia(v)?.transport),
    ).toEqual(['UDP', 'SCTP', 'TLS', 'UNKNOWN', 'TCP']);
    expect(request('mpart01').body).toHaveLength(553);
    const unreason = accepted('unreason');
    expect(unreason.kind === 'response' && utf8OfText(unreason.phrase)).toMatch(/^= 2\*\*3 \* 5\*\*2 но сто/);
    expect(accepted('noreason')).toMatchObject({ status: 100, phrase: '' });
  });

  it('cparam01 and cparam02: brackets decide whose a parameter is', () => {
    const contact = (name: string) => parseNameAddr(request(name).headers.get('contact') ?? '');
    expect(contact('cparam01')).toMatchObject({ uri: 'sip:+19725552222@gw1.example.net' });
    expect(contact('cparam01')?.params.has('unknownparam')).toBe(true);
    expect(parseUri(contact('cparam02')?.uri ?? '')?.params.has('unknownparam')).toBe(true);
    expect(contact('cparam02')?.params.size).toBe(0);
  });

  it('regescrt and inv2543', () => {
    const escaped = parseUri(parseNameAddr(request('regescrt').headers.get('m') ?? '')?.uri ?? '');
    expect(escaped?.headers).toEqual(new Map([['Route', '<sip:sip.example.com>']]));
    const old = request('inv2543');
    expect(topVia(old)?.branch).toBeUndefined();
    expect(parseNameAddr(old.headers.get('to') ?? '')).toMatchObject({
      uri: 'sip:+16505552222@ss1.example.net',
    });
    expect(old.body).toMatch(/^v=0/);
  });
});
