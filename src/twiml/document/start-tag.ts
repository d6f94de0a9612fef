import type { TwimlAttribute } from './element.ts';
import { characterAt, type Fault, shortened } from './fault.ts';
import { nameEnd, skipSpace } from './names.ts';
import { readReference, resolveReferences } from './references.ts';
import type { Source } from './source.ts';

/** A start tag or empty-element tag, XML 1.0 §3.1. */
export interface StartTag {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, TwimlAttribute>;
  /** Whether it ends in `/>`. */
  readonly empty: boolean;
  /** The offset behind its `>`. */
  readonly end: number;
}

const NO_ATTRIBUTES: ReadonlyMap<string, TwimlAttribute> = new Map();

const GREATER = 0x3e;
const SLASH = 0x2f;
const LESS = 0x3c;
const AMPERSAND = 0x26;

/** The tag whose `<` is at `start`, or the first thing that is wrong with it. */
export function readStartTag(source: Source, start: number): StartTag | Fault {
  const { text } = source;
  const behindName = nameEnd(text, start + 1);
  if (behindName === start + 1) return noTag(text, start);
  const name = text.slice(start + 1, behindName);
  let attributes: Map<string, TwimlAttribute> | undefined;
  let behind = behindName; // the name or the attribute before
  for (;;) {
    const at = skipSpace(text, behind);
    const code = text.charCodeAt(at);
    const empty = code === SLASH && text.charCodeAt(at + 1) === GREATER;
    if (empty || code === GREATER) {
      return { name, attributes: attributes ?? NO_ATTRIBUTES, empty, end: at + (empty ? 2 : 1) };
    }
    const behindAttribute = nameEnd(text, at);
    if (at === behind || behindAttribute === at) {
      return unexpected(source, { start, name, behindName, at, separated: at > behind });
    }
    attributes ??= new Map();
    const read = readAttribute(source, { start, name, at, behindName: behindAttribute }, attributes);
    if (typeof read !== 'number') return read;
    behind = read;
  }
}

/** An attribute whose name stands from `at` to `behindName` in the tag `name` at `start`. */
interface Place {
  readonly start: number;
  readonly name: string;
  readonly at: number;
  readonly behindName: number;
}

/** Adds the attribute; the offset behind its value, or what is wrong with it. */
function readAttribute(
  source: Source,
  place: Place,
  attributes: Map<string, TwimlAttribute>,
): number | Fault {
  const { text } = source;
  const name = text.slice(place.at, place.behindName);
  const equals = skipSpace(text, place.behindName);
  if (text[equals] !== '=') return noValue(text, place, name, equals);
  const quote = skipSpace(text, equals + 1);
  if (text[quote] !== '"' && text[quote] !== "'") return noQuote(source, place, name, quote);
  const before = attributes.get(name);
  if (before) {
    const { line, column } = before.position;
    const found = `the attribute ${shortened(name)} for the second time (first at line ${line}, column ${column})`;
    return { offset: place.at, found, expected: 'each attribute once', remedy: 'remove one of them' };
  }
  const close = readValue(text, quote, name);
  if (typeof close !== 'number') return close;
  attributes.set(name, {
    value: normalized(text.slice(quote + 1, close)),
    position: source.at(place.at),
    valuePosition: source.at(quote + 1),
    end: source.at(close + 1),
  });
  return close + 1;
}

/** The offset of the quote that closes the value opened by the quote at `open`. */
function readValue(text: string, open: number, name: string): number | Fault {
  const quote = text.charCodeAt(open);
  let greater = false;
  for (let at = open + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) return at;
    if (code === GREATER) greater = true;
    else if (code === AMPERSAND) {
      const behind = readReference(text, at);
      if (typeof behind !== 'number') return behind;
      at = behind - 1;
    } else if (code === LESS) {
      // A tag that ends inside the value and another that begins there: the quote between them was forgotten.
      if (greater) return unclosedValue(text, open, name);
      const found = `a "<" inside the value of ${shortened(name)}`;
      const remedy = 'write &lt; for a less-than sign, or close the quotes before it';
      return { offset: at, found, expected: 'text or the closing quote', remedy };
    }
  }
  return unclosedValue(text, open, name);
}

/** White space in a value is one space each, a line end one as a whole: XML 1.0 §2.11, §3.3.3. */
function normalized(value: string): string {
  return resolveReferences(/[\t\n\r]/.test(value) ? value.replace(/\r\n?|[\t\n]/g, ' ') : value);
}

function unclosedValue(text: string, open: number, name: string): Fault {
  const quote = text[open] === '"' ? `'"'` : '"\'"';
  const found = `a value of ${shortened(name)} whose quotes are never closed`;
  return { offset: open, found, expected: `${quote} behind the value`, remedy: 'add the closing quote' };
}

function noTag(text: string, start: number): Fault {
  const remedy = 'write &lt; for a less-than sign';
  const expected = 'the name of an element right behind it';
  return { offset: start, found: `a "<" before ${characterAt(text, start + 1)}`, expected, remedy };
}

function unclosedTag(name: string, start: number): Fault {
  const found = `a tag <${shortened(name)} that is never closed`;
  return { offset: start, found, expected: '>', remedy: 'end the tag with > or />' };
}

function noValue(text: string, { start, name: tag, at }: Place, name: string, equals: number): Fault {
  if (equals >= text.length) return unclosedTag(tag, start);
  const found = `the attribute ${shortened(name)} without a value`;
  const remedy = `write ${shortened(name)}="…", or remove it`;
  return { offset: at, found, expected: '= and a value in quotes', remedy };
}

function noQuote(source: Source, { start, name: tag }: Place, name: string, at: number): Fault {
  if (at >= source.text.length) return unclosedTag(tag, start);
  const found = `a value of ${shortened(name)} that begins with ${characterAt(source.text, at)}`;
  const remedy = /[“”„«»‘’′″]/.test(source.text[at] ?? '')
    ? 'replace the typographic quotes by straight ones'
    : 'put the value into quotes';
  return { offset: at, found, expected: `'"' or "'" before the value`, remedy };
}

/** What stands in a tag where `>`, `/>` or white space and an attribute should. */
function unexpected(
  source: Source,
  tag: {
    readonly start: number;
    readonly name: string;
    readonly behindName: number;
    readonly at: number;
    readonly separated: boolean;
  },
): Fault {
  const { text } = source;
  const { start, at } = tag;
  const name = shortened(tag.name);
  if (at >= text.length) return unclosedTag(name, start);
  if (text[at] === '<') {
    const found = `a "<" inside the tag <${name} that begins at ${source.where(start)}`;
    return { offset: at, found, expected: '> or />', remedy: 'end the tag before it with > or />' };
  }
  const what = characterAt(text, at);
  if (at === tag.behindName && !tag.separated) {
    const found = `${what} behind the name <${name}`;
    const remedy = 'take it out of the name, or put white space before the attribute';
    return { offset: at, found, expected: 'white space, > or />', remedy };
  }
  if (text[at] === '/') {
    const remedy = 'write /> without anything between, or take the slash out';
    return { offset: at, found: `a "/" inside the tag <${name}>`, expected: '/>', remedy };
  }
  if (!tag.separated) return notSeparated(text, at, what, name);
  const found = `${what} inside the tag <${name}>`;
  return { offset: at, found, expected: 'an attribute, > or />', remedy: 'take it out' };
}

/** Something right behind a value. When the value ends like `language=`, its own closing quote was forgotten. */
function notSeparated(text: string, at: number, what: string, tag: string): Fault {
  const quote = text[at - 1] ?? '"';
  const open = text.lastIndexOf(quote, at - 2);
  const [, name = 'an attribute'] = /([^\s=]+)\s*=\s*$/.exec(text.slice(Math.max(0, open - 200), open)) ?? [];
  if (/\s[^\s=<>"']+=\s*$/.test(text.slice(Math.max(open, at - 200), at - 1))) {
    return unclosedValue(text, open, name);
  }
  const found = `${what} right behind the value of ${shortened(name)} in the tag <${tag}>`;
  const remedy = 'put white space between the attributes, or write &quot; for a quote inside a value';
  return { offset: at, found, expected: 'white space, > or />', remedy };
}
