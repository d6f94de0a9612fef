import { quote, unquote } from '../message/grammar.ts';

/** The fields of a `Digest` challenge or credentials, names in lower case, quotes removed (RFC 7616 §3.3, §3.4). */
export type DigestFields = ReadonlyMap<string, string>;

const FIELD = /[ \t,]*([A-Za-z0-9_-]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^\s,"]*)/y;

/** Reads a header value; undefined when the scheme is not Digest or the rest is malformed. */
export function parseDigest(value: string): DigestFields | undefined {
  const scheme = /^digest[ \t]+/i.exec(value);
  if (!scheme) return undefined;
  const fields = new Map<string, string>();
  let at = scheme[0].length;
  while (!/^[ \t,]*$/.test(value.slice(at))) {
    FIELD.lastIndex = at;
    const match = FIELD.exec(value);
    if (!match?.[1]) return undefined;
    const name = match[1].toLowerCase();
    if (fields.has(name)) return undefined; // two nonces, two users: nobody knows which was meant
    fields.set(name, unquote(match[2] ?? ''));
    at = FIELD.lastIndex;
  }
  return fields;
}

/** RFC 7616 §3.4: these are tokens and never quoted, `nc` is eight digits. */
const UNQUOTED = new Set(['algorithm', 'stale', 'nc']);

/** The header value; undefined fields are left out. In credentials `qop` is a token, in a challenge it is quoted. */
export function formatDigest(
  fields: Readonly<Record<string, string | undefined>>,
  kind: 'challenge' | 'credentials',
): string {
  const written = Object.entries(fields).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const bare = UNQUOTED.has(name) || (name === 'qop' && kind === 'credentials');
    return [`${name}=${bare ? value : quote(value)}`];
  });
  return `Digest ${written.join(', ')}`;
}
