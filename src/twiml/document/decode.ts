import type { Diagnostic } from '../../core/diagnostic.ts';
import { diagnose } from '../../core/error-catalogue.ts';
import { Source } from './source.ts';

export type DecodedText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly diagnostic: Diagnostic };

const DECLARED = /^(<\?xml[^>]*?\sencoding\s*=\s*["'])([A-Za-z][\w.-]*)["']/;

/**
 * The text of a response body: by its byte order mark, else by the encoding its XML declaration names, else as
 * UTF-8 (XML 1.0 appendix F). A byte order mark is not part of the text. Bytes that are none of that encoding are a
 * parse failure at the first of them, as in an XML parser.
 */
export function decodeBody(body: Buffer, url: string): DecodedText {
  const [, before = '', declared] = DECLARED.exec(body.toString('latin1', 0, 200)) ?? [];
  const signed = signature(body);
  // The declaration was readable as ASCII, so a UTF-16 label cannot be true.
  const label = signed ?? (declared === undefined || /^utf-?16/i.test(declared) ? 'utf-8' : declared);
  try {
    return { ok: true, text: withoutMark(read(label, body)) };
  } catch {
    const known = isKnown(label);
    const place = known ? firstUnreadable(body, label) : placeBehind(before);
    const encoding = label.slice(0, 40);
    const found = known ? `bytes that are no ${encoding}` : `the unknown encoding ${encoding}`;
    const expected = signed ?? (known ? (declared ?? 'UTF-8') : 'UTF-8');
    const remedy = 'send it as UTF-8, or name its encoding in the XML declaration';
    const message = `The document cannot be read at line ${place.line}, column ${place.column}: found ${found}; expected ${expected}; ${remedy}.`;
    return { ok: false, diagnostic: diagnose(12100, message, { url, ...place, actual: found, expected }) };
  }
}

const decoderOf = (label: string) => new TextDecoder(label, { fatal: true, ignoreBOM: true });

/** A second mark is a mistake: both stay for the parser, which takes one for granted. */
const withoutMark = (text: string) => (/^\uFEFF(?!\uFEFF)/.test(text) ? text.slice(1) : text);

/** What windows-1252, as which ISO-8859-1 is read, has for 0x80 to 0x9F. @see https://encoding.spec.whatwg.org/#windows-1252 */
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8DŽ\x8F\x90‘’“”•–—˜™š›œ\x9DžŸ';

function read(label: string, body: Buffer): string {
  const decoder = decoderOf(label);
  const text = decoder.decode(body);
  if (decoder.encoding !== 'windows-1252') return text;
  // Node 20.18.3 and some later ones read it as ISO-8859-1: https://github.com/nodejs/node/issues/56542
  return text.replace(/[\x80-\x9F]/g, (control) => WINDOWS_1252[control.charCodeAt(0) - 0x80] ?? control);
}

function isKnown(label: string): boolean {
  try {
    return decoderOf(label).fatal;
  } catch {
    return false;
  }
}

/** By the byte order mark; without one, UTF-16 shows in the first `<`. */
function signature(body: Buffer): string | undefined {
  const [first, second, third] = body;
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if ((first === 0xfe && second === 0xff) || (first === 0 && second === 0x3c)) return 'utf-16be';
  if ((first === 0xff && second === 0xfe) || (first === 0x3c && second === 0)) return 'utf-16le';
  return undefined;
}

const placeBehind = (text: string) => new Source(text).at(text.length);

/** The place of the first byte that is not of the encoding: behind the longest start that is, found by halving. */
function firstUnreadable(body: Buffer, label: string) {
  const readStart = (bytes: number) => {
    try {
      return decoderOf(label).decode(body.subarray(0, bytes), { stream: true });
    } catch {
      return undefined;
    }
  };
  let readable = 0;
  let unreadable = body.length + 1;
  while (unreadable - readable > 1) {
    const middle = (readable + unreadable) >> 1;
    if (readStart(middle) === undefined) unreadable = middle;
    else readable = middle;
  }
  return placeBehind(withoutMark(readStart(readable) ?? ''));
}
