/**
 * First and last code points of `NameStartChar` beyond ASCII, XML 1.0 §2.3, but U+FEFF: our choice, a byte order mark
 * inside a document is a mistake that nobody sees.
 */
const STARTS: readonly (readonly [number, number])[] = [
  [0xc0, 0xd6],
  [0xd8, 0xf6],
  [0xf8, 0x2ff],
  [0x370, 0x37d],
  [0x37f, 0x1fff],
  [0x200c, 0x200d],
  [0x2070, 0x218f],
  [0x2c00, 0x2fef],
  [0x3001, 0xd7ff],
  [0xf900, 0xfdcf],
  [0xfdf0, 0xfefe],
  [0xff00, 0xfffd],
  [0x10000, 0xeffff],
];

/** What `NameChar` has beside them. */
const FOLLOWERS: readonly (readonly [number, number])[] = [
  [0xb7, 0xb7],
  [0x300, 0x36f],
  [0x203f, 0x2040],
];

const FIRST = 1;
const LATER = 2;

/** By code: whether an ASCII character may begin a name, and whether it may follow. */
const ASCII: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  return (/[:A-Z_a-z]/.test(character) ? FIRST : 0) | (/[:A-Z_a-z.0-9-]/.test(character) ? LATER : 0);
});

/** The offset behind the name that begins at `from`; `from` itself when none begins there. */
export function nameEnd(text: string, from: number): number {
  let at = from;
  for (let wanted = FIRST; ; wanted = LATER) {
    const code = text.charCodeAt(at);
    if (code < 128) {
      if (((ASCII[code] ?? 0) & wanted) === 0) return at;
      at++;
    } else {
      const point = text.codePointAt(at);
      if (point === undefined) return at; // the end
      if (!within(STARTS, point) && (wanted === FIRST || !within(FOLLOWERS, point))) return at;
      at += point > 0xffff ? 2 : 1;
    }
  }
}

function within(ranges: readonly (readonly [number, number])[], point: number): boolean {
  return ranges.some(([first, last]) => point >= first && point <= last);
}

/** `S` of XML 1.0 §2.3: no other white space separates anything. */
export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** The offset of the first character from `from` on that is no white space. */
export function skipSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}
