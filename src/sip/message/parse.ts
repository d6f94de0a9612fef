import { parseCSeq } from './cseq.ts';
import { isToken, parseDecimal, SPACE, skipSpace, splitList, TAB } from './grammar.ts';
import { Headers, headerKey, isKnownKey } from './headers.ts';
import type { ParseResult, SipRequest } from './message.ts';
import { isNameAddr } from './name-addr.ts';
import { scanUri, schemeOf } from './uri.ts';
import { isVia, topVia } from './via.ts';

/** Headers with exactly one value; a second line of them is a 400 (RFC 4475 §3.3.8, §3.3.9). */
const SINGLE = new Set(['from', 'to', 'call-id', 'cseq', 'max-forwards', 'content-length', 'content-type']);

const CR = 0x0d;
const LF = 0x0a;

/** Claims a datagram only keeps a NAT binding open: nothing but CR, LF, NUL and spaces (RFC 5626 §3.5.1). */
export function isKeepAlive(datagram: Buffer): boolean {
  return datagram.every((byte) => byte === CR || byte === LF || byte === 0 || byte === 0x20);
}

/**
 * Reads one message out of a datagram or a framed piece of a stream. Never throws; linear in the length.
 *
 * Checked here is what every reader relies on: the start line, header syntax, the mandatory headers and that they
 * occur once, Via, From, To, Contact, CSeq and Content-Length. Anything else is read by whoever needs it.
 *
 * In a response a line that is no header is left out, and a Contact may be anything (our choice): were the whole
 * dropped for it, the one who answered would never get an ACK.
 *
 * Lines must end in CRLF: a lone CR or LF would pass as part of a value here and as a line end elsewhere.
 */
export function parseMessage(datagram: Buffer): ParseResult {
  const text = datagram.toString('latin1');
  let start = 0;
  while (text.charCodeAt(start) === CR && text.charCodeAt(start + 1) === LF) start += 2; // RFC 3261 §7.5
  const startEnd = text.indexOf('\r\n', start);
  if (startEnd < 0) return dropped(start === text.length ? 'empty' : 'no line end');
  const startLine = parseStartLine(text.slice(start, startEnd));
  if (startLine.kind === 'garbage') return dropped(startLine.reason);
  const head = readHeaders(text, startEnd + 2, startLine.kind === 'response');
  const { headers } = head;
  const body = cutBody(text, head.end, headers.get('content-length'));
  const reason =
    startLine.fault ??
    head.fault ??
    faultOfHeaders(headers) ??
    (startLine.kind === 'request' ? faultOfContacts(headers) : undefined) ??
    faultOfCSeq(headers, startLine.method) ??
    body.fault;
  if (startLine.kind === 'response') {
    if (reason !== undefined) return dropped(reason);
    const { status, phrase } = startLine;
    return { ok: true, message: { kind: 'response', status, phrase, headers, body: body.text } };
  }
  const { method, uri } = startLine;
  const message: SipRequest = { kind: 'request', method, uri, headers, body: body.text };
  if (reason === undefined) return { ok: true, message };
  // An ACK is never answered (RFC 3261 §17.1.1.3), and without a Via nobody knows where to.
  const answerable = method !== 'ACK' && topVia(message) ? message : undefined;
  return { ok: false, reason, answerable, status: startLine.unsupported ? 505 : 400 };
}

function dropped(reason: string): ParseResult {
  return { ok: false, reason, answerable: undefined, status: 400 };
}

type StartLine =
  | { readonly kind: 'garbage'; readonly reason: string }
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly phrase: string;
      readonly method: undefined;
      readonly fault: string | undefined;
    }
  | {
      readonly kind: 'request';
      readonly method: string;
      readonly uri: string;
      readonly fault: string | undefined;
      /** The protocol version is none of ours: 505 whatever else is wrong. */
      readonly unsupported: boolean;
    };

function parseStartLine(line: string): StartLine {
  return line.startsWith('SIP/') ? parseStatusLine(line) : parseRequestLine(line);
}

/** `SIP/2.0 200 OK`; the phrase may be empty (RFC 4475 §3.1.1.13) but its space may not be missing, save by sloth. */
function parseStatusLine(line: string): StartLine {
  const match = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/.exec(line);
  if (!match) return { kind: 'garbage', reason: `malformed status line: ${excerpt(line)}` };
  return {
    kind: 'response',
    status: Number(match[1]),
    phrase: match[2] ?? '',
    method: undefined,
    fault: undefined,
  };
}

/** `METHOD SP Request-URI SP SIP/2.0`, exactly one space each (RFC 3261 §7.1). */
function parseRequestLine(line: string): StartLine {
  const first = line.indexOf(' ');
  const last = line.trimEnd().lastIndexOf(' ');
  const method = line.slice(0, first);
  const version = line.slice(last + 1).trimEnd();
  if (first <= 0 || last <= first || !isToken(method) || !/^SIP\/\d+\.\d+$/i.test(version))
    return { kind: 'garbage', reason: `malformed request line: ${excerpt(line)}` };
  const uri = line.slice(first + 1, last);
  const unsupported = version.toUpperCase() !== 'SIP/2.0'; // compared without case, §7.1
  const fault = unsupported ? `version ${version} instead of SIP/2.0` : faultOfRequestLine(line, uri);
  return { kind: 'request', method, uri: uri.trim(), fault, unsupported };
}

function faultOfRequestLine(line: string, uri: string): string | undefined {
  // RFC 3261 §25.1: no part of a request line has one, whatever the scheme of its URI
  if (/[\r\n]/.test(line)) return 'a lone CR or LF in the request line';
  if (line.endsWith(' ')) return 'space behind the request line'; // RFC 4475 §3.1.2.10
  return faultOfRequestUri(uri);
}

/** A Request-URI is bare, has a scheme, and no headers (RFC 3261 §19.1.1; RFC 4475 §3.1.2.7, .8, .9, .11). */
function faultOfRequestUri(uri: string): string | undefined {
  const scheme = schemeOf(uri);
  if (scheme === undefined || /[ \t<>"]/.test(uri)) return `malformed Request-URI: ${excerpt(uri)}`;
  if (scheme !== 'sip' && scheme !== 'sips') return undefined; // 416 is the agent's to say
  const parsed = scanUri(uri);
  if (!parsed) return `malformed Request-URI: ${excerpt(uri)}`;
  return parsed.headers === undefined ? undefined : `headers in the Request-URI: ${excerpt(uri)}`;
}

interface Head {
  readonly headers: Headers;
  /** Where the body begins. */
  readonly end: number;
  readonly fault: string | undefined;
}

/**
 * Splits the header lines up to the empty one and joins folded ones (RFC 3261 §7.3.1). `lenient` leaves out the lines
 * that are no headers, with what is folded behind them, instead of finding fault with them.
 */
function readHeaders(text: string, from: number, lenient: boolean): Head {
  const lines: { name: string; value: string }[] = [];
  const keys: string[] = [];
  let fault: string | undefined;
  let omitted = true; // the line before was left out, or there was none
  let at = from;
  for (;;) {
    const lf = text.indexOf('\n', at);
    if (lf < 0) {
      fault ??= 'no empty line behind the headers';
      return { headers: new Headers(lines, keys), end: text.length, fault };
    }
    const cr = text.indexOf('\r', at);
    if (cr !== lf - 1) fault ??= 'a lone CR or LF in the headers';
    else if (cr === at) return { headers: new Headers(lines, keys), end: lf + 1, fault };
    const first = text.charCodeAt(at);
    if (first === SPACE || first === TAB) {
      const folded = omitted ? undefined : lines.at(-1);
      if (folded) folded.value = join(folded.value, sliceTrimmed(text, at, lf));
      else if (!lenient) fault ??= 'a folded line without a header before it';
    } else {
      const colon = text.indexOf(':', at);
      const name = colon < 0 || colon > lf ? '' : text.slice(at, endWithoutSpace(text, at, colon));
      const key = headerKey(name);
      omitted = !isKnownKey(key) && !isToken(name);
      if (!omitted) {
        lines.push({ name, value: sliceTrimmed(text, colon + 1, lf) });
        keys.push(key);
      } else if (!lenient) fault ??= `malformed header line: ${excerpt(text.slice(at, lf))}`;
    }
    at = lf + 1;
  }
}

/** Before the spaces, tabs and CRs that end `text[from … to)`. */
function endWithoutSpace(text: string, from: number, to: number): number {
  let end = to;
  for (let c = text.charCodeAt(end - 1); end > from && (c === SPACE || c === TAB || c === CR); ) {
    end--;
    c = text.charCodeAt(end - 1);
  }
  return end;
}

function sliceTrimmed(text: string, from: number, to: number): string {
  const end = endWithoutSpace(text, from, to);
  return text.slice(Math.min(skipSpace(text, from), end), end);
}

const join = (value: string, more: string) =>
  value === '' || more === '' ? value + more : `${value} ${more}`;

/** RFC 3261 §18.3: a datagram ends the body where Content-Length is absent; too little body is an error, more is cut. */
function cutBody(text: string, from: number, length: string | undefined): { text: string; fault?: string } {
  if (length === undefined) return { text: text.slice(from) };
  const wanted = parseDecimal(length, Number.MAX_SAFE_INTEGER);
  if (wanted === undefined) return { text: '', fault: `Content-Length is no number: ${excerpt(length)}` };
  const has = text.length - from;
  if (wanted > has)
    return { text: text.slice(from), fault: `Content-Length ${wanted}, but only ${has} bytes came` };
  return { text: text.slice(from, from + wanted) };
}

/** What RFC 3261 §8.1.1 asks of every message, apart from Max-Forwards, which RFC 2543 peers do not send. */
function faultOfHeaders(headers: Headers): string | undefined {
  const repeated = headers.firstRepeated(SINGLE);
  if (repeated !== undefined) return `more than one ${repeated} header`;
  const via = headers.get('via');
  if (via === undefined || !isVia(via))
    return via === undefined ? 'no Via header' : `malformed Via: ${excerpt(via)}`;
  for (const name of ['from', 'to'] as const) {
    const value = headers.get(name);
    if (value === undefined) return `no ${name} header`;
    if (!isNameAddr(value)) return `malformed ${name} header: ${excerpt(value)}`;
  }
  const callId = headers.get('call-id');
  if (!callId || /[ \t]/.test(callId))
    return callId ? `malformed Call-ID: ${excerpt(callId)}` : 'no Call-ID header';
  const maxForwards = headers.get('max-forwards');
  if (maxForwards !== undefined && !/^\d+$/.test(maxForwards))
    return `malformed Max-Forwards: ${excerpt(maxForwards)}`;
  return undefined;
}

/** `Contact: *` is a REGISTER's (RFC 3261 §10.2.2); everything else is a list of addresses. */
function faultOfContacts(headers: Headers): string | undefined {
  const first = headers.get('contact');
  if (first === undefined) return undefined;
  for (const line of headers.all('contact')) {
    if (line !== '*' && !isNameAddr(line) && !splitList(line).every(isNameAddr))
      return `malformed Contact: ${excerpt(line)}`;
  }
  return undefined;
}

/** RFC 3261 §8.1.1.5: a request's CSeq names its method (RFC 4475 §3.1.2.17, .18). */
function faultOfCSeq(headers: Headers, method: string | undefined): string | undefined {
  const value = headers.get('cseq');
  if (value === undefined) return 'no CSeq header';
  const cseq = parseCSeq(value);
  if (!cseq) return `malformed CSeq: ${excerpt(value)}`;
  return method !== undefined && cseq.method !== method
    ? `CSeq says ${cseq.method}, the request ${method}`
    : undefined;
}

/** Enough of what a peer sent to recognise it in a log, in printable characters. */
function excerpt(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/** Hops left (RFC 3261 §8.1.1.6): 70 when absent, at most 255. */
export function maxForwards(headers: { get(name: string): string | undefined }): number {
  return Math.min(Number(headers.get('max-forwards') ?? 70), 255);
}
