import { isElement, type Position, type TwimlElement, textOf, visiblePosition } from '../document/element.ts';
import type { AttributeTable, Values } from '../verbs/attributes.ts';
import { reportChild, reportText } from '../verbs/bodies.ts';
import type { Step } from '../verbs/call-scope.ts';
import {
  type Body,
  inside,
  type ReadContext,
  readAttributes,
  reportAt,
  type Verb,
} from '../verbs/define-verb.ts';
import type { Family } from './common.ts';
import { type ElementSpec, nameIn, type TextRule } from './element-spec.ts';

/** An element as its spec reads it. */
export interface ReadElement<T extends AttributeTable = AttributeTable> {
  readonly spec: ElementSpec<T>;
  readonly element: TwimlElement;
  readonly values: Values<T>;
  /** Those that may stand in it, in document order. */
  readonly children: readonly ReadElement[];
  /** Directly in it, white space around it dropped; '' when it takes none. */
  readonly text: string;
  /** What a verb in it does. */
  readonly step?: Step;
}

/** Reads an element and all in it by their specs; what is wrong is reported. `family` knows the elements in it. */
export function readElement<T extends AttributeTable>(
  spec: ElementSpec<T>,
  element: TwimlElement,
  context: ReadContext,
  family: Family,
): ReadElement<T> {
  const values = readAttributes(spec.attributes, element, context);
  const { children, text } = readContent(spec, element, context, family);
  spec.validate?.(element, values, context);
  return { spec, element, values, children, text };
}

/** What stands between the tags of an element. */
export interface Content {
  readonly children: readonly ReadElement[];
  readonly text: string;
}

/** What a spec says may stand in an element, as the body of a verb. */
export function contentBody(spec: ElementSpec, family: Family): Body<Content> {
  const { children, invalidChild, text } = spec;
  return {
    children,
    invalidChild,
    ...(text && { text }),
    read: (element, context) => readContent(spec, element, context, family),
  };
}

function readContent(
  spec: ElementSpec,
  element: TwimlElement,
  context: ReadContext,
  family: Family,
): Content {
  const inner = inside(element, context);
  const fatal = spec.fatal?.includes(spec.invalidChild);
  const children: ReadElement[] = [];
  for (const child of element.children) {
    if (!isElement(child)) continue;
    const nested = childSpec(spec, child.name, family);
    if (nested) children.push(readChild(nested, child, inner, family));
    else reportChild(child, element, context, namesIn(spec), spec.invalidChild, fatal);
  }
  if (!spec.text) reportText(element, context);
  return { children, text: spec.text ? readText(spec.text, element, context) : '' };
}

const lists = new WeakMap<ElementSpec, readonly string[]>();

/** The names of the elements that may stand in one; the same list each time. */
function namesIn(spec: ElementSpec): readonly string[] {
  const known = lists.get(spec) ?? spec.children.map(nameIn);
  lists.set(spec, known);
  return known;
}

function childSpec({ children }: ElementSpec, name: string, family: Family): ElementSpec | undefined {
  const key = children.find((candidate) => nameIn(candidate) === name);
  return key === undefined ? undefined : family.get(key);
}

function readChild(
  spec: ElementSpec,
  element: TwimlElement,
  context: ReadContext,
  family: Family,
): ReadElement {
  if (!isVerb(spec)) return readElement(spec, element, context, family);
  const step = spec.read(element, context);
  return { spec, element, values: {}, children: [], text: '', step };
}

/** The values of an element that was read by this spec; undefined when another one read it. */
export function valuesBy<T extends AttributeTable>(
  { spec, values }: ReadElement,
  wanted: ElementSpec<T>,
): Values<T> | undefined {
  // What a spec reads are its own table's values.
  return spec.key === wanted.key ? (values as Values<T>) : undefined;
}

const isVerb = (spec: ElementSpec): spec is Verb => 'read' in spec;

/** The text of an element that takes one, its rule applied. */
export function readText(rule: TextRule, element: TwimlElement, context: ReadContext): string {
  const text = textOf(element).trim();
  const { expected } = rule;
  if (text === '') {
    if (rule.required !== undefined && element.children.every((child) => !isElement(child))) {
      const message = `<${element.name}> is empty; expected ${expected}.`;
      reportAt(context, rule.required, element.position, message, { expected });
    }
    return text;
  }
  const position = textAt(element);
  const { most = Number.POSITIVE_INFINITY, tooLong = rule.invalid } = rule;
  if (text.length > most && tooLong !== undefined) {
    const message = `<${element.name}> has ${text.length} characters; at most ${most} are allowed.`;
    reportAt(context, tooLong, position, message, { actual: `${text.length}`, expected: `at most ${most}` });
  } else if (rule.pattern && rule.invalid !== undefined && !rule.pattern.test(text)) {
    const message = `<${element.name}> holds "${text.slice(0, 100)}"; expected ${expected}.`;
    reportAt(context, rule.invalid, position, message, { actual: text.slice(0, 100), expected });
  }
  return text;
}

/** Where the text directly in an element begins; the element's own place when there is none. */
export function textAt(element: TwimlElement): Position {
  for (const child of element.children) {
    if (!isElement(child) && child.text.trim() !== '') return visiblePosition(child);
  }
  return element.position;
}
