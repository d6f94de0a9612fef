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
export function resolveReference(name: string): string | undefined {
  const numeric = /^#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,10}))$/.exec(name);
  if (!numeric) return PREDEFINED.get(name);
  const code = numeric[1] ? Number.parseInt(numeric[1], 16) : Number(numeric[2]);
  if (code > 0x10ffff) return undefined;
  const character = String.fromCodePoint(code);
  return ILLEGAL_CHARACTER.test(character) ? undefined : character;
}

/** Replaces every reference; those that stand for nothing have been refused before. */
export function resolveReferences(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&([^;]*);/g, (whole, name: string) => resolveReference(name) ?? whole);
}
