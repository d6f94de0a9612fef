/**
 * TwiML without a telephone: `import { lint, parse } from 'trunkline/twiml'`. Nothing here does any input or output.
 */
import { type ParsedDocument, parseDocument } from './document/parse.ts';
import { textGiven } from './document/text-given.ts';

export type { Diagnostic } from '../core/diagnostic.ts';
export type { Position, TwimlAttribute, TwimlElement, TwimlText } from './document/element.ts';
export { isElement, textOf } from './document/element.ts';
export type { ParsedDocument } from './document/parse.ts';
export { lint } from './lint/lint.ts';
export type { LintDiagnostic, LintLevel, LintOptions } from './lint/lint-diagnostic.ts';

/**
 * A TwiML document as a tree with the line and column of every element, attribute and text; or, as `diagnostic`, why
 * it is none. Never throws, whatever the text; a TypeError says that it is no text.
 *
 * @param options.url where it is served, named in diagnostics
 */
export function parse(text: string, { url = '' }: { readonly url?: string } = {}): ParsedDocument {
  textGiven(text);
  return parseDocument(text, url);
}
