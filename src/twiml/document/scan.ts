import { readDeclaration } from './declaration.ts';
import type { Position, TwimlAttribute, TwimlElement, TwimlText } from './element.ts';
import { characterAt, type Fault, shortened } from './fault.ts';
import { CDATA_START, declarationFault, readCdata, readComment, readInstruction } from './markup.ts';
import { nameEnd, skipSpace } from './names.ts';
import { ILLEGAL_CHARACTER, readReference } from './references.ts';
import type { Source } from './source.ts';
import { readStartTag } from './start-tag.ts';

/**
 * Elements inside one another. Our choice: real documents have less than ten levels, and whoever walks the tree may
 * rely on a stack that holds.
 */
export const MAX_DEPTH = 100;

/** An element while its document is read: what its tags say of it. Its children are added by who builds the tree. */
export interface ScannedElement extends TwimlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, TwimlAttribute>;
  readonly children: (TwimlElement | TwimlText)[];
  readonly position: Position;
  end: Position;
}

/** A document that is well-formed. */
export interface Scanned {
  /** In the order of their start tags; the first is the root. */
  readonly elements: readonly ScannedElement[];
  /** Where stretches of text and CDATA sections inside the root begin, in document order. */
  readonly texts: readonly Position[];
  /** Offsets of the root element and behind it. */
  readonly root: { readonly start: number; readonly end: number };
  /** Offsets of the processing instructions inside the root and behind them. */
  readonly instructions: readonly (readonly [start: number, end: number])[];
}

/**
 * Reads a document once from its start to its end: whether it is well-formed (XML 1.0, without document types), and
 * what the tree does not keep: places and the attributes beside them. Linear in time whatever the text.
 */
export function scan(source: Source): Scanned | Fault {
  return new Scan(source).run();
}

class Scan {
  readonly #source: Source;
  readonly #text: string;
  readonly #elements: ScannedElement[] = [];
  readonly #texts: Position[] = [];
  readonly #instructions: [number, number][] = [];
  /** Elements whose end tag is awaited, with the offsets of their start tags. */
  readonly #open: { readonly element: ScannedElement; readonly start: number }[] = [];
  #rootStart = 0;
  #rootEnd = 0;

  constructor(source: Source) {
    this.#source = source;
    this.#text = source.text;
  }

  run(): Scanned | Fault {
    const text = this.#text;
    const illegal = ILLEGAL_CHARACTER.exec(text);
    if (illegal) return illegalCharacter(text, illegal.index);
    let at = readDeclaration(text);
    while (typeof at === 'number' && at < text.length) {
      const bracket = text.indexOf('<', at);
      const end = bracket < 0 ? text.length : bracket;
      const fault = at < end ? this.#readText(at, end) : undefined;
      if (fault) return fault;
      at = bracket < 0 ? end : this.#readMarkup(bracket);
    }
    if (typeof at !== 'number') return at;
    if (this.#open.length > 0) return this.#unclosed();
    if (this.#elements.length === 0) return noRoot(text);
    return {
      elements: this.#elements,
      texts: this.#texts,
      root: { start: this.#rootStart, end: this.#rootEnd },
      instructions: this.#instructions,
    };
  }

  #readText(start: number, end: number): Fault | undefined {
    const text = this.#text;
    if (this.#open.length === 0) {
      const stray = skipSpace(text, start);
      return stray < end ? this.#outside(stray, characterAt(text, stray)) : undefined;
    }
    for (let at = start; at < end; at++) {
      const code = text.charCodeAt(at);
      if (code === 0x26) {
        const behind = readReference(text, at);
        if (typeof behind !== 'number') return behind;
        at = behind - 1;
      } else if (code === 0x5d && text.startsWith(']]>', at)) {
        const remedy = 'write ]]&gt; outside of CDATA sections';
        return { offset: at, found: '"]]>" in text', expected: 'the end of a CDATA section only', remedy };
      }
    }
    this.#texts.push(this.#source.at(start));
    return undefined;
  }

  #readMarkup(at: number): number | Fault {
    const text = this.#text;
    switch (text.charCodeAt(at + 1)) {
      case 0x2f:
        return this.#readEndTag(at);
      case 0x3f:
        return this.#readInstruction(at);
      case 0x21:
        if (text.startsWith('--', at + 2)) return readComment(text, at);
        return text.startsWith(CDATA_START, at) ? this.#readCdata(at) : declarationFault(text, at);
      default:
        return this.#readStartTag(at);
    }
  }

  #readInstruction(at: number): number | Fault {
    const end = readInstruction(this.#text, at);
    if (typeof end === 'number' && this.#open.length > 0) this.#instructions.push([at, end]);
    return end;
  }

  #readCdata(at: number): number | Fault {
    if (this.#open.length === 0) return this.#outside(at, 'a CDATA section');
    this.#texts.push(this.#source.at(at + CDATA_START.length));
    return readCdata(this.#text, at);
  }

  #readStartTag(at: number): number | Fault {
    const source = this.#source;
    const position = source.at(at);
    const tag = readStartTag(source, at);
    if (!('name' in tag)) return tag;
    const isRoot = this.#open.length === 0;
    if (isRoot && this.#elements.length > 0) {
      const found = `a second root element <${shortened(tag.name)}>`;
      const remedy = 'put all verbs into one <Response>';
      return { offset: at, found, expected: 'one root element', remedy };
    }
    if (this.#open.length >= MAX_DEPTH) {
      const found = `<${shortened(tag.name)}> inside ${MAX_DEPTH} other elements`;
      const expected = `at most ${MAX_DEPTH} elements inside one another`;
      return { offset: at, found, expected, remedy: 'close the elements before it' };
    }
    const { name, attributes, empty, end } = tag;
    const element: ScannedElement = { name, attributes, children: [], position, end: position };
    this.#elements.push(element);
    if (isRoot) this.#rootStart = at;
    if (empty) this.#close(element, end);
    else this.#open.push({ element, start: at });
    return end;
  }

  #readEndTag(at: number): number | Fault {
    const text = this.#text;
    const behindName = nameEnd(text, at + 2);
    const name = text.slice(at + 2, behindName);
    const end = skipSpace(text, behindName);
    if (name === '' || text[end] !== '>') return brokenEndTag(text, at, name, end);
    const open = this.#open.pop();
    if (!open) {
      const found = `the end tag </${shortened(name)}> while no element is open`;
      return { offset: at, found, expected: 'a start tag before it', remedy: 'remove it' };
    }
    if (open.element.name !== name) return this.#mismatched(at, name, open);
    this.#close(open.element, end + 1);
    return end + 1;
  }

  #close(element: ScannedElement, end: number): void {
    element.end = this.#source.at(end);
    if (this.#open.length === 0) this.#rootEnd = end;
  }

  #outside(offset: number, what: string): Fault {
    const side = this.#elements.length === 0 ? 'before' : 'behind';
    const remedy = 'put text into a verb such as <Say>, and send nothing but the document';
    return { offset, found: `${what} ${side} the root element`, expected: 'only white space there', remedy };
  }

  #mismatched(at: number, found: string, open: { element: ScannedElement; start: number }): Fault {
    const name = shortened(open.element.name);
    const other = shortened(found);
    const isOpen = this.#open.some(({ element }) => element.name === found);
    const remedy =
      found.toLowerCase() === open.element.name.toLowerCase()
        ? `names are case-sensitive: write </${name}>`
        : isOpen
          ? `close <${name}> before </${other}>`
          : `write </${name}>, or remove </${other}>`;
    const what = `</${other}> while <${name}> of ${this.#source.where(open.start)} is open`;
    return { offset: at, found: what, expected: `</${name}>`, remedy };
  }

  /** At the innermost of the open elements: the document was cut short closest to it. */
  #unclosed(): Fault {
    const places = this.#open.map(
      ({ element, start }) => `<${shortened(element.name)}> of ${this.#source.where(start)}`,
    );
    const { element, start = 0 } = this.#open.at(-1) ?? {};
    const name = shortened(element?.name ?? '');
    const others = places.slice(0, -1).reverse();
    const also = others.length === 0 ? '' : `, and so are ${others.slice(0, 3).join(', ')}`;
    const end = this.#source.where(this.#text.length);
    return {
      offset: start,
      found: `<${name}> still open at the end of the document (${end})${also}`,
      expected: `</${name}>`,
      remedy: `add </${name}>, or find out why the document was cut off`,
    };
  }
}

function illegalCharacter(text: string, offset: number): Fault {
  const code = text.charCodeAt(offset).toString(16).toUpperCase().padStart(4, '0');
  const expected = 'characters that XML allows: no control characters but tab and line ends';
  return { offset, found: `the character U+${code}`, expected, remedy: 'leave it out' };
}

function noRoot(text: string): Fault {
  const found = text.length === 0 ? 'an empty document' : 'the end of the document before any element';
  return { offset: text.length, found, expected: '<Response>', remedy: 'send at least <Response/>' };
}

function brokenEndTag(text: string, at: number, name: string, end: number): Fault {
  if (name === '') {
    const remedy = 'name the element to close, right behind "</"';
    return { offset: at, found: '"</" without a name', expected: 'the name of an element', remedy };
  }
  if (end >= text.length || text[end] === '<') {
    const found = `an end tag </${shortened(name)} that is never closed`;
    return { offset: at, found, expected: '>', remedy: 'end the tag with >' };
  }
  const found = `${characterAt(text, end)} in the end tag </${shortened(name)}>`;
  return { offset: end, found, expected: '>', remedy: 'an end tag has nothing but the name' };
}
