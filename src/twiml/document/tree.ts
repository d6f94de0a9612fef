import { XMLParser } from 'fast-xml-parser';
import type { Position, TwimlElement } from './element.ts';
import { resolveReferences } from './references.ts';
import { MAX_DEPTH, type Scanned, type ScannedElement } from './scan.ts';

/** The parser refuses these names of elements, which XML allows: https://github.com/NaturalIntelligence/fast-xml-parser */
const RESERVED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * References stay as they are: ours are resolved after the check that they are known. Attributes have been read, with
 * their places, by the scan.
 */
const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: true,
  cdataPropName: '#cdata',
  commentPropName: '#comment', // so that a comment divides the text around it
  trimValues: false,
  parseTagValue: false,
  processEntities: false,
  maxNestedTags: MAX_DEPTH + 1,
  jPath: false,
  transformTagName: (name) => (RESERVED.has(name) ? `${name}.` : name),
  onDangerousProperty: (name) => name,
});

/** What the scan found, from the front as the tree meets it. */
interface Places {
  readonly elements: readonly ScannedElement[];
  readonly texts: readonly Position[];
  element: number;
  text: number;
}

/**
 * The tree of a well-formed document: its nesting and its text by the parser, names, attributes and places by the
 * scan, whose elements and texts come in the same order. Undefined when they do not; throws what the parser throws.
 */
export function buildTree(text: string, scanned: Scanned): TwimlElement | undefined {
  const [root]: unknown[] = parser.parse(rootOf(text, scanned));
  const places: Places = { elements: scanned.elements, texts: scanned.texts, element: 0, text: 0 };
  const element = buildElement(root, places);
  const complete = places.element === places.elements.length && places.text === places.texts.length;
  return complete ? element : undefined;
}

/** The text of the root, with comments for processing instructions: the parser would read quotes in them as XML's. */
function rootOf(text: string, { root, instructions }: Scanned): string {
  let rest = root.start;
  let parts = '';
  for (const [start, end] of instructions) {
    parts += `${text.slice(rest, start)}<!---->`;
    rest = end;
  }
  return parts + text.slice(rest, root.end);
}

function buildElement(node: unknown, places: Places): ScannedElement | undefined {
  const element = places.elements[places.element++];
  const content = contentOf(node);
  if (!element || !Array.isArray(content)) return undefined;
  for (const child of content) {
    if (!addChild(element, child, places)) return undefined;
  }
  return element;
}

/** False when what the parser found is not what the scan found. */
function addChild(parent: ScannedElement, node: unknown, places: Places): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if ('#comment' in node) return true;
  const text = '#text' in node ? node['#text'] : undefined;
  const isCdata = '#cdata' in node;
  if (typeof text !== 'string' && !isCdata) {
    const element = buildElement(node, places);
    if (element) parent.children.push(element);
    return element !== undefined;
  }
  const position = places.texts[places.text++];
  const resolved = typeof text === 'string' ? resolveReferences(text) : cdataOf(contentOf(node));
  if (position && resolved !== '') parent.children.push({ text: resolved, position });
  return position !== undefined;
}

/** A node is an object with one key, its name. */
function contentOf(node: unknown): unknown {
  if (typeof node !== 'object' || node === null) return undefined;
  const [content]: unknown[] = Object.values(node);
  return content;
}

function cdataOf(content: unknown): string {
  if (!Array.isArray(content)) return '';
  const text = contentOf(content[0]);
  return typeof text === 'string' ? text : '';
}
