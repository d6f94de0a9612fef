import type { Diagnostic } from '../../core/diagnostic.ts';
import { diagnose, type TwimlCode } from '../../core/error-catalogue.ts';
import { isSid } from '../../core/ids.ts';
import { type EdgeId, edgeFromParameter } from '../../region/edge.ts';
import { escapeUser, formatUri, parseUri } from '../../sip/message/uri.ts';
import type { Position } from '../document/element.ts';
import type { DialTarget } from './ports.ts';
import { readSipHeaders, type SipHeader } from './sip-headers.ts';

export type SipTarget = Extract<DialTarget, { readonly kind: 'sip' }>;

export interface SipTargetOptions {
  /** Beside those of the URI, in their own elements. */
  readonly headers?: readonly SipHeader[];
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Claims that whoever calls looks for registered devices first: to them edge, region and tnx mean nothing. */
  readonly devices?: boolean;
}

export interface SipTargetReading {
  /** Undefined when nobody can be called by this text. */
  readonly target: SipTarget | undefined;
  /** Without url and position: whoever knows the document adds them. */
  readonly diagnostics: readonly SipDiagnostic[];
}

/** What is wrong with a part that has a place of its own says where. */
export type SipDiagnostic = Diagnostic & { readonly position?: Position };

/** The URI without its headers is shorter than this. @see https://www.twilio.com/docs/voice/twiml/sip */
const URI_LIMIT = 255;
/** @see https://www.twilio.com/docs/voice/api/call-resource#sipauthusername */
const LONGEST_CREDENTIAL = 255;

/** Claims that a host of this form may be a SIP domain: who is registered there is known when it is called. */
export function mayBeRegistered({ uri }: Pick<SipTarget, 'uri'>): boolean {
  return parseUri(uri)?.host.toLowerCase().includes('.sip.') ?? false;
}

export type Fault = (
  code: TwimlCode,
  message: string,
  actual: string,
  expected?: string,
  position?: Position,
) => void;

/**
 * A SIP URI as `<Sip>` and the API's `To` write it, white space around it dropped: the scheme may be missing,
 * headers follow a `?`, the parameters edge, region (its legacy spelling) and tnx are for us and leave the URI.
 * What cannot be used is left out with a diagnostic; `sips:` means `sip:` with transport=tls.
 *
 * @see https://www.twilio.com/docs/voice/twiml/sip
 */
export function readSipTarget(text: string, options: SipTargetOptions = {}): SipTargetReading {
  const diagnostics: SipDiagnostic[] = [];
  const fault: Fault = (code, message, actual, expected, position) => {
    const found = diagnose(code, message, { actual, ...(expected !== undefined && { expected }) });
    diagnostics.push({ ...found, ...(position && { position }) });
  };
  const written = withScheme(text.trim());
  const question = headerStart(written);
  const address = question < 0 ? written : written.slice(0, question);
  const target = readAddress(address, options, fault);
  const escaped = question < 0 ? '' : written.slice(question + 1);
  const headers = target ? readSipHeaders(escaped, options.headers ?? [], fault) : {};
  return { target: target && { ...target, headers }, diagnostics };
}

function withScheme(text: string): string {
  return /^sips?:/i.test(text) ? text : `sip:${text}`;
}

/** Where the headers begin: a `?` in the user part is none of them. RFC 3261 §25.1, user-unreserved */
function headerStart(text: string): number {
  return text.indexOf('?', Math.max(0, text.indexOf('@')));
}

function readAddress(address: string, options: SipTargetOptions, fault: Fault): SipTarget | undefined {
  if (address.length >= URI_LIMIT) {
    const message = `the SIP URI has ${address.length} characters; it must have fewer than ${URI_LIMIT}.`;
    fault(13243, message, address.slice(0, 100), `fewer than ${URI_LIMIT} characters`);
    return undefined;
  }
  const [named = '', ...params] = address.slice(address.indexOf('@') + 1).split(';');
  const user = address.slice(0, address.indexOf('@') + 1);
  const uri = parseUri(escaped(user, fault) + named);
  if (!uri || (uri.host === '' && user === '')) {
    const message = `"${address.slice(0, 100)}" is no SIP URI; expected user@host with an optional port.`;
    fault(13243, message, address.slice(0, 100), 'sip:user@host');
    return undefined;
  }
  const { own, kept } = readParameters(params, fault);
  const edge = readEdge(own, fault);
  const connectionSid = readConnection(own);
  const unusable = [edge, connectionSid].filter((found) => typeof found === 'object');
  const [barred] = unusable;
  // Our choice: what was meant for a private connection is never sent over the public network instead.
  const forDevices = options.devices === true && mayBeRegistered({ uri: formatUri(uri) });
  if (barred && !forDevices) {
    for (const { code, message, actual, expected } of unusable) fault(code, message, actual, expected);
    return undefined;
  }
  if (uri.scheme === 'sips') kept.set('transport', 'tls'); // our choice, as the documentation of SIP domains has it
  return {
    kind: 'sip',
    uri: formatUri({ ...uri, scheme: 'sip', params: kept }),
    headers: {},
    credentials: readCredentials(options, fault),
    edge: typeof edge === 'object' ? undefined : edge,
    connectionSid: typeof connectionSid === 'object' ? undefined : connectionSid,
    ...(barred && { barred: diagnose(barred.code, barred.message, barred) }),
  };
}

/** `sip:user@` with what a user part cannot hold escaped: the call is made all the same. */
function escaped(user: string, fault: Fault): string {
  if (/^[a-z]+:[\w.+-]*@?$/i.test(user)) return user; // as nearly all are
  const colon = user.indexOf(':') + 1;
  const part = user.slice(colon, -1);
  const usable = part.replace(/%[0-9A-Fa-f]{2}|:|[^%:]+|%/g, (piece) =>
    piece === ':' || /^%../.test(piece) ? piece : piece === '%' ? '%25' : escapeUser(utf8(piece)),
  );
  if (part === usable) return user;
  const message = `the user part "${part.slice(0, 100)}" holds characters that must be escaped as %XX; it is called as "${usable}".`;
  fault(32110, message, part);
  return `${user.slice(0, colon)}${usable}@`;
}

/** A parameter that names a private connection which cannot exist. */
interface Unusable {
  readonly code: 32301 | 32305;
  readonly message: string;
  readonly actual: string;
  readonly expected: string;
}

/** One character a byte: what a URI escapes. RFC 3261 §25.1 */
function utf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The parameters that are for us. */
const OWN = ['edge', 'region', 'tnx'] as const;

/** Parameters of a URI as RFC 3261 §25.1 writes them: `paramchar` or an escape. */
const PARAMETER = /^(?:[A-Za-z0-9\-_.!~*'()[\]/:&+$]|%[0-9A-Fa-f]{2})+$/;

/** Values that mean something to us. @see https://www.twilio.com/docs/voice/twiml/sip#uri-parameters */
const VALUES: ReadonlyMap<string, { readonly values: readonly string[]; readonly standard: string }> =
  new Map([
    ['transport', { values: ['udp', 'tcp', 'tls'], standard: 'udp' }],
    ['secure', { values: ['true', 'false'], standard: 'false' }],
  ]);

function readParameters(
  params: readonly string[],
  fault: Fault,
): { readonly own: ReadonlyMap<string, string>; readonly kept: Map<string, string> } {
  const own = new Map<string, string>();
  const kept = new Map<string, string>();
  for (const param of params) {
    const equals = param.indexOf('=');
    const [name, value] = equals < 0 ? [param, ''] : [param.slice(0, equals), param.slice(equals + 1)];
    const key = name.toLowerCase();
    if (!PARAMETER.test(name) || (value !== '' && !PARAMETER.test(value))) {
      fault(32110, `the URI parameter "${param.slice(0, 100)}" is malformed; it is left out.`, param);
    } else if (OWN.some((known) => known === key)) {
      if (!own.has(key)) own.set(key, decodeURIComponentOr(value));
    } else if (!kept.has(key)) {
      const supported = supportedValue(key, decodeURIComponentOr(value), fault);
      if (supported !== undefined) kept.set(key, supported);
    }
  }
  return { own, kept };
}

/** The value, or undefined when it is the default anyway or not supported: 32114. */
function supportedValue(name: string, value: string, fault: Fault): string | undefined {
  const rule = VALUES.get(name);
  if (!rule) return value;
  const folded = value.toLowerCase();
  if (rule.values.includes(folded)) return folded === 'false' ? undefined : folded;
  unsupported(name, value, rule.values.join(', '), rule.standard, fault);
  return undefined;
}

function unsupported(name: string, value: string, expected: string, standard: string, fault: Fault): void {
  const message = `${name}=${value.slice(0, 100)} is not supported; expected one of ${expected}; ${standard} is used.`;
  fault(32114, message, value, expected);
}

const PUBLIC_EDGES = 'ashburn, umatilla, dublin, frankfurt, singapore, tokyo, sydney, sao-paulo';

/** `edge` goes before `region`, its legacy spelling. */
function readEdge(own: ReadonlyMap<string, string>, fault: Fault): EdgeId | Unusable | undefined {
  const name = own.has('edge') ? 'edge' : 'region';
  const value = own.get(name);
  if (value === undefined) return undefined;
  const edge = edgeFromParameter(value);
  if (edge) return edge;
  if (value.toLowerCase().endsWith('-ix')) {
    const message = `${name}=${value.slice(0, 100)} is no Interconnect edge; nobody is called by it.`;
    return { code: 32305, message, actual: value, expected: 'ashburn-ix, london-ix, frankfurt-ix and so on' };
  }
  unsupported(name, value, PUBLIC_EDGES, "the Region's home edge", fault);
  return undefined;
}

function readConnection(own: ReadonlyMap<string, string>): string | Unusable | undefined {
  const sid = own.get('tnx');
  if (sid === undefined || isSid(sid, 'TX')) return sid;
  const message = `tnx=${sid.slice(0, 100)} is no SID of an Interconnect connection; nobody is called by it.`;
  return { code: 32301, message, actual: sid, expected: 'TX and 32 hexadecimal digits' };
}

/** Printable. The name also without quotes and backslashes: it travels in a quoted string (RFC 3261 §25.1). */
const USERNAME = /^[^\x00-\x1f\x7f"\\]+$/;
const PASSWORD = /^[^\x00-\x1f\x7f]+$/;

/** Both or none. */
function readCredentials(options: SipTargetOptions, fault: Fault): SipTarget['credentials'] {
  const { username, password } = options;
  if (username === undefined && password === undefined) return undefined;
  const usable = (text: string | undefined, pattern: RegExp): text is string =>
    text !== undefined && text.length <= LONGEST_CREDENTIAL && pattern.test(text);
  if (usable(username, USERNAME) && usable(password, PASSWORD)) return { username, password };
  const message = `username and password cannot be used; both are needed, printable and at most ${LONGEST_CREDENTIAL} characters long; the call is made without them.`;
  fault(13249, message, username ?? '', 'both username and password'); // the password is never shown
  return undefined;
}

function decodeURIComponentOr(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
