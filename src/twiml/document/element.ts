/** A 1-based place in a document; columns count UTF-16 units, as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface TwimlAttribute {
  readonly value: string;
  readonly position: Position;
}

export interface TwimlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, TwimlAttribute>;
  /** In document order; text with its references resolved, comments and processing instructions left out. */
  readonly children: readonly (TwimlElement | string)[];
  readonly position: Position;
}

export function isElement(child: TwimlElement | string): child is TwimlElement {
  return typeof child !== 'string';
}

/** The text directly inside an element, white space as written. */
export function textOf(element: TwimlElement): string {
  return element.children.filter((child) => !isElement(child)).join('');
}
