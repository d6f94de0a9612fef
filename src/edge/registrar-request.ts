import { parseCSeq } from '../sip/message/cseq.ts';
import { formatParams } from '../sip/message/grammar.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { parseNameAddr } from '../sip/message/name-addr.ts';
import { parseUri, type SipUri } from '../sip/message/uri.ts';
import { asText } from './parties.ts';
import { type FlowName, flowNameOf, outboundProblem } from './registrar-outbound.ts';
import type { RegisterRefusal } from './registrar-refusal.ts';

/** Twilio takes registrations of ten minutes to an hour. @see https://www.twilio.com/docs/voice/api/sip-registration */
export const SHORTEST_SECONDS = 600;
export const LONGEST_SECONDS = 3_600;
/** Not documented: as long as it may be, which is also RFC 3261's value for what can't be read (§20.19). */
const DEFAULT_SECONDS = LONGEST_SECONDS;

/** Our choice, characters: an INVITE to what is kept still fits into a datagram. */
const LONGEST_CONTACT = 1_024;
const LONGEST_PATH = 2_048;
const LONGEST_CALL_ID = 256;
const LONGEST_USER_AGENT = 256;

/** One Contact of a REGISTER. */
export interface WantedContact {
  readonly text: string;
  readonly uri: SipUri;
  /** The Contact's other parameters as they are sent back: `;q=0.5`. */
  readonly parameters: string;
  /** 0: to be removed. */
  readonly seconds: number;
  /** Which flow of which device this is, where the device says so (RFC 5626). */
  readonly flow: FlowName | undefined;
}

/** What a REGISTER asks for, in the words of RFC 3261 §10.2. */
export interface RegisterRequest {
  readonly callId: string;
  readonly cseq: number;
  /** `Contact: *`. */
  readonly removesAll: boolean;
  /** Empty for a query. */
  readonly contacts: readonly WantedContact[];
  readonly path: readonly string[];
  readonly userAgent: string | null;
}

/** Reads a REGISTER whole before any of it is done: it takes effect altogether or not at all (§10.3). */
export function readRegister(request: SipRequest): RegisterRequest | RegisterRefusal {
  const { headers } = request;
  const callId = headers.get('Call-ID') ?? '';
  if (callId.length > LONGEST_CALL_ID) return bad(`a Call-ID of more than ${LONGEST_CALL_ID} characters`);
  const path = readPath(request);
  if ('status' in path) return path;
  const written = headers.list('Contact');
  const common = {
    callId,
    cseq: parseCSeq(headers.get('CSeq') ?? '')?.number ?? 0,
    path,
    userAgent: asText(headers.get('User-Agent') ?? '').slice(0, LONGEST_USER_AGENT) || null,
  };
  if (written.includes('*')) {
    const alone = written.length === 1 && readSeconds(headers.get('Expires')) === 0;
    if (!alone) return bad('"Contact: *" goes with "Expires: 0" and no other Contact (RFC 3261 §10.2.2)');
    return { ...common, removesAll: true, contacts: [] };
  }
  const contacts = readContacts(request, written);
  return 'status' in contacts ? contacts : { ...common, removesAll: false, contacts };
}

const bad = (reason: string): RegisterRefusal => ({ status: 400, reason });

function readContacts(
  request: SipRequest,
  written: readonly string[],
): readonly WantedContact[] | RegisterRefusal {
  const contacts: WantedContact[] = [];
  for (const line of written) {
    const contact = readContact(line, request);
    if ('status' in contact) return contact;
    contacts.push(contact);
  }
  return outboundProblem(request, contacts) ?? contacts;
}

function readContact(line: string, request: SipRequest): WantedContact | RegisterRefusal {
  const malformed = (reason: string): RegisterRefusal => ({
    status: 400,
    code: 32105,
    phrase: 'Invalid Contact',
    reason,
  });
  if (line.length > LONGEST_CONTACT) return malformed(`a Contact of more than ${LONGEST_CONTACT} characters`);
  const address = parseNameAddr(line);
  const uri = address && parseUri(address.uri);
  if (!address || !uri)
    return malformed(`"${line}" is no Contact with a SIP URI such as <sip:ann@192.0.2.4>`);
  if (uri.scheme === 'sips') return malformed(`"${line}" can be reached by TLS only, and this came without`);
  if (uri.headers.size > 0) return malformed(`"${line}" has headers in its URI: nobody could be called so`);
  const parameters = new Map(address.params);
  parameters.delete('expires');
  const seconds = readSeconds(address.params.get('expires') ?? request.headers.get('Expires'));
  if (seconds > 0 && seconds < SHORTEST_SECONDS) return tooBrief(seconds);
  const flow = flowNameOf(request, address.params);
  if (flow === 'malformed')
    return malformed(`"${line}" has a reg-id that is no number from 1 (RFC 5626 §4.2)`);
  return {
    text: address.uri,
    uri,
    parameters: formatParams(parameters),
    seconds: Math.min(seconds, LONGEST_SECONDS),
    flow,
  };
}

function tooBrief(seconds: number): RegisterRefusal {
  const reason = `a registration for ${seconds} s is too short: expected ${SHORTEST_SECONDS} to ${LONGEST_SECONDS}, or 0`;
  return { status: 423, reason, headers: { 'Min-Expires': String(SHORTEST_SECONDS) } }; // RFC 3261 §10.3 step 7
}

/** RFC 3261 §20.19: what is no number of seconds stands for an hour. */
function readSeconds(written: string | undefined): number {
  return written !== undefined && /^\d+$/.test(written) ? Number(written) : DEFAULT_SECONDS;
}

/** RFC 3327 §5.3: a device that doesn't know of Path must not be put behind one without its knowledge. */
function readPath({ headers }: SipRequest): readonly string[] | RegisterRefusal {
  const path = headers.list('Path');
  const supported = [...headers.list('Supported'), ...headers.list('Require')];
  if (path.length > 0 && !supported.some((tag) => tag.toLowerCase() === 'path')) {
    const reason = 'a proxy added Path, and the device does not say "Supported: path"';
    return { status: 420, reason, headers: { Unsupported: 'path' } };
  }
  if (path.join().length > LONGEST_PATH) return bad(`a Path of more than ${LONGEST_PATH} characters`);
  const unusable = path.find((value) => !parseUri(parseNameAddr(value)?.uri ?? ''));
  return unusable === undefined ? path : bad(`"${unusable}" is no Path such as <sip:proxy.example.com;lr>`);
}
