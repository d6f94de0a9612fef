import type { Endpoint } from '../../media/format.ts';
import { isToken } from '../message/grammar.ts';
import { headerKey } from '../message/headers.ts';
import { formatNameAddr, parseNameAddr } from '../message/name-addr.ts';
import { parseUri } from '../message/uri.ts';
import type { GivenHeaders } from './port.ts';

/** What makes a message belong to its transaction and dialog, and ends it: the agent's alone to write. */
const OWN = new Set(['via', 'from', 'to', 'call-id', 'cseq', 'content-length']);

/** Refuses, with a TypeError, headers of an owner that cannot be sent as given. */
export function checkHeaders(given: GivenHeaders): void {
  for (const [name, value] of Object.entries(given)) {
    if (!isToken(name)) {
      throw new TypeError(`${JSON.stringify(name)} is not a header name: expected one such as X-Account`);
    }
    if (OWN.has(headerKey(name)))
      throw new TypeError(`the header ${name} is written by the SIP agent itself`);
    if ([value].flat().some((each) => /[\r\n\0]/.test(each))) {
      throw new TypeError(
        `the value of the header ${name} has a line break or NUL: ${JSON.stringify(value)}`,
      );
    }
  }
}

/** The agent's own headers and the owner's, which come instead of ours of the same name. */
export function withGiven<T>(
  own: Readonly<Record<string, T>>,
  given: GivenHeaders = {},
): Readonly<Record<string, T | GivenHeaders[string]>> {
  const names = Object.keys(given);
  if (names.length === 0) return own; // most messages
  checkHeaders(given);
  const keys = new Set(names.map(headerKey));
  const kept = Object.entries(own).filter(([name]) => !keys.has(headerKey(name)));
  return { ...Object.fromEntries(kept), ...given };
}

/** Where an INVITE goes. */
export interface InviteTarget {
  /** Request-URI. */
  readonly uri: string;
  /** Overrides where the URI says to send it. */
  readonly destination?: Endpoint | undefined;
  /** Overrides both, for all of its dialog. */
  readonly flow?: Endpoint | undefined;
  /** Route values, topmost first. */
  readonly routes?: readonly string[] | undefined;
}

/** Refuses, with a TypeError, what no INVITE can be sent to over UDP or TCP. */
export function checkTarget({ uri, destination, flow, routes = [] }: InviteTarget): void {
  if (!/^[!-~]+$/.test(uri)) throw new TypeError(`${JSON.stringify(uri)} is not a URI`);
  for (const route of routes) {
    if (/[\r\n\0]/.test(route) || !parseUri(parseNameAddr(route)?.uri ?? ''))
      throw new TypeError(`${JSON.stringify(route)} is not a Route value such as <sip:proxy.example.com;lr>`);
  }
  if (destination || flow) return; // whoever chose it says how to get there
  const parsed = parseUri(uri);
  if (!parsed) throw new TypeError(`${uri} is not a SIP URI such as sip:user@host`);
  const transport = parsed.params.get('transport')?.toLowerCase() ?? 'udp';
  if (parsed.scheme === 'sips' || (transport !== 'udp' && transport !== 'tcp')) {
    throw new TypeError(
      `${uri} asks for ${parsed.scheme === 'sips' ? 'TLS' : transport}, not for UDP or TCP`,
    );
  }
}

/** From and To are written with angle brackets, so that what follows belongs to the header. */
export function addressOf(value: string, what: string): string {
  const address = /[\r\n\0]/.test(value) ? undefined : parseNameAddr(value);
  if (!address)
    throw new TypeError(`${what} is ${JSON.stringify(value)}, not a SIP address such as <sip:user@host>`);
  return formatNameAddr(address);
}
