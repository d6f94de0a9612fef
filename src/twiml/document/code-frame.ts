/** The widest piece of a line that is shown; a whole document may stand in one line. */
const WIDEST = 100;

/** The piece of a document concerned, and where carets belong under it. */
export interface CodeFrame {
  readonly line: string;
  /** Spaces and tabs as wide as what stands in front. */
  readonly indent: string;
  readonly carets: string;
}

/** The line of a place, cut to what is near it; undefined where the document has no such line. */
export function codeFrame(text: string, line: number, column: number): CodeFrame | undefined {
  const whole = text.split(/\r\n?|\n/)[line - 1];
  if (whole === undefined || column > whole.length + 1 || whole.trim() === '') return undefined;
  const start = column - 1 > WIDEST / 2 && whole.length > WIDEST ? column - 1 - WIDEST / 2 : 0;
  const piece = whole.slice(start, start + WIDEST);
  const before = start > 0 ? '…' : '';
  const after = start + WIDEST < whole.length ? '…' : '';
  const at = column - 1 - start;
  const [named = ' '] = /^<?\/?[^\s=<>/"'&]+/.exec(piece.slice(at)) ?? [];
  return {
    line: `${before}${piece}${after}`,
    indent: `${before}${piece.slice(0, at)}`.replaceAll(/[^\t]/g, ' '),
    carets: '^'.repeat(named.length),
  };
}
