import { isIP } from 'node:net';
import type { AccountStatus } from '../config/accounts.ts';
import type { NumberOwnership } from '../config/port.ts';
import type { DialRequest } from '../control/protocol.ts';
import { type Diagnostic, failure, warning } from '../core/diagnostic.ts';
import { isE164 } from '../core/e164.ts';
import type { Endpoint } from '../media/format.ts';
import type { EdgeId } from '../region/edge.ts';
import type { SipListener, TransportName } from '../sip/agent/port.ts';
import { bracketHost } from '../sip/message/grammar.ts';
import { escapeUser, formatUri, parseUri, type SipUri, unescapeUri } from '../sip/message/uri.ts';
import { type Lookup, resolveTarget } from '../sip/transport/resolve.ts';
import { isPrivateAddress } from '../webhook/private-address.ts';
import type { AccountStatuses } from './account-statuses.ts';
import { calledBy } from './called.ts';
import { isOwnAddress } from './own-address.ts';
import { asText } from './parties.ts';

/** Where an INVITE goes. */
export interface DialTarget {
  /** `own`: one of our numbers, back in through the edge it leaves from. `device`: registered here. */
  readonly kind: 'sip' | 'carrier' | 'own' | 'device';
  readonly listener: SipListener;
  readonly uri: string;
  readonly destination: Endpoint;
  /** Of a device: `destination` is its flow, the only way to it. */
  readonly device?: { readonly address: string; readonly path: readonly string[] };
  readonly headers: Readonly<Record<string, string>>;
  readonly credentials?: { readonly username: string; readonly password: string };
}

export interface TargetOptions {
  /** The sockets of this edge process, as they are bound. */
  readonly listeners: readonly SipListener[];
  readonly ownership: NumberOwnership;
  /** Whether the account of a device may have calls. */
  readonly accounts: AccountStatuses;
  /** Where numbers go that are not ours (TRUNKLINE_CARRIER). */
  readonly carrier: string | undefined;
  /** SIP targets and Contacts may be private addresses (TRUNKLINE_ALLOW_PRIVATE). */
  readonly allowPrivate: boolean;
  /** The base domain, for host names that are our own. */
  readonly domain: string;
  readonly lookup: Lookup;
}

/** Where the party of a request is called, or why it cannot be. Rejects when the ownership cannot be read. */
export function targetOf(request: DialRequest, options: TargetOptions): Promise<DialTarget | Diagnostic> {
  const { party } = request;
  switch (party.kind) {
    case 'sip':
      return sipTarget(party.uri, request, options);
    case 'device':
      return deviceTarget(party, request, options);
    case 'number':
      return numberTarget(request, options);
  }
}

/**
 * What a device wrote into its Contact is for itself: it is reached where its REGISTER came from (RFC 5626 §5.3). A
 * related account's device is called while that account is active; a call of its own goes on as it began.
 */
async function deviceTarget(
  { accountSid, uri, address, path, flow }: Extract<DialRequest['party'], { kind: 'device' }>,
  { job, headers, credentials }: DialRequest,
  options: TargetOptions,
): Promise<DialTarget | Diagnostic> {
  const owner = accountSid === job.accountSid ? 'active' : await options.accounts.of(accountSid);
  if (owner !== 'active') return ownerInactive(address, accountSid, owner);
  const listener = options.listeners.find(
    ({ label, transport }) => label === flow.edge && transport === flow.transport,
  );
  if (!listener) return notServed(flow.edge);
  const destination = { address: flow.address, port: flow.port };
  const target = { kind: 'device', listener, uri, destination, device: { address, path }, headers } as const;
  return credentials ? { ...target, credentials } : target;
}

/** @see https://www.twilio.com/docs/api/errors/10001 */
function ownerInactive(address: string, accountSid: string, status: AccountStatus): Diagnostic {
  const message = `${address} belongs to the account ${accountSid}, which is ${status}: its devices are not called. Activate the account.`;
  return failure(10001, message, { actual: status, expected: 'active' });
}

/** Sixteen edges may be served by several processes: the worker asked this one. */
function listenerOf(
  edge: EdgeId,
  transport: TransportName,
  { listeners }: TargetOptions,
): SipListener | undefined {
  return listeners.find((listener) => listener.label === edge && listener.transport === transport);
}

function notServed(edge: EdgeId): Diagnostic {
  return failure(
    20503,
    `This edge process does not serve ${edge}: start one that does, or name another edge.`,
  );
}

async function sipTarget(
  text: string,
  request: DialRequest,
  options: TargetOptions,
): Promise<DialTarget | Diagnostic> {
  const uri = parseUri(text);
  if (!uri) {
    const expected = 'sip:user@host, with a port and parameters where they are needed';
    return warning(13243, `"${text}" is not a SIP URI; expected ${expected}.`, { actual: text, expected });
  }
  const insecure = secureProblem(uri);
  if (insecure !== undefined) return insecure;
  const called = calledBy({ user: '', host: uri.host }, options.domain);
  if (called.kind === 'sip-domain' || called.kind === 'trunk') {
    const what = called.kind === 'sip-domain' ? 'SIP domain' : 'trunk';
    return warning(32002, `There is no ${what} "${called.name}": "${text}" cannot be called.`, {
      actual: text,
    });
  }
  const listener = listenerOf(request.edge, transportOf(uri), options);
  if (!listener) return notServed(request.edge);
  const destination = await addressOf(uri, options.lookup);
  if (!destination) {
    return warning(13254, `The host of "${text}" has no address: correct it, or its DNS.`, { actual: text });
  }
  if (!options.allowPrivate && isPrivateAddress(destination.address)) {
    const message = `"${text}" leads to ${destination.address}, which is not a public address, and TRUNKLINE_ALLOW_PRIVATE is false.`;
    return warning(13254, message, { actual: text });
  }
  const { headers, credentials } = request;
  const bare = uri.headers.size > 0 ? formatUri({ ...uri, headers: new Map() }) : text;
  const target = { kind: 'sip', listener, uri: bare, destination, headers } as const;
  return credentials ? { ...target, credentials } : target;
}

/**
 * TLS and SRTP are not there yet. A wrong `transport` or `secure` is ignored with 32114 by whoever reads the
 * document; one that asks for encryption is refused, never served in the clear.
 *
 * @see https://www.twilio.com/docs/api/errors/32207 @see https://www.twilio.com/docs/api/errors/32114
 */
function secureProblem(uri: SipUri): Diagnostic | undefined {
  if (uri.params.get('secure')?.toLowerCase() === 'true') {
    const message =
      'secure=true asks for SRTP, which is not available: the call was not made. Leave it out to call without encryption.';
    return failure(32207, message, { actual: 'secure=true' });
  }
  const tls = uri.scheme === 'sips' || uri.params.get('transport')?.toLowerCase() === 'tls';
  if (!tls) return undefined;
  const actual = uri.scheme === 'sips' ? 'sips:' : 'transport=tls';
  const message = `${actual} asks for TLS, which is not available: the call was not made. Use transport=udp or transport=tcp.`;
  return warning(32114, message, { actual, expected: 'transport=udp or transport=tcp' });
}

function transportOf(uri: SipUri): TransportName {
  return uri.params.get('transport')?.toLowerCase() === 'tcp' ? 'tcp' : 'udp';
}

/** Undefined: the name has no address. */
async function addressOf(uri: SipUri, lookup: Lookup): Promise<Endpoint | undefined> {
  try {
    return await resolveTarget(uri, lookup);
  } catch {
    return undefined; // whatever the resolver says, there is nowhere to send it
  }
}

async function numberTarget(request: DialRequest, options: TargetOptions): Promise<DialTarget | Diagnostic> {
  const { party, edge } = request;
  const number = party.kind === 'number' ? party.number : '';
  if (!isE164(number)) {
    return failure(13224, `"${number}" is not a number in E.164, for example +12025550143.`, {
      actual: number,
    });
  }
  const [owned, stranger] = await Promise.all([
    options.ownership.byNumber(number),
    callerIdProblem(request, options.ownership),
  ]);
  if (stranger) return stranger;
  return owned ? ownTarget(number, edge, options) : carrierTarget(number, request, options);
}

/**
 * A number may be called as itself by a call it takes part in, and as any number of the account.
 *
 * @see https://www.twilio.com/docs/voice/twiml/dial#callerid
 */
async function callerIdProblem(
  { from, onBehalfOf, job }: DialRequest,
  ownership: NumberOwnership,
): Promise<Diagnostic | undefined> {
  // who withholds the number claims nobody's
  if (from === 'anonymous' || onBehalfOf.includes(from)) return undefined;
  const owner = isE164(from) ? await ownership.byNumber(from) : undefined;
  if (owner?.accountSid === job.accountSid) return undefined;
  const expected = 'a number of this account, or a number of the call that dials';
  return warning(13214, `"${from}" cannot be the caller id of a call to a number; expected ${expected}.`, {
    actual: from,
    expected,
  });
}

/** No headers: as with the telephone network, a number is told who calls and nothing else. */
function ownTarget(number: string, edge: EdgeId, options: TargetOptions): DialTarget | Diagnostic {
  const listener = listenerOf(edge, 'udp', options);
  if (!listener) return notServed(edge);
  const { address, port } = listener.advertised;
  const uri = `sip:${number}@${bracketHost(address)}:${port}`;
  return { kind: 'own', listener, uri, destination: reachable(listener.bound), headers: {} };
}

/** A socket on every address is reached at loopback; the advertised one may be a translator's. */
function reachable({ address, port }: Endpoint): Endpoint {
  if (address === '0.0.0.0') return { address: '127.0.0.1', port };
  return { address: address === '::' ? '::1' : address, port };
}

/**
 * The carrier's URI with the number as its user; a user with a password in it is who we are to the carrier. It is the
 * operator's own word where that is: no address is too private.
 */
async function carrierTarget(
  number: string,
  { edge, headers }: DialRequest,
  { carrier, ...options }: TargetOptions,
): Promise<DialTarget | Diagnostic> {
  if (carrier === undefined) {
    const message = `${number} is not a number of this installation, and there is no carrier to call it through: set TRUNKLINE_CARRIER, for example to sip:carrier.example.com.`;
    return failure(13224, message, { actual: number });
  }
  const uri = parseUri(carrier);
  if (!uri) throw new Error(`TRUNKLINE_CARRIER is "${carrier}", which is no SIP URI`);
  const listener = listenerOf(edge, transportOf(uri), { carrier, ...options });
  if (!listener) return notServed(edge);
  const destination = await addressOf(uri, options.lookup);
  if (!destination) {
    return failure(
      13224,
      `${number} cannot be called: the host of TRUNKLINE_CARRIER, ${uri.host}, has no address.`,
    );
  }
  const to = formatUri({ ...uri, user: escapeUser(number), password: undefined, headers: new Map() });
  const target = { kind: 'carrier', listener, uri: to, destination, headers } as const;
  const { userDecoded: username, password } = uri;
  if (username === undefined || password === undefined) return target;
  return {
    ...target,
    credentials: { username: asText(username), password: asText(unescapeUri(password)) },
  };
}

/** What a 3xx may lead to, from the URIs of its Contacts; undefined: nowhere (32219). */
export function redirection(
  contacts: readonly string[],
  { allowPrivate, domain, listeners }: Pick<TargetOptions, 'allowPrivate' | 'domain' | 'listeners'>,
): { readonly uri: string } | undefined {
  const uri = contacts[0] === undefined ? undefined : parseUri(contacts[0]); // the first only
  if (!uri || secureProblem(uri)) return undefined;
  const host = uri.params.get('maddr') || uri.host;
  if ([uri.host, host].some((each) => isOwnHost(each, domain))) return undefined;
  if (isOwnAddress(uri, listeners)) return undefined; // the callee would be let in as one of our own
  if (!allowPrivate && isIP(host) !== 0 && isPrivateAddress(host)) return undefined;
  const params = new Map([...uri.params].filter(([name]) => !OURS.has(name)));
  return { uri: formatUri({ ...uri, params, headers: new Map() }) };
}

/** Parameters that mean something in a document only. */
const OURS = new Set(['edge', 'region', 'tnx', 'secure']);

function isOwnHost(host: string, domain: string): boolean {
  const lower = host.toLowerCase();
  return [domain.toLowerCase(), 'twilio.com'].some((base) => lower === base || lower.endsWith(`.${base}`));
}
