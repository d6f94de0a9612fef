/** A 1-based place in a document; columns count UTF-16 units, as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface TwimlAttribute {
  readonly value: string;
  readonly position: Position;
}

/** A stretch of text between tags, its references resolved, white space as written. */
export interface TwimlText {
  readonly text: string;
  /** Of its first character. */
  readonly position: Position;
}

export interface TwimlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, TwimlAttribute>;
  /** In document order; comments and processing instructions left out. */
  readonly children: readonly (TwimlElement | TwimlText)[];
  readonly position: Position;
}

export function isElement(child: TwimlElement | TwimlText): child is TwimlElement {
  return 'name' in child;
}

/** The text directly inside an element, white space as written. */
export function textOf(element: TwimlElement): string {
  return element.children.map((child) => (isElement(child) ? '' : child.text)).join('');
}
