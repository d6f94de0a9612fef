import { characterAt, type Fault } from './fault.ts';
import { nameEnd } from './names.ts';

/*
 * Markup that is no element. Each function is given the offset of its `<` and answers the offset behind it, or why
 * it is not well-formed.
 */

/** XML 1.0 §2.5 */
export function readComment(text: string, at: number): number | Fault {
  const hyphens = text.indexOf('--', at + 4);
  if (hyphens < 0) {
    const found = 'a comment that is never closed';
    return { offset: at, found, expected: '-->', remedy: 'end the comment with -->' };
  }
  if (text[hyphens + 2] === '>') return hyphens + 3;
  const expected = '-->, or no two hyphens in a row';
  const remedy = 'take one of the hyphens out of the comment';
  return { offset: hyphens, found: 'two hyphens inside a comment', expected, remedy };
}

export const CDATA_START = '<![CDATA[';

/** XML 1.0 §2.7 */
export function readCdata(text: string, at: number): number | Fault {
  const end = text.indexOf(']]>', at + CDATA_START.length);
  if (end >= 0) return end + 3;
  const found = 'a CDATA section that is never closed';
  return { offset: at, found, expected: ']]>', remedy: 'end the section with ]]>' };
}

/** XML 1.0 §2.6; the XML declaration is not among them. */
export function readInstruction(text: string, at: number): number | Fault {
  const targetEnd = nameEnd(text, at + 2);
  const target = text.slice(at + 2, targetEnd);
  if (target === '') {
    const expected = 'a name right behind "<?"';
    const remedy = 'name the instruction, or write &lt; for a less-than sign';
    return { offset: at, found: '"<?" without a name', expected, remedy };
  }
  if (target.toLowerCase() === 'xml') {
    const expected = 'the declaration <?xml …?> in lower case at the very start, or nowhere';
    const remedy = 'remove what stands before it, also white space and empty lines, or the declaration';
    return { offset: at, found: 'an XML declaration that is not at the very start', expected, remedy };
  }
  const end = text.indexOf('?>', targetEnd);
  if (end < 0) {
    const found = 'a processing instruction that is never closed';
    return { offset: at, found, expected: '?>', remedy: 'end the instruction with ?>' };
  }
  if (end === targetEnd || /[ \t\r\n]/.test(text[targetEnd] ?? '')) return end + 2;
  const found = `${characterAt(text, targetEnd)} in the name of a processing instruction`;
  const expected = 'white space or ?>';
  return { offset: targetEnd, found, expected, remedy: 'put white space behind the name' };
}

/** TwiML takes no document type, so nothing declares entities. */
export function declarationFault(text: string, at: number): Fault {
  const expected = 'a document without declarations';
  if (!text.startsWith('<!DOCTYPE', at)) {
    const found = 'a "<!" that begins neither a comment nor CDATA';
    const remedy = 'write <!-- … --> for a comment, &lt; for a less-than sign';
    return { offset: at, found, expected: '<!-- or <![CDATA[', remedy };
  }
  const page = /\s+html\b/iy;
  page.lastIndex = at + '<!DOCTYPE'.length;
  if (!page.test(text)) {
    return { offset: at, found: 'a document type (<!DOCTYPE)', expected, remedy: 'remove it' };
  }
  const remedy = 'answer with TwiML; this is a web page, perhaps that of an error or of a login';
  return { offset: at, found: '<!DOCTYPE html>', expected, remedy };
}
