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
  const [root]: Node[] = parser.parse(rootOf(text, scanned));
  const places: Places = { elements: scanned.elements, texts: scanned.texts, element: 0, text: 0 };
  const element = root && buildElement(root[nameOf(root)], places);
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

/** A node of the parser: its name, and under it its text or its children. */
type Node = Readonly<Record<string, unknown>>;

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

function nameOf(node: Node): string {
  for (const name in node) return name; // the only one; no array of them is made
  return '';
}

function buildElement(content: unknown, places: Places): ScannedElement | undefined {
  const element = places.elements[places.element++];
  if (!element || !Array.isArray(content)) return undefined;
  for (const child of content) {
    if (!isNode(child) || !addChild(element, child, places)) return undefined;
  }
  return element;
}

/** False when what the parser found is not what the scan found. */
function addChild(parent: ScannedElement, node: Node, places: Places): boolean {
  const name = nameOf(node);
  const content = node[name];
  if (name === '#text') return addText(parent, resolveReferences(String(content)), places);
  if (name === '#cdata') return addText(parent, cdataOf(content), places);
  if (name === '#comment') return true;
  const element = buildElement(content, places);
  if (element) parent.children.push(element);
  return element !== undefined;
}

function addText(parent: ScannedElement, text: string, places: Places): boolean {
  const position = places.texts[places.text++];
  if (position && text !== '') parent.children.push({ text, position });
  return position !== undefined;
}

function cdataOf(content: unknown): string {
  const [node]: unknown[] = Array.isArray(content) ? content : [];
  return isNode(node) ? String(node['#text']) : '';
}
