import {
  COLON,
  formatParams,
  GREATER,
  isToken,
  LESS,
  QUOTE,
  quote,
  scanParams,
  skipQuoted,
  skipSpace,
  skipToken,
  unquote,
} from './grammar.ts';

/** One element of From, To, Contact, Route, Record-Route, Refer-To … (RFC 3261 §20.10). */
export interface NameAddr {
  /** Without quotes and escapes; '' when there is none. */
  readonly displayName: string;
  /** The URI's text: see `parseUri`. */
  readonly uri: string;
  /** Parameters of the header (tag, expires, q …), names in lower case, '' for one without value. */
  readonly params: ReadonlyMap<string, string>;
}

/** An address element as a value; undefined when it is malformed (RFC 4475 §3.1.2.6, .13, .14, .15). `*` is. */
export function parseNameAddr(value: string): NameAddr | undefined {
  const bounds = scanAddress(value);
  if (!bounds) return undefined;
  const params = new Map<string, string>();
  if (scanParams(value, bounds.end, params) !== value.length) return undefined;
  return {
    displayName: unquote(value.slice(0, bounds.nameEnd).trim()),
    uri: value.slice(bounds.uriStart, bounds.uriEnd),
    params,
  };
}

/** Claims `parseNameAddr` would succeed, for the parser, which needs no value yet. */
export function isNameAddr(value: string): boolean {
  const bounds = scanAddress(value);
  return bounds !== undefined && scanParams(value, bounds.end) === value.length;
}

interface Bounds {
  readonly nameEnd: number;
  readonly uriStart: number;
  readonly uriEnd: number;
  /** Where the parameters begin. */
  readonly end: number;
}

function scanAddress(value: string): Bounds | undefined {
  const start = skipSpace(value, 0);
  const nameEnd = value.charCodeAt(start) === QUOTE ? skipQuoted(value, start) : skipTokens(value, start);
  if (nameEnd < 0) return undefined;
  const open = skipSpace(value, nameEnd);
  if (value.charCodeAt(open) !== LESS)
    return nameEnd > start && isQuoted(value, start) ? undefined : addrSpec(value, start);
  const close = skipUri(value, open + 1);
  if (close < 0 || value.charCodeAt(close) !== GREATER) return undefined;
  return { nameEnd, uriStart: open + 1, uriEnd: close, end: close + 1 };
}

const isQuoted = (value: string, start: number) => value.charCodeAt(start) === QUOTE;

/**
 * A URI without angle brackets. Its parameters belong to the header, and one with `?` or `,` must be bracketed
 * (RFC 3261 §20): taking it as it stands would hide headers in a Contact.
 */
function addrSpec(value: string, start: number): Bounds | undefined {
  const scheme = skipToken(value, start);
  if (scheme === start || value.charCodeAt(scheme) !== COLON) return undefined;
  const match = BARE_URI.exec(value.slice(scheme + 1));
  if (!match) return undefined;
  const end = scheme + 1 + match[0].length;
  return { nameEnd: start, uriStart: start, uriEnd: end, end };
}

const BARE_URI = /^[!#-+\--:=@-~]+(?=[ \t;]|$)/;

/** After `*(token LWS)`, a display name without quotes. */
function skipTokens(value: string, from: number): number {
  let i = from;
  for (let end = skipToken(value, i); end > i; end = skipToken(value, i)) i = skipSpace(value, end);
  return i;
}

/** After `scheme:` and what follows up to `>`, without spaces; -1 when there is no scheme or nothing behind it. */
function skipUri(value: string, from: number): number {
  const scheme = skipToken(value, from);
  if (scheme === from || value.charCodeAt(scheme) !== COLON) return -1;
  let i = scheme + 1;
  for (; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c === GREATER) break;
    if (c <= 0x20 || c === LESS || c === QUOTE) return -1;
  }
  return i === scheme + 1 ? -1 : i;
}

/** The header element; always with angle brackets, so that URI parameters stay the URI's. */
export function formatNameAddr(
  address: Pick<NameAddr, 'uri'> & Partial<Pick<NameAddr, 'displayName' | 'params'>>,
): string {
  const name = address.displayName ?? '';
  const written = name === '' ? '' : `${isToken(name) ? name : quote(name)} `;
  return `${written}<${address.uri}>${address.params ? formatParams(address.params) : ''}`;
}

/** The `tag` of a From or To value (RFC 3261 §19.3), or undefined. */
export function tagOf(value: string): string | undefined {
  return parseNameAddr(value)?.params.get('tag') || undefined;
}
