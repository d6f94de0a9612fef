import { bareHost, bracketHost, COLON, parseDecimal, skipHost } from './grammar.ts';

/** A SIP or SIPS URI (RFC 3261 §19.1.1). */
export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  /** As written, escapes and user parameters included; undefined when there is no user part. */
  readonly user: string | undefined;
  /** `user` with its escapes resolved, one character a byte: what numbers and names are compared by. */
  readonly userDecoded: string | undefined;
  readonly password: string | undefined;
  /** Lower case; an IPv6 reference without its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  /** Names in lower case, escapes resolved, '' for a parameter without value; the first of equal names wins. */
  readonly params: ReadonlyMap<string, string>;
  /** Names as written, escapes resolved. */
  readonly headers: ReadonlyMap<string, string>;
}

const NONE: ReadonlyMap<string, string> = new Map();

/** What may follow `sip:` at all: RFC 3261 §25.1 knows no spaces, quotes, angle brackets or bytes above 126 here. */
const URI_TEXT = /^[!#-;=?-~]+$/;

/** Lower-case scheme of any URI, or undefined: what decides between 416 and the rest (RFC 3261 §8.2.2.1). */
export function schemeOf(text: string): string | undefined {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text);
  return match?.[1]?.toLowerCase();
}

/** The parts of a URI as written. */
interface UriParts {
  readonly scheme: 'sip' | 'sips';
  readonly userInfo: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
  readonly params: string | undefined;
  readonly headers: string | undefined;
}

/** A SIP or SIPS URI as a value; undefined when it is neither or malformed. */
export function parseUri(text: string): SipUri | undefined {
  const parts = scanUri(text);
  if (!parts) return undefined;
  const { scheme, userInfo, host, port, params, headers } = parts;
  const password = userInfo?.indexOf(':') ?? -1;
  const user = password < 0 ? userInfo : userInfo?.slice(0, password);
  return {
    scheme,
    user,
    userDecoded: user === undefined ? undefined : unescapeUri(user),
    password: password < 0 ? undefined : userInfo?.slice(password + 1),
    host: bareHost(host),
    port,
    params: params === undefined ? NONE : pairs(params, ';', true),
    headers: headers === undefined ? NONE : pairs(headers, '&', false),
  };
}

/** Cuts a SIP or SIPS URI into its parts without reading them; undefined when it is neither or malformed. */
export function scanUri(text: string): UriParts | undefined {
  const colon = text.indexOf(':');
  const scheme = text.slice(0, colon).toLowerCase();
  if ((scheme !== 'sip' && scheme !== 'sips') || !URI_TEXT.test(text)) return undefined;
  // `;`, `?` and `/` are legal in a user part, `@` is not legal behind one: the first `@` ends it.
  const at = text.indexOf('@', colon);
  const hostStart = at < 0 ? colon + 1 : at + 1;
  const hostEnd = skipHost(text, hostStart);
  if (hostEnd < 0 || at === colon + 1 || text.charCodeAt(colon + 1) === COLON) return undefined;
  const rest = REST.exec(text.slice(hostEnd));
  if (!rest) return undefined;
  const port = rest[1] === undefined ? undefined : parseDecimal(rest[1], 65_535);
  if (rest[1] !== undefined && !port) return undefined;
  return {
    scheme,
    userInfo: at < 0 ? undefined : text.slice(colon + 1, at),
    host: text.slice(hostStart, hostEnd),
    port,
    params: rest[2],
    headers: rest[3],
  };
}

/** Port, parameters and headers behind the host. */
const REST = /^(?::(\d{1,5}))?(?:;([^?]*))?(?:\?(.*))?$/;

function pairs(text: string, separator: string, lowerCase: boolean): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const part of text.split(separator)) {
    const equals = part.indexOf('=');
    const written = unescapeUri(equals < 0 ? part : part.slice(0, equals));
    const name = lowerCase ? written.toLowerCase() : written;
    if (name !== '' && !map.has(name)) map.set(name, equals < 0 ? '' : unescapeUri(part.slice(equals + 1)));
  }
  return map;
}

/** Resolves `%XX`, one character a byte; a `%` that is no escape stays (RFC 4475 §3.1.1.5). */
export function unescapeUri(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

const escapeWith = (unsafe: RegExp) => (text: string) =>
  text.replace(unsafe, (c) =>
    Array.from(Buffer.from(c, c.charCodeAt(0) > 0xff ? 'utf8' : 'latin1'), (byte) => {
      return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    }).join(''),
  );

/** Text as a URI user part: everything outside `unreserved` and `user-unreserved` is escaped. */
export const escapeUser = escapeWith(/[^A-Za-z0-9\-_.!~*'()&=+$,;?/]/gu);
const escapeParam = escapeWith(/[^A-Za-z0-9\-_.!~*'()[\]/:&+$]/gu);
const escapeHeader = escapeWith(/[^A-Za-z0-9\-_.!~*'()[\]/?:+$]/gu);

/** The text of a URI; `parseUri` of it gives the same value back. */
export function formatUri(
  uri: Pick<SipUri, 'scheme' | 'host'> &
    Partial<Pick<SipUri, 'user' | 'password' | 'port' | 'params' | 'headers'>>,
): string {
  let text = `${uri.scheme}:`;
  if (uri.user !== undefined) text += `${uri.user}${uri.password === undefined ? '' : `:${uri.password}`}@`;
  text += bracketHost(uri.host);
  if (uri.port !== undefined) text += `:${uri.port}`;
  for (const [name, value] of uri.params ?? NONE)
    text += value === '' ? `;${escapeParam(name)}` : `;${escapeParam(name)}=${escapeParam(value)}`;
  let separator = '?';
  for (const [name, value] of uri.headers ?? NONE) {
    text += `${separator}${escapeHeader(name)}=${escapeHeader(value)}`;
    separator = '&';
  }
  return text;
}

/** Who a URI names: the user of a SIP URI without its parameters, or the number of a `tel:` URI (RFC 3966). */
export function userOf(text: string): string | undefined {
  if (schemeOf(text) === 'tel') return unescapeUri(text.slice(4).split(';', 1)[0] ?? '') || undefined;
  return parseUri(text)?.userDecoded?.split(';', 1)[0];
}
