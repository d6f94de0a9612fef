import type { Diagnostic } from '../../core/diagnostic.ts';
import { diagnose } from '../../core/error-catalogue.ts';
import { Source } from './source.ts';

export type DecodedText =
  | { readonly ok: true; readonly text: string; readonly disagreement?: Disagreement }
  | { readonly ok: false; readonly diagnostic: Diagnostic };

/** What is said of a document's encoding beside what counted. */
export interface Disagreement {
  readonly line: number;
  readonly column: number;
  /** As a sentence: what says what, and which of them counted. */
  readonly message: string;
}

/** What says the encoding of a document, and what it says: a label of https://encoding.spec.whatwg.org/#names-and-labels. */
interface Word {
  readonly by: 'byte order mark' | 'charset of the Content-Type' | 'XML declaration';
  readonly label: string;
  /** Of the label in the text. */
  readonly offset: number;
}

const DECLARED = /^(<\?xml[^>]*?\sencoding\s*=\s*["'])([A-Za-z][\w.-]*)["']/;

/**
 * The text of a response body. Its byte order mark says the encoding, else the charset of its Content-Type, else its
 * XML declaration (RFC 7303 §3.2); without any of them it is UTF-8, or UTF-16 where the first `<` shows it (XML 1.0
 * appendix F). A byte order mark is not part of the text. Bytes that are none of that encoding are a parse failure at
 * the first of them, as in an XML parser.
 *
 * @param charset as in the Content-Type; absent: it has none
 */
export function decodeBody(body: Buffer, url: string, charset?: string): DecodedText {
  const mark = wordOf('byte order mark', markOf(body));
  const sent = wordOf('charset of the Content-Type', charset);
  const counts = mark ?? sent ?? legible(declaredIn(body.toString('latin1', 0, 200)));
  const guessed = unmarked(body);
  const label = counts === undefined ? (guessed ?? 'utf-8') : specific(counts, guessed);
  try {
    const text = withoutMark(read(label, body));
    const disagreement = counts && disagreementOf(counts, [sent, declaredIn(text)], text);
    return { ok: true, text, ...(disagreement && { disagreement }) };
  } catch {
    return { ok: false, diagnostic: unreadable(body, label, counts, url) };
  }
}

const wordOf = (by: Word['by'], label: string | undefined): Word | undefined =>
  label === undefined ? undefined : { by, label, offset: 0 };

function declaredIn(text: string): Word | undefined {
  const [, before = '', label] = DECLARED.exec(text) ?? [];
  return label === undefined ? undefined : { by: 'XML declaration', label, offset: before.length };
}

/** A declaration that was readable as ASCII cannot truly say UTF-16. */
const legible = (declared: Word | undefined) =>
  declared !== undefined && /^utf-?16/i.test(declared.label) ? undefined : declared;

/** RFC 2781 §4.3: `utf-16` alone leaves the order of bytes open. */
const specific = ({ label }: Word, guessed: string | undefined) =>
  guessed !== undefined && /^utf-?16$/i.test(label) ? guessed : label;

function unreadable(body: Buffer, label: string, counts: Word | undefined, url: string): Diagnostic {
  const known = encodingOf(label) !== undefined;
  const place = known
    ? firstUnreadable(body, label)
    : placeIn(body.toString('latin1', 0, 200), counts?.offset ?? 0);
  const encoding = label.slice(0, 40);
  const found = known ? `bytes that are no ${encoding}` : `the unknown encoding ${encoding}`;
  const expected = known && counts !== undefined ? encoding : 'UTF-8';
  const said = counts === undefined ? '' : `, named by the ${counts.by}`;
  const remedy =
    counts?.by === 'charset of the Content-Type'
      ? 'send it as UTF-8 with charset=utf-8, or with the charset that it has'
      : 'send it as UTF-8, or name its encoding in the XML declaration';
  const message = `The document cannot be read at line ${place.line}, column ${place.column}: found ${found}${said}; expected ${expected}; ${remedy}.`;
  return diagnose(12100, message, { url, ...place, actual: found, expected });
}

/** Of the first of the others that differs; those that name the same encoding agree. */
function disagreementOf(
  counts: Word,
  others: readonly (Word | undefined)[],
  text: string,
): Disagreement | undefined {
  const encoding = family(counts.label);
  const other = others.find((word) => word !== undefined && family(word.label) !== encoding);
  if (other === undefined) return undefined;
  const [first, second] = [counts, other].map(({ by, label }) => `the ${by} says ${label.slice(0, 40)}`);
  const message = `${first}, ${second}; the ${counts.by} counts. Let both say the encoding that the document has.`;
  return { ...placeIn(text, other.offset), message };
}

/** Without the order of bytes, which a declaration need not name. */
const family = (label: string) => (encodingOf(label) ?? label).replace(/^utf-16[bl]e$/, 'utf-16');

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

/** The encoding that a label names; undefined: none that is known. */
function encodingOf(label: string): string | undefined {
  try {
    return decoderOf(label).encoding;
  } catch {
    return undefined;
  }
}

function markOf([first, second, third]: Buffer): string | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return undefined;
}

/** Without a mark, UTF-16 shows in the first `<`. */
function unmarked([first, second]: Buffer): string | undefined {
  if (first === 0 && second === 0x3c) return 'utf-16be';
  if (first === 0x3c && second === 0) return 'utf-16le';
  return undefined;
}

const placeIn = (text: string, offset: number) => new Source(text.slice(0, offset)).at(offset);

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
  let unreadableAt = body.length + 1;
  while (unreadableAt - readable > 1) {
    const middle = (readable + unreadableAt) >> 1;
    if (readStart(middle) === undefined) unreadableAt = middle;
    else readable = middle;
  }
  const text = withoutMark(readStart(readable) ?? '');
  return placeIn(text, text.length);
}
