/** A 1-based place in a document; columns count UTF-16 units, as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface TwimlAttribute {
  /** References resolved, white space as XML 1.0 §3.3.3 normalizes it. */
  readonly value: string;
  /** Of its name. */
  readonly position: Position;
  /** Of the first character of its value, behind the quote. */
  readonly valuePosition: Position;
  /** Behind the closing quote. */
  readonly end: Position;
}

/**
 * A stretch of text as it stands in the document, its references resolved, white space as written. Markup of any kind
 * ends it, also a comment, a processing instruction and a CDATA section, so that it stands in one piece at its place.
 */
export interface TwimlText {
  readonly text: string;
  /** Of its first character; in a CDATA section that is behind `<![CDATA[`. */
  readonly position: Position;
}

export interface TwimlElement {
  readonly name: string;
  /** In document order. */
  readonly attributes: ReadonlyMap<string, TwimlAttribute>;
  /** In document order; comments and processing instructions left out. */
  readonly children: readonly (TwimlElement | TwimlText)[];
  /** Of the `<` of its start tag. */
  readonly position: Position;
  /** Behind its last character: the `>` of its end tag, or of its only tag. */
  readonly end: Position;
}

export function isElement(child: TwimlElement | TwimlText): child is TwimlElement {
  return 'name' in child;
}

/** The text directly inside an element, white space as written. */
export function textOf(element: TwimlElement): string {
  let text = '';
  for (const child of element.children) if (!isElement(child)) text += child.text;
  return text;
}

/** Where a text first has something to read, its own place when it is blank. White space counts as it is written. */
export function visiblePosition({ text, position }: TwimlText): Position {
  if (/^\S/.test(text)) return position;
  const blank = text.length - text.trimStart().length;
  if (blank === text.length) return position;
  const lines = text.slice(0, blank).split('\n');
  if (lines.length === 1) return { line: position.line, column: position.column + blank };
  return { line: position.line + lines.length - 1, column: (lines.at(-1) ?? '').length + 1 };
}
