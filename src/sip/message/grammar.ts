/**
 * The lexical ground of RFC 3261 §25.1, over latin1 text in which folded lines have been joined. Scanners take an
 * index and return the index after what they recognised, or -1; none of them copies text.
 */

const TOKEN = 1;
const VALUE = 2;

/** What each of the 256 bytes may be part of. */
const CLASS = new Uint8Array(256);
for (let c = 0x21; c < 256; c++)
  if (c !== 0x7f && !';,"<>'.includes(String.fromCharCode(c))) CLASS[c] = VALUE;
for (const c of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~")
  CLASS[c.charCodeAt(0)] = TOKEN | VALUE;

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const SLASH = 0x2f;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const LESS = 0x3c;
export const EQUALS = 0x3d;
export const GREATER = 0x3e;
const BACKSLASH = 0x5c;
export const SPACE = 0x20;
export const TAB = 0x09;

/** After spaces and tabs: LWS, once lines are unfolded. */
export function skipSpace(text: string, from: number): number {
  let i = from;
  for (let c = text.charCodeAt(i); c === SPACE || c === TAB; c = text.charCodeAt(++i));
  return i;
}

/** After a token (RFC 3261 §25.1), which may be empty. */
export function skipToken(text: string, from: number, to = text.length): number {
  let i = from;
  while (i < to && ((CLASS[text.charCodeAt(i)] ?? 0) & TOKEN) !== 0) i++;
  return i;
}

/**
 * After an unquoted parameter value. Wider than the RFC's `token / host`: `received` carries bare IPv6 addresses
 * and peers write `:`, `/`, `@` and `=` unquoted (our choice: nothing here can end a parameter, so nothing is lost).
 */
function skipValue(text: string, from: number): number {
  let i = from;
  while (((CLASS[text.charCodeAt(i)] ?? 0) & VALUE) !== 0) i++;
  return i;
}

/** After the quoted string that opens at `from`; -1 when it never closes. */
export function skipQuoted(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) return i + 1;
    if (c === BACKSLASH) i++;
  }
  return -1;
}

export function isToken(text: string): boolean {
  return text.length > 0 && skipToken(text, 0) === text.length;
}

/**
 * After `*( SEMI name [ EQUAL value ] )` and the spaces behind it; -1 when it is malformed. With `params`, the
 * values are collected: names in lower case, the first of equal names wins, quotes removed, '' for no value.
 */
export function scanParams(text: string, from: number, params?: Map<string, string>): number {
  let i = skipSpace(text, from);
  while (text.charCodeAt(i) === SEMICOLON) {
    const nameStart = skipSpace(text, i + 1);
    const nameEnd = skipToken(text, nameStart);
    if (nameEnd === nameStart) return -1;
    i = skipSpace(text, nameEnd);
    let valueStart = i;
    let valueEnd = i;
    if (text.charCodeAt(i) === EQUALS) {
      valueStart = skipSpace(text, i + 1);
      valueEnd =
        text.charCodeAt(valueStart) === QUOTE ? skipQuoted(text, valueStart) : skipValue(text, valueStart);
      if (valueEnd <= valueStart) return -1;
      i = skipSpace(text, valueEnd);
    }
    if (params) {
      const name = text.slice(nameStart, nameEnd).toLowerCase();
      if (!params.has(name)) params.set(name, unquote(text.slice(valueStart, valueEnd)));
    }
  }
  return i;
}

/** The content of a quoted string with its escapes resolved; other text unchanged. */
export function unquote(text: string): string {
  if (text.charCodeAt(0) !== QUOTE) return text;
  const inner = text.slice(1, -1);
  return inner.includes('\\') ? inner.replace(/\\(.)/gs, '$1') : inner;
}

/** `text` as a quoted string. */
export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** `;name=value` for each parameter, quoted where the value is not what an unquoted one may be. */
export function formatParams(params: ReadonlyMap<string, string>): string {
  let text = '';
  for (const [name, value] of params) {
    text +=
      value === '' ? `;${name}` : `;${name}=${skipValue(value, 0) === value.length ? value : quote(value)}`;
  }
  return text;
}

/** The elements of a comma-separated header value, trimmed; commas in quotes and in `<…>` do not separate. */
export function splitList(value: string): string[] {
  if (!value.includes(',')) return value === '' ? [] : [value];
  const elements: string[] = [];
  let start = 0;
  const take = (end: number) => {
    const element = value.slice(start, end).trim();
    if (element !== '') elements.push(element);
    start = end + 1;
  };
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c === COMMA) take(i);
    else if (c === QUOTE) {
      const end = skipQuoted(value, i);
      if (end < 0) break; // never closed: the rest is one element
      i = end - 1;
    } else if (c === LESS) {
      const end = value.indexOf('>', i);
      if (end < 0) break;
      i = end;
    }
  }
  take(value.length);
  return elements;
}

/** `text` as a number when it is 1 to 10 decimal digits not above `max`, else undefined. Leading zeros count. */
export function parseDecimal(text: string, max: number): number | undefined {
  return /^0*\d{1,10}$/.test(text) && Number(text) <= max ? Number(text) : undefined;
}

/** Host of a Via or URI: a name, an IPv4 address or an IPv6 reference in brackets. */
const HOST = /(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?)/y;

/** After the host that starts at `from`; -1 when there is none. */
export function skipHost(text: string, from: number): number {
  HOST.lastIndex = from;
  return HOST.test(text) ? HOST.lastIndex : -1;
}

/** A host without the brackets of an IPv6 reference, in lower case (RFC 3261 §19.1.4: compared without case). */
export function bareHost(host: string): string {
  return (host.charCodeAt(0) === 0x5b ? host.slice(1, -1) : host).toLowerCase();
}

/** A host as it is written in a URI or Via. */
export function bracketHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
