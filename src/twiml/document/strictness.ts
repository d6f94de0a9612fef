import { ILLEGAL_CHARACTER, resolveReference } from './references.ts';

/** What is wrong with a document and where. */
export interface Fault {
  readonly offset: number;
  readonly what: string;
  readonly expected: string;
}

/**
 * The pieces of markup whose inside needs a look, and references in text. Comments and CDATA come first. Every
 * alternative also matches what is never closed, so that one pass over hostile text stays linear.
 */
const MARKUP =
  /<!--([\s\S]*?)(-->|$)|<!\[CDATA\[[\s\S]*?(\]\]>|$)|<\?([^\s?]*)[\s\S]*?(\?>|$)|<!|<[^\s<>!?/][^\s<>"'/]*(?:[^<>"']|"[^"]*"|'[^']*')*(>?)|&([^\s;<&]*)(;?)/g;

/**
 * What the XML parser and its validator let pass although XML 1.0 or TwiML does not: characters that are none,
 * document types, references to entities nobody declared, `<` inside attribute values, `--` inside comments,
 * sections that are never closed. The first fault, or `undefined`.
 */
export function findFault(text: string): Fault | undefined {
  const illegal = ILLEGAL_CHARACTER.exec(text);
  if (illegal) {
    const code = (illegal[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    return { offset: illegal.index, what: `the character U+${code}`, expected: 'printable text' };
  }
  for (const match of text.matchAll(MARKUP)) {
    const fault = faultIn(match);
    if (fault) return fault;
  }
  return undefined;
}

function faultIn(match: RegExpMatchArray): Fault | undefined {
  const [markup, comment, commentEnd, cdataEnd, target, targetEnd, tagEnd, reference, semicolon] = match;
  const offset = match.index ?? 0;
  if (comment !== undefined) {
    if (commentEnd === '') return { offset, what: 'a comment that is never closed', expected: '-->' };
    if (comment.includes('--') || comment.endsWith('-'))
      return { offset, what: 'two hyphens inside a comment', expected: 'a comment without them' };
    return undefined;
  }
  if (cdataEnd !== undefined)
    return cdataEnd === ''
      ? { offset, what: 'a CDATA section that is never closed', expected: ']]>' }
      : undefined;
  if (target !== undefined) return faultInInstruction(offset, target, targetEnd);
  if (reference !== undefined) return faultInReference(offset, reference, semicolon === ';');
  if (markup === '<!') {
    return { offset, what: 'a declaration such as <!DOCTYPE', expected: 'a document without document type' };
  }
  if (tagEnd === '') return { offset, what: 'a tag that is never closed', expected: '>' };
  return faultInTag(offset, markup);
}

function faultInInstruction(offset: number, target: string, end: string | undefined): Fault | undefined {
  if (end === '') return { offset, what: 'a processing instruction that is never closed', expected: '?>' };
  if (target.toLowerCase() === 'xml' && offset > 0)
    return {
      offset,
      what: 'an XML declaration that is not at the very start',
      expected: 'nothing before <?xml, not even white space',
    };
  return undefined;
}

function faultInReference(offset: number, name: string, closed: boolean): Fault | undefined {
  const escaped = '&amp; for an ampersand, or one of &lt; &gt; &quot; &apos; &#…;';
  if (!closed) return { offset, what: 'a bare "&"', expected: escaped };
  if (resolveReference(name) !== undefined) return undefined;
  return { offset, what: `the unknown reference &${name.slice(0, 40)};`, expected: escaped };
}

/** A start tag: its quoted values hold no `<` and only known references. */
function faultInTag(offset: number, tag: string): Fault | undefined {
  for (const value of tag.matchAll(/"[^"]*"|'[^']*'/g)) {
    const start = offset + value.index;
    const bracket = value[0].indexOf('<');
    if (bracket >= 0) return { offset: start + bracket, what: 'a "<" inside an attribute', expected: '&lt;' };
    for (const reference of value[0].matchAll(/&([^\s;"'&]*)(;?)/g)) {
      const fault = faultInReference(start + reference.index, reference[1] ?? '', reference[2] === ';');
      if (fault) return fault;
    }
  }
  return undefined;
}
