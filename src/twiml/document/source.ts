import type { Position } from './element.ts';

/** The text of a document and where its lines begin. CR, LF and CRLF each end a line. */
export class Source {
  readonly text: string;
  #lineStarts: readonly number[] | undefined;
  /** The line of the place asked for last: the next one is mostly on it or right behind. */
  #line = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** The place of the character at `offset`. */
  at(offset: number): Position {
    this.#lineStarts ??= lineStarts(this.text);
    const starts = this.#lineStarts;
    const line = this.#line;
    const start = starts[line] ?? 0;
    if (offset < start || offset >= (starts[line + 1] ?? Number.POSITIVE_INFINITY)) {
      this.#line = lineOf(starts, offset, offset < start ? 0 : line);
    }
    return { line: this.#line + 1, column: offset - (starts[this.#line] ?? 0) + 1 };
  }

  /** The place in words. */
  where(offset: number): string {
    const { line, column } = this.at(offset);
    return `line ${line}, column ${column}`;
  }
}

function lineOf(starts: readonly number[], offset: number, from: number): number {
  let low = from;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  if (text.includes('\r')) {
    for (const match of text.matchAll(/\r\n?|\n/g)) starts.push(match.index + match[0].length);
    return starts;
  }
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
