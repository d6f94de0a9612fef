import { type Fault, shortened } from './fault.ts';

/** The entities every XML document knows; TwiML has no document type that could declare others. XML 1.0 §4.6 */
const PREDEFINED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

/** Anything that is no XML 1.0 character (§2.2): most control characters, lone surrogates, U+FFFE and U+FFFF. */
export const ILLEGAL_CHARACTER = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

/** What `&name;` stands for, or `undefined` when it stands for nothing. `name` is without `&` and `;`. */
function resolveReference(name: string): string | undefined {
  if (!name.startsWith('#')) return PREDEFINED.get(name);
  const numeric = /^#(?:x0*([0-9a-fA-F]{1,6})|0*([0-9]{1,7}))$/.exec(name);
  if (!numeric) return undefined;
  const code = numeric[1] === undefined ? Number(numeric[2]) : Number.parseInt(numeric[1], 16);
  if (code > 0x10ffff) return undefined;
  const character = String.fromCodePoint(code);
  return ILLEGAL_CHARACTER.test(character) ? undefined : character;
}

/** Replaces every reference; those that stand for nothing have been refused before. */
export function resolveReferences(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&([^;]*);/g, (whole, name: string) => resolveReference(name) ?? whole);
}

/** What ends a reference that is none. */
const REFERENCE = /&([^\s;&<>"'=?]*)(;?)/y;

/** The offset behind the reference that begins at `at`, or why there is none. */
export function readReference(text: string, at: number): number | Fault {
  REFERENCE.lastIndex = at;
  const [whole, name = '', semicolon] = REFERENCE.exec(text) ?? ['&'];
  if (semicolon === ';' && resolveReference(name) !== undefined) return at + whole.length;
  const expected = 'one of &amp; &lt; &gt; &quot; &apos; or the number of a character as &#233;';
  if (semicolon !== ';') {
    const remedy = PREDEFINED.has(name)
      ? `end it with a semicolon: &${name};`
      : 'write &amp; for an ampersand';
    return { offset: at, found: 'a bare "&"', expected, remedy };
  }
  const found = `the unknown reference &${shortened(name)};`;
  return { offset: at, found, expected, remedy: remedyFor(name) };
}

function remedyFor(name: string): string {
  if (name.startsWith('#')) return 'leave the character out; XML has no such character';
  const predefined = PREDEFINED.has(name.toLowerCase());
  if (predefined) return `names are case-sensitive: write &${name.toLowerCase()};`;
  return 'write the character itself or its number: the names of HTML mean nothing in TwiML';
}
