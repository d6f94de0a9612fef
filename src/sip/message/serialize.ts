import { headerKey } from './headers.ts';
import type { SipMessage } from './message.ts';

/**
 * The bytes of a message. Content-Length is always the body's own.
 *
 * Text beyond latin1 (a display name somebody typed) goes out as UTF-8, and a CR or LF in a value as a space, so
 * that no value can become a header of its own.
 */
export function serialize(message: SipMessage): Buffer {
  const body = bytesAsText(message.body);
  let head =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0`
      : `SIP/2.0 ${message.status} ${message.phrase}`;
  head = `${oneLine(head)}\r\n`;
  for (const { name, value } of message.headers.lines) {
    if (headerKey(name) !== 'content-length') head += `${oneLine(name)}: ${oneLine(value)}\r\n`;
  }
  return Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n${body}`, 'latin1');
}

const LINE_END = /[\r\n]+[ \t]*/g;

function oneLine(text: string): string {
  const bytes = bytesAsText(text);
  return bytes.includes('\n') || bytes.includes('\r') ? bytes.replace(LINE_END, ' ') : bytes;
}

const BEYOND_LATIN1 = /[^\x00-\xff]/;

/** Text as latin1, one character a byte: unchanged when it is already, its UTF-8 otherwise. */
export function bytesAsText(text: string): string {
  return BEYOND_LATIN1.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** What latin1 text says as UTF-8; the text itself when its bytes are not UTF-8. */
export function utf8OfText(text: string): string {
  const decoded = Buffer.from(text, 'latin1').toString('utf8');
  return decoded.includes('\ufffd') ? text : decoded;
}
