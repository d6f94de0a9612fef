import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { z } from 'zod';
import type { Diagnostic } from '../../core/diagnostic.ts';
import { diagnose } from '../../core/error-catalogue.ts';
import type { Position, TwimlElement } from './element.ts';
import { Source } from './source.ts';
import { findFault } from './strictness.ts';
import { buildElement, type XmlNode, xmlName, xmlSpan } from './tree.ts';

/** @see https://www.twilio.com/docs/api/errors/11750 */
export const MAX_DOCUMENT_BYTES = 64 * 1024;

/** @see https://www.twilio.com/docs/api/errors/12101 */
const VERSIONS = ['2010-04-01', '2008-08-01'];

export type ParsedDocument =
  | { readonly ok: true; readonly root: TwimlElement; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostic: Diagnostic };

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  cdataPropName: '#cdata',
  trimValues: false,
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false, // ours resolve after the check that they are known
  captureMetaData: true,
});

/**
 * A TwiML document as a tree with positions. What makes the whole document unusable is one diagnostic: 12100 for
 * XML that is not well-formed, 12102 for another root, 12101 for another version, 11750 beyond 64 KB. Never
 * throws, whatever the text.
 */
export function parseDocument(text: string, url: string): ParsedDocument {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_DOCUMENT_BYTES) {
    const message = `The document has ${bytes} bytes; TwiML may have at most ${MAX_DOCUMENT_BYTES}.`;
    return { ok: false, diagnostic: diagnose(11750, message, { url }) };
  }
  const source = new Source(text.startsWith('\uFEFF') ? text.slice(1) : text);
  const tree = parseXml(source, url);
  if (!('node' in tree)) return { ok: false, diagnostic: tree };
  const root = buildElement(source, tree.node);
  if (!root) return { ok: false, diagnostic: notWellFormed(url, undefined, 'its elements cannot be read') };
  const refused = checkRoot(root, url);
  if (refused) return { ok: false, diagnostic: refused };
  return { ok: true, root, diagnostics: [] };
}

const validatorAnswer = z.object({ err: z.object({ msg: z.string(), line: z.unknown(), col: z.unknown() }) });

function parseXml(source: Source, url: string): { node: XmlNode } | Diagnostic {
  const { text } = source;
  if (text.trim() === '') return notWellFormed(url, undefined, 'it is empty');
  const fault = findFault(text);
  if (fault) return notWellFormed(url, source.at(fault.offset), `found ${fault.what}`, fault.expected);
  try {
    const verdict = validatorAnswer.safeParse(XMLValidator.validate(text));
    if (verdict.success) {
      const { msg, line, col } = verdict.data.err;
      const known = typeof line === 'number' && typeof col === 'number';
      return notWellFormed(url, known ? { line, column: col } : undefined, inWords(msg));
    }
    const nodes: XmlNode[] = parser.parse(text);
    const [node, second] = nodes.filter((candidate) => isRootCandidate(candidate));
    if (!node) return notWellFormed(url, undefined, 'it has no element');
    if (second)
      return notWellFormed(url, positionOf(source, second), 'found a second root element', 'one root');
    const stray = strayText(source, node);
    if (stray !== undefined)
      return notWellFormed(
        url,
        source.at(stray),
        'found text outside the root element',
        'only white space there',
      );
    return { node };
  } catch (error) {
    // Both throw plain errors for names such as __proto__ and for excessive nesting.
    return notWellFormed(url, undefined, error instanceof Error ? error.message : String(error));
  }
}

/** The validator's words; of a document that is cut short it says no more than the list of what is open. */
function inWords(message: string): string {
  const [, open] = /^Invalid '\[([^\]]*)\]' found/.exec(message) ?? [];
  if (open === undefined) return message.replace(/\.$/, '');
  const names = [...open.matchAll(/"([^"]*)"/g)].map(([, name]) => `<${name}>`);
  return `${names.join(', ')} never closed`;
}

function isRootCandidate(node: XmlNode): boolean {
  const name = xmlName(node);
  return name !== undefined && !name.startsWith('?') && !name.startsWith('#');
}

function positionOf(source: Source, node: XmlNode): Position | undefined {
  const span = xmlSpan(node);
  return span ? source.at(span.start) : undefined;
}

/** Offset of the first character outside the root that is no white space, comment or processing instruction. */
function strayText(source: Source, root: XmlNode): number | undefined {
  const span = xmlSpan(root);
  if (!span) return 0;
  const blank = (part: string) =>
    part.replace(/<!--[\s\S]*?-->|<\?[\s\S]*?\?>/g, (markup) => ' '.repeat(markup.length));
  const before = blank(source.text.slice(0, span.start)).search(/\S/);
  if (before >= 0) return before;
  const after = blank(source.text.slice(span.end)).search(/\S/);
  return after >= 0 ? span.end + after : undefined;
}

function notWellFormed(
  url: string,
  position: Position | undefined,
  what: string,
  expected?: string,
): Diagnostic {
  const where = position ? ` at line ${position.line}, column ${position.column}` : '';
  const wanted = expected === undefined ? 'well-formed XML' : expected;
  return diagnose(12100, `The document is not well-formed XML${where}: ${what}; expected ${wanted}.`, {
    url,
    ...position,
    ...(expected !== undefined && { expected }),
  });
}

function checkRoot(root: TwimlElement, url: string): Diagnostic | undefined {
  if (root.name !== 'Response') {
    const message = `The root element is <${root.name}>; TwiML starts with <Response>, in this spelling.`;
    const details = { url, ...root.position, actual: root.name, expected: 'Response' };
    return diagnose(12102, message, details);
  }
  const version = root.attributes.get('version');
  if (!version || VERSIONS.includes(version.value)) return undefined;
  const expected = VERSIONS.join(' or ');
  const message = `The version "${version.value}" is unknown; leave the attribute out or write ${expected}.`;
  return diagnose(12101, message, { url, ...version.position, actual: version.value, expected });
}
