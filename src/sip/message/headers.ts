import { splitList } from './grammar.ts';
import type { HeaderLine, SipHeaders } from './message.ts';

/** Compact forms: RFC 3261 §7.3.3, RFC 3515 (r), RFC 3892 (b), RFC 4028 (x), RFC 6665 (o, u), RFC 3841 (a, d, j). */
const COMPACT: Readonly<Record<string, string>> = {
  a: 'Accept-Contact',
  b: 'Referred-By',
  c: 'Content-Type',
  d: 'Request-Disposition',
  e: 'Content-Encoding',
  f: 'From',
  i: 'Call-ID',
  j: 'Reject-Contact',
  k: 'Supported',
  l: 'Content-Length',
  m: 'Contact',
  o: 'Event',
  r: 'Refer-To',
  s: 'Subject',
  t: 'To',
  u: 'Allow-Events',
  v: 'Via',
  x: 'Session-Expires',
};

/** Names met in nearly every message: spelled as they usually are, they need no lower-casing. */
const COMMON = `Accept Allow Authorization CSeq Call-ID Contact Content-Length Content-Type Date Expires From
  Max-Forwards P-Asserted-Identity Privacy Proxy-Authorization Record-Route Require Route Server Subject Supported To
  User-Agent Via WWW-Authenticate`.split(/\s+/);

/** Spelling → key. Fixed, so that what peers invent cannot make it grow. */
const KEYS = new Map<string, string>();
for (const name of COMMON) KEYS.set(name, name.toLowerCase()).set(name.toLowerCase(), name.toLowerCase());
for (const [letter, name] of Object.entries(COMPACT))
  KEYS.set(letter, name.toLowerCase()).set(letter.toUpperCase(), name.toLowerCase());

/** The lower-case long form under which a header is compared: `v`, `VIA` and `Via` are `via`. */
export function headerKey(name: string): string {
  const known = KEYS.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  return KEYS.get(lower) ?? lower;
}

/** Claims a key is one of ours, and so certainly a token. */
export function isKnownKey(key: string): boolean {
  return KEYS.has(key);
}

/** Headers in order of arrival. Names are keyed once; values are only split by `list`. */
export class Headers implements SipHeaders {
  readonly lines: readonly HeaderLine[];
  readonly #keys: readonly string[];

  /** `keys`, where the caller has them already, are the `headerKey` of each line. */
  constructor(lines: readonly HeaderLine[], keys = lines.map((line) => headerKey(line.name))) {
    this.lines = lines;
    this.#keys = keys;
  }

  /** From `[name, value]` pairs or a record, in order; an undefined value leaves the header out. */
  static of(
    entries:
      | Iterable<readonly [string, string | undefined]>
      | Readonly<Record<string, string | readonly string[] | undefined>>,
  ): Headers {
    const pairs = Symbol.iterator in entries ? entries : Object.entries(entries);
    const lines: HeaderLine[] = [];
    for (const [name, value] of pairs) {
      if (value === undefined) continue;
      for (const each of typeof value === 'string' ? [value] : value) lines.push({ name, value: each });
    }
    return new Headers(lines);
  }

  get(name: string): string | undefined {
    const at = this.#keys.indexOf(headerKey(name));
    return at < 0 ? undefined : this.lines[at]?.value;
  }

  all(name: string): readonly string[] {
    const key = headerKey(name);
    const values: string[] = [];
    for (let i = this.#keys.indexOf(key); i >= 0; i = this.#keys.indexOf(key, i + 1)) {
      const line = this.lines[i];
      if (line) values.push(line.value);
    }
    return values;
  }

  list(name: string): readonly string[] {
    return this.all(name).flatMap(splitList);
  }

  has(name: string): boolean {
    return this.#keys.includes(headerKey(name));
  }

  /** The first of these keys that occurs on more than one line. */
  firstRepeated(keys: ReadonlySet<string>): string | undefined {
    return this.#keys.find((key, i) => keys.has(key) && this.#keys.includes(key, i + 1));
  }
}

/** With one header more, first of all: Via on the way out, Route (RFC 3261 §8.1.1.7, §16.6). */
export function prependHeader(headers: SipHeaders, name: string, value: string): Headers {
  return new Headers([{ name, value }, ...headers.lines]);
}

/** With one header more, last of all. */
export function appendHeader(headers: SipHeaders, name: string, value: string): Headers {
  return new Headers([...headers.lines, { name, value }]);
}

/** Without any header of this name. */
export function removeHeader(headers: SipHeaders, name: string): Headers {
  const key = headerKey(name);
  return new Headers(headers.lines.filter((line) => headerKey(line.name) !== key));
}

/** With exactly one header of this name: in the place of the first there was, otherwise last. */
export function setHeader(headers: SipHeaders, name: string, value: string): Headers {
  const key = headerKey(name);
  const at = headers.lines.findIndex((line) => headerKey(line.name) === key);
  if (at < 0) return appendHeader(headers, name, value);
  return new Headers(
    headers.lines.flatMap((line, i) =>
      i === at ? [{ name, value }] : headerKey(line.name) === key ? [] : [line],
    ),
  );
}
