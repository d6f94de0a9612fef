import type { Diagnostic } from '../../core/diagnostic.ts';
import { diagnose } from '../../core/error-catalogue.ts';
import type { TwimlElement } from './element.ts';
import type { Fault } from './fault.ts';
import { scan } from './scan.ts';
import { Source } from './source.ts';
import { buildTree } from './tree.ts';

/** @see https://www.twilio.com/docs/api/errors/11750 */
export const MAX_DOCUMENT_BYTES = 64 * 1024;

/** @see https://www.twilio.com/docs/api/errors/12101 */
const VERSIONS = ['2010-04-01', '2008-08-01'];

export type ParsedDocument =
  | { readonly ok: true; readonly root: TwimlElement; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostic: Diagnostic };

/**
 * A TwiML document as a tree with positions. What makes the whole document unusable is one diagnostic at its place:
 * 12100 for XML that is not well-formed, 12102 for another root, 12101 for another version, 11750 beyond 64 KB. A
 * byte order mark takes no column. Never throws, whatever the text.
 */
export function parseDocument(text: string, url: string): ParsedDocument {
  const source = new Source(text.startsWith('\uFEFF') ? text.slice(1) : text);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_DOCUMENT_BYTES) return { ok: false, diagnostic: tooLong(source, bytes, url) };
  const scanned = scan(source);
  if (!('elements' in scanned)) return { ok: false, diagnostic: notWellFormed(source, scanned, url) };
  const root = treeOf(source, () => buildTree(source.text, scanned));
  if (!('name' in root)) return { ok: false, diagnostic: notWellFormed(source, root, url) };
  const refused = checkRoot(root, url);
  return refused ? { ok: false, diagnostic: refused } : { ok: true, root, diagnostics: [] };
}

/** Nothing well-formed is known that the parser does not read; should there be, then it is a diagnostic. */
function treeOf(source: Source, build: () => TwimlElement | undefined): TwimlElement | Fault {
  const expected = 'elements, attributes and text';
  const remedy = 'simplify the document';
  try {
    return build() ?? { offset: 0, found: 'elements that cannot be read', expected, remedy };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const offset = Math.max(0, source.text.indexOf('<'));
    return { offset, found: `elements that cannot be read (${reason.slice(0, 200)})`, expected, remedy };
  }
}

function notWellFormed(source: Source, fault: Fault, url: string): Diagnostic {
  const { offset, found, expected, remedy } = fault;
  const message = `The document is not well-formed XML at ${source.where(offset)}: found ${found}; expected ${expected}; ${remedy}.`;
  return diagnose(12100, message, { url, ...source.at(offset), actual: found, expected });
}

/** At the first character that is too much. */
function tooLong(source: Source, bytes: number, url: string): Diagnostic {
  const message = `The document has ${bytes} bytes; TwiML may have at most ${MAX_DOCUMENT_BYTES}; send a shorter document that redirects to the rest.`;
  const mark = bytes - Buffer.byteLength(source.text);
  let left = MAX_DOCUMENT_BYTES - mark;
  let offset = 0;
  for (const character of source.text) {
    left -= Buffer.byteLength(character);
    if (left < 0) break;
    offset += character.length;
  }
  const place = new Source(source.text.slice(0, offset)).at(offset);
  return diagnose(11750, message, { url, ...place, actual: `${bytes}`, expected: `${MAX_DOCUMENT_BYTES}` });
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
