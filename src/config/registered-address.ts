import { type Diagnostic, failure, warning } from '../core/diagnostic.ts';
import type { LegEnded } from '../leg/port.ts';
import type { EdgeId } from '../region/edge.ts';
import type { RegionId } from '../region/region.ts';
import { readSipHost, type SipHost } from '../region/sip-host.ts';
import { parseUri, type SipUri } from '../sip/message/uri.ts';
import type { RegionalConfig } from './port.ts';
import type { Binding } from './registrations.ts';
import type { SipDomain } from './sip.ts';

/** A call to a SIP URI that may be the address of registered devices. */
export interface CalledAddress {
  /** Without headers, and without the parameters edge, region and tnx. */
  readonly uri: string;
  /** The account that calls. */
  readonly accountSid: string;
  /** It asked to leave in some way (edge, region, tnx), which means nothing to registered devices. */
  readonly asksEgress: boolean;
}

/** The devices that are registered under an address, in this Region. */
export interface RegisteredDevices {
  /** The address of record as To has it. */
  readonly address: string;
  /** At least one. */
  readonly bindings: readonly Binding[];
  /** What is worth knowing about how it was called. */
  readonly notes: readonly string[];
}

export interface RegisteredAddressOptions {
  readonly config: Pick<RegionalConfig, 'region' | 'records' | 'registrations'>;
  /** The base domain; `twilio.com` is understood in its place. */
  readonly domain: string;
  /** Whether one of two different accounts is the other's parent. */
  readonly related: (one: string, other: string) => Promise<boolean>;
  /** Whether a SIP domain is, in some Region, the account's or a related one's; asked where it is not in this one. */
  readonly domainRelated: (name: string, accountSid: string) => Promise<boolean>;
}

/**
 * Host labels that were allowed before there were edges, and still are: devices that registered through that edge.
 *
 * @see https://www.twilio.com/docs/api/errors/32220
 */
const LEGACY_LABELS: ReadonlySet<string> = new Set(['us1', 'us1-ix']);

/** Claims that a URI is an address which only devices registered here have: everybody else is called by host and port. */
export function isRegisteredAddress(uri: string, domain: string): boolean {
  const host = hostOf(parseUri(uri), domain);
  return host?.kind === 'sip-domain' || host?.kind === 'wrong';
}

/**
 * What a URI alone says about calling it as an address of registered devices, before anybody looks into the Region's
 * records: why it cannot be called, or that it can. Undefined: its host is somebody else's.
 */
export function addressFault(uri: string, domain: string): Diagnostic | 'registered' | undefined {
  const parsed = parseUri(uri);
  const host = hostOf(parsed, domain);
  if (host?.kind === 'wrong') return wrongHost(host.message, uri);
  if (!parsed || host?.kind !== 'sip-domain') return undefined;
  const { name, label, edge, base } = host;
  const user = utf8(parsed.userDecoded ?? '');
  if (label !== undefined && !LEGACY_LABELS.has(label)) {
    return edgeInHost({ uri: parsed, name, user, label, edge, base }, uri);
  }
  return user === '' ? noUser(`${name}.sip.${base}`, uri) : 'registered';
}

/** Other names under our base may be anybody's: a telephone system beside this one, for example. */
function hostOf(uri: SipUri | undefined, domain: string): SipHost | undefined {
  const host = uri && readSipHost(uri.host, domain);
  return host?.kind === 'wrong' && !uri?.host.includes('.sip.') ? undefined : host;
}

/** An address of record under our base domain, as a URI names it. */
interface NamedAddress {
  readonly uri: SipUri;
  readonly name: string;
  /** '' where the URI has none. */
  readonly user: string;
  readonly label: string | undefined;
  readonly edge: EdgeId;
  readonly base: string;
}

/**
 * Whom a SIP URI reaches when its host is one of our SIP domains, `<name>.sip[.<edge>].<base>`: the devices registered
 * under it in this Region and in no other, or why there is nobody. Undefined: the host is somebody else's. Rejects
 * when the Region's records cannot be read.
 *
 * @see https://www.twilio.com/docs/voice/api/sip-registration
 * @see https://www.twilio.com/docs/global-infrastructure/regional-sip-domains
 */
export async function registeredDevices(
  called: CalledAddress,
  options: RegisteredAddressOptions,
): Promise<RegisteredDevices | Diagnostic | undefined> {
  const uri = parseUri(called.uri);
  const host = hostOf(uri, options.domain);
  if (host?.kind === 'wrong') {
    return wrongHost(host.message, called.uri);
  }
  if (!uri || host?.kind !== 'sip-domain') return undefined;
  const { name, label, edge, base } = host;
  const user = utf8(uri.userDecoded ?? '');
  return await devicesOf({ uri, name, user, label, edge, base }, called, options);
}

async function devicesOf(
  named: NamedAddress,
  called: CalledAddress,
  options: RegisteredAddressOptions,
): Promise<RegisteredDevices | Diagnostic> {
  const { uri, name, user, label } = named;
  const { config, related } = options;
  if (label !== undefined && !LEGACY_LABELS.has(label)) return edgeInHost(named, called.uri);
  const domain = await config.records.domains.find(name);
  if (!domain) return notHere(named, called, options);
  const own = domain.accountSid === called.accountSid;
  if (!own && !(await related(domain.accountSid, called.accountSid))) return foreignDomain(domain, called);
  if (user === '') return noUser(domain.domainName, called.uri);
  // A domain of this name that was deleted may have left some, and may have been somebody else's.
  const all = (await config.registrations.bindings(`${user}@${name}`)).filter(
    ({ domainSid }) => domainSid === domain.sid,
  );
  const there = label === undefined ? all : all.filter(({ flow }) => flow.edge === named.edge);
  if (label !== undefined && there.length === 0) return nobodyAtEdge(named, all.length, called.uri);
  if (there.length === 0) return notRegistered(user, domain.domainName, called.uri, config.region);
  const bindings = isSecure(uri) ? there.filter(({ flow }) => flow.transport === 'tls') : there;
  if (bindings.length === 0) return notSecure(user, domain, there.length);
  const address = `sip:${uri.user}@${domain.domainName}`;
  return { address, bindings, notes: notesOf(called, bindings, label) };
}

/** A domain of another Region is known: its devices are "not registered" here, as the page on regional domains says. */
async function notHere(
  named: NamedAddress,
  { uri, accountSid }: CalledAddress,
  { config: { region }, domainRelated }: RegisteredAddressOptions,
): Promise<Diagnostic> {
  const { name, user, base } = named;
  const elsewhere = user !== '' && (await domainRelated(name, accountSid));
  if (!elsewhere) return unknownDomain(named, uri, region);
  return notRegistered(user, `${name}.sip.${base}`, uri, region);
}

function isSecure({ scheme, params }: SipUri): boolean {
  const asks = (name: string, value: string) => params.get(name)?.toLowerCase() === value;
  return scheme === 'sips' || asks('secure', 'true') || asks('transport', 'tls');
}

/** A user part is written in bytes (RFC 3261 §25.1); names of credentials are text. */
function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** What tells a device from the others of its address. */
export function deviceName({ flow: { edge, transport, address, port } }: Pick<Binding, 'flow'>): string {
  return `${address}:${port} (${transport}, ${edge})`;
}

/** What is worth knowing of a device that did not take a call which went on. */
export function deviceRefused(
  binding: Pick<Binding, 'flow'>,
  { cause, sipStatus, diagnostic }: Pick<LegEnded, 'cause' | 'sipStatus' | 'diagnostic'>,
): string {
  const why = diagnostic?.message ?? (sipStatus === undefined ? cause : `it answered ${sipStatus}`);
  return `the device at ${deviceName(binding)} does not take the call: ${why}`;
}

function notesOf(
  { asksEgress }: CalledAddress,
  bindings: readonly Binding[],
  label: string | undefined,
): readonly string[] {
  const devices = bindings.map(deviceName);
  const count = devices.length === 1 ? 'one device is' : `${devices.length} devices are`;
  const notes = [`${count} registered under this address: ${devices.join(', ')}`];
  if (asksEgress) {
    notes.push('edge, region and tnx mean nothing to a registered address: each device has its own edge');
  }
  if (label !== undefined) {
    notes.push(`the label ${label} in the host is deprecated: leave it out to call every device`);
  }
  return notes;
}

/** @see https://www.twilio.com/docs/api/errors/32002 */
function wrongHost(why: string, actual: string): Diagnostic {
  return warning(32002, `${why} Nobody is called.`, { actual });
}

/** @see https://www.twilio.com/docs/api/errors/32220 */
function edgeInHost({ uri, name, label, base }: NamedAddress, actual: string): Diagnostic {
  const user = uri.user === undefined ? '' : `${uri.user}@`;
  const expected = `sip:${user}${name}.sip.${base}`;
  const message = `"${actual}" names an edge, ${label}, in the host of a registered address, which is called at all its devices, each through the edge it registered by. Call ${expected}.`;
  return failure(32220, message, { actual, expected });
}

/** @see https://www.twilio.com/docs/api/errors/32002 */
function unknownDomain({ name }: NamedAddress, actual: string, region: RegionId): Diagnostic {
  const message = `${region} has no SIP domain "${name}", so "${actual}" cannot be called: create the domain in ${region}, or make the call in the Region that has it.`;
  return warning(32002, message, { actual, expected: `a SIP domain of ${region}` });
}

/** @see https://www.twilio.com/docs/api/errors/32214 */
function foreignDomain({ domainName }: SipDomain, { uri, accountSid }: CalledAddress): Diagnostic {
  const expected = `a SIP domain of ${accountSid}, of its parent account or of a subaccount`;
  const message = `The SIP domain ${domainName} belongs to an account that has nothing to do with this one; expected ${expected}. Register the device with such a domain and call it there.`;
  return warning(32214, message, { actual: uri, expected });
}

/** @see https://www.twilio.com/docs/api/errors/32223 */
function noUser(domainName: string, actual: string): Diagnostic {
  const expected = `sip:user@${domainName}`;
  const message = `"${actual}" names no user of the SIP domain: a domain cannot be called, only who is registered with it. Call ${expected}.`;
  return failure(32223, message, { actual, expected });
}

/** @see https://www.twilio.com/docs/api/errors/32221 */
function nobodyAtEdge({ name, user, label, edge, base }: NamedAddress, elsewhere: number, actual: string) {
  const others = elsewhere === 0 ? 'no other edge either' : `other edges, ${elsewhere} of them`;
  const message = `"${actual}" asks for the devices that registered through ${edge} (${label} in the host), and there are none; devices of this user are registered through ${others}. Call sip:${user}@${name}.sip.${base} to reach them all.`;
  return failure(32221, message, { actual, expected: `a device registered through ${edge}` });
}

/** @see https://www.twilio.com/docs/api/errors/32009 */
function notRegistered(user: string, domainName: string, actual: string, region: RegionId) {
  const message = `"${user}" is not registered with ${domainName} in ${region}, where this call is processed: no device has an active registration. Only devices registered in the same Region can be called: check the user's name and that the domain is routed to ${region}, or make the call in the Region it is routed to.`;
  return warning(32009, message, { actual, expected: `a device registered in ${region}` });
}

/** @see https://www.twilio.com/docs/api/errors/32209 */
function notSecure(user: string, { domainName }: SipDomain, devices: number): Diagnostic {
  const message = `The call asks for encryption, and none of the ${devices} devices of ${user}@${domainName} is registered over TLS: nobody was called. Register over TLS, or call without secure=true and transport=tls.`;
  return failure(32209, message, { expected: 'a device registered over TLS' });
}
