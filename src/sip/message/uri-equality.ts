import { type SipUri, unescapeUri } from './uri.ts';

/** Parameters that make a difference when only one of two URIs has them (RFC 3261 §19.1.4). */
const DECISIVE = ['user', 'ttl', 'method', 'maddr', 'transport'] as const;

/**
 * Claims that two URIs are equal by RFC 3261 §19.1.4: user and password by case, the rest without; a default port and
 * no port differ. Any other parameter counts only where both have it, so equality is not transitive.
 */
export function isSameUri(one: SipUri, other: SipUri): boolean {
  return (
    one.scheme === other.scheme &&
    one.userDecoded === other.userDecoded &&
    decoded(one.password) === decoded(other.password) &&
    one.host === other.host &&
    one.port === other.port &&
    sameParams(one.params, other.params) &&
    sameHeaders(one.headers, other.headers)
  );
}

const decoded = (text: string | undefined) => (text === undefined ? undefined : unescapeUri(text));

type Pairs = ReadonlyMap<string, string>;

function sameParams(one: Pairs, other: Pairs): boolean {
  if (DECISIVE.some((name) => one.has(name) !== other.has(name))) return false;
  for (const [name, value] of one) {
    const there = other.get(name);
    if (there !== undefined && there.toLowerCase() !== value.toLowerCase()) return false;
  }
  return true;
}

/** Headers are never ignored. Their names compare without case, their values as they are (our choice). */
function sameHeaders(one: Pairs, other: Pairs): boolean {
  const lower = (headers: Pairs) =>
    new Map([...headers].map(([name, value]) => [name.toLowerCase(), value] as const));
  const [first, second] = [lower(one), lower(other)];
  return first.size === second.size && [...first].every(([name, value]) => second.get(name) === value);
}
