import { XMLParser } from 'fast-xml-parser';
import type { TwimlAttribute, TwimlElement, TwimlText } from './element.ts';
import { resolveReferences } from './references.ts';
import type { Source } from './source.ts';

/** A node as the parser makes it with `preserveOrder`: one key that is the name, `:@`, and the metadata symbol. */
export type XmlNode = Readonly<Record<string | symbol, unknown>>;

const METADATA = XMLParser.getMetaDataSymbol().valueOf();

export function xmlName(node: XmlNode): string | undefined {
  return Object.keys(node).find((key) => key !== ':@');
}

/** The node's first character and the one behind its last, in the text as it was given. */
export function xmlSpan(node: XmlNode): { readonly start: number; readonly end: number } | undefined {
  const metadata = node[METADATA];
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  const start = 'startIndex' in metadata ? metadata.startIndex : undefined;
  const end = 'endIndex' in metadata ? metadata.endIndex : undefined;
  return typeof start === 'number' && typeof end === 'number' ? { start, end } : undefined;
}

const isNode = (value: unknown): value is XmlNode => typeof value === 'object' && value !== null;

/** The parser's node as an element of ours; undefined when it is none. Depth is limited by the parser. */
export function buildElement(source: Source, node: XmlNode): TwimlElement | undefined {
  const name = xmlName(node);
  const span = xmlSpan(node);
  const content = name === undefined ? undefined : node[name];
  if (name === undefined || !span || !Array.isArray(content)) return undefined;
  const children: (TwimlElement | TwimlText)[] = [];
  for (const child of content) {
    if (!isNode(child)) continue;
    const text = textIn(child);
    const built = text === undefined ? buildElement(source, child) : textAt(source, child, text);
    if (built !== undefined) children.push(built);
  }
  const attributes = buildAttributes(source, span.start, node[':@']);
  return { name, attributes, children, position: source.at(span.start) };
}

const textAt = (source: Source, node: XmlNode, text: string): TwimlText => ({
  text,
  position: source.at(xmlSpan(node)?.start ?? 0),
});

function textIn(node: XmlNode): string | undefined {
  const text = node['#text'];
  if (typeof text === 'string') return resolveReferences(text);
  const cdata = node['#cdata'];
  if (!Array.isArray(cdata)) return undefined;
  return cdata.map((part) => (isNode(part) ? String(part['#text'] ?? '') : '')).join('');
}

const NO_ATTRIBUTES: ReadonlyMap<string, TwimlAttribute> = new Map();
const ATTRIBUTE = /\s([^\s=]+)\s*=\s*(?:"[^"]*"|'[^']*')/y;

/** The parser keeps no positions of attributes: they are found again in the start tag. */
function buildAttributes(
  source: Source,
  tagStart: number,
  values: unknown,
): ReadonlyMap<string, TwimlAttribute> {
  if (!isNode(values)) return NO_ATTRIBUTES;
  const attributes = new Map<string, TwimlAttribute>();
  ATTRIBUTE.lastIndex = source.text.slice(tagStart).search(/[\s>/]/) + tagStart;
  for (;;) {
    const from = skipSpace(source.text, ATTRIBUTE.lastIndex);
    ATTRIBUTE.lastIndex = from;
    const match = ATTRIBUTE.exec(source.text);
    if (!match) return attributes;
    const name = match[1] ?? '';
    const value = values[name];
    // White space in a value is one space each: XML 1.0 §3.3.3.
    if (typeof value === 'string') {
      const normal = resolveReferences(value.replace(/[\t\n\r]/g, ' '));
      attributes.set(name, { value: normal, position: source.at(match.index + 1) });
    }
  }
}

/** The last white space character of a run, so that the attribute's own name follows. */
function skipSpace(text: string, from: number): number {
  let at = from;
  while (/\s/.test(text[at + 1] ?? '')) at++;
  return at;
}
