/** Why a document is not well-formed, and where: what was found, what was expected there, what to do. */
export interface Fault {
  /** Of the offending character or tag. */
  readonly offset: number;
  readonly found: string;
  readonly expected: string;
  readonly remedy: string;
}

/** A name out of a document, for a message. */
export function shortened(name: string): string {
  return name.length > 40 ? `${name.slice(0, 40)}…` : name;
}

/** The character at an offset, for a message: itself where it can be seen, else by its number. */
export function characterAt(text: string, offset: number): string {
  const code = text.codePointAt(offset);
  if (code === undefined) return 'the end of the document';
  if (code > 0x20 && code < 0x7f) return code === 0x22 ? `'"'` : `"${String.fromCodePoint(code)}"`;
  const number = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  const character = String.fromCodePoint(code);
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(character) ? `"${character}" (${number})` : `the character ${number}`;
}
