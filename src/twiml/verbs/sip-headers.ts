import { isToken } from '../../sip/message/grammar.ts';
import { unescapeUri } from '../../sip/message/uri.ts';
import type { Position } from '../document/element.ts';
import type { Fault } from './sip-uri.ts';

/** The header part of a SIP URI is shorter than this. @see https://www.twilio.com/docs/voice/twiml/sip */
const HEADERS_LIMIT = 1024;

/** Headers beside `X-…` that may be passed. @see https://www.twilio.com/docs/voice/twiml/sip#custom-headers */
const PERMITTED = ['user-to-user', 'remote-party-id', 'p-preferred-identity', 'p-called-party-id'];

/** Escapes, and characters that need none: RFC 3261 §25.1, hnv-unreserved and unreserved. */
const ESCAPED = /^(?:[A-Za-z0-9\-_.!~*'()[\]/?:+$]|%[0-9A-Fa-f]{2})*$/;

/** What no header value can hold: control characters but the tab. RFC 3261 §25.1, TEXT-UTF8char */
const ILLEGAL_VALUE = /[\x00-\x08\x0a-\x1f\x7f]/;

/** A header as an element of its own writes it: nothing in it is escaped. */
export interface SipHeader {
  readonly name: string;
  readonly value: string;
  readonly position: Position;
}

/**
 * The headers of a SIP URI, `name=value` joined by `&`, with their escapes resolved, and those of elements behind
 * them; one character a byte. What cannot be passed is left out with a diagnostic; the first of a name counts.
 */
export function readSipHeaders(
  text: string,
  elements: readonly SipHeader[],
  fault: Fault,
): Readonly<Record<string, string>> {
  const headers = new Map<string, string>();
  let used = 0;
  const add = (name: string, value: string, written: string, report: Fault) => {
    used += written.length + 1;
    if (!fits(name, value, written, used, report)) return;
    const key = name.toLowerCase();
    if (![...headers.keys()].some((known) => known.toLowerCase() === key)) headers.set(name, value);
  };
  for (const written of text.split('&')) {
    if (written !== '') add(...split(written), written, fault);
  }
  for (const { name, value, position } of elements) {
    if (name === '') continue; // reported as missing
    const bytes = Buffer.from(value, 'utf8').toString('latin1');
    const at: Fault = (code, message, actual, expected) => fault(code, message, actual, expected, position);
    add(name, bytes, `${name}=`.padEnd(name.length + 1 + bytes.length, 'x'), at);
  }
  return Object.fromEntries(headers);
}

/** Whether a header can be passed; reported when it cannot. `used`: the length of all up to it. */
function fits(name: string, value: string, written: string, used: number, fault: Fault): boolean {
  const key = name.toLowerCase();
  const shown = name.slice(0, 100);
  if (written.length >= HEADERS_LIMIT) {
    const message = `the header ${shown} has ${written.length} characters; headers must have fewer than ${HEADERS_LIMIT} together; it is left out.`;
    fault(13253, message, shown, `fewer than ${HEADERS_LIMIT} characters`);
  } else if (used - 1 >= HEADERS_LIMIT) {
    const message = `the headers have ${HEADERS_LIMIT} characters or more together; ${shown} is left out.`;
    fault(13251, message, shown, `fewer than ${HEADERS_LIMIT} characters`);
  } else if (!isToken(name)) {
    const message = `"${shown}" is no name of a SIP header; it is left out.`;
    fault(13252, message, shown, 'letters, digits and hyphens');
  } else if (!isPermitted(key)) {
    const why = key.startsWith('x-twilio') ? 'is reserved' : 'may not be passed';
    const message = `the header ${shown} ${why}; only X-… (but X-Twilio…), User-to-User, Remote-Party-ID, P-Preferred-Identity and P-Called-Party-ID may; it is left out.`;
    fault(32113, message, shown, 'X-…');
  } else if (ILLEGAL_VALUE.test(value)) {
    const message = `the value of the header ${shown} holds control characters; it is left out.`;
    fault(32112, message, shown, 'printable text');
  } else if (!ESCAPED.test(written.slice(written.indexOf('=') + 1))) {
    const message = `the value of the header ${shown} holds characters that must be escaped as %XX; it is left out.`;
    fault(32110, message, value.slice(0, 100), 'escapes such as %3B for ";"');
  } else return true;
  return false;
}

/** Name and value with their escapes resolved. */
function split(written: string): readonly [string, string] {
  const equals = written.indexOf('=');
  if (equals < 0) return [unescapeUri(written), ''];
  return [unescapeUri(written.slice(0, equals)), unescapeUri(written.slice(equals + 1))];
}

function isPermitted(key: string): boolean {
  return PERMITTED.includes(key) || (key.startsWith('x-') && key.length > 2 && !key.startsWith('x-twilio'));
}
