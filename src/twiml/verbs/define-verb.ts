import type { Diagnostic } from '../../core/diagnostic.ts';
import { diagnose, type TwimlCode } from '../../core/error-catalogue.ts';
import type { Position, TwimlElement } from '../document/element.ts';
import type { Attribute, AttributeTable, Values } from './attributes.ts';
import type { CallScope, Outcome, Step } from './call-scope.ts';
import { closest } from './closest.ts';

/** Where an element is read, and where what is wrong with it goes. */
export interface ReadContext {
  readonly url: string;
  /** The name of the parent element. */
  readonly within: string;
  report(diagnostic: Diagnostic): void;
}

/** What a verb holds between its tags. */
export interface Body<B> {
  read(element: TwimlElement, context: ReadContext): B;
}

/** A verb element with its values. */
export interface VerbNode<T extends AttributeTable, B> {
  readonly attributes: Values<T>;
  readonly body: B;
  readonly element: TwimlElement;
}

/** A verb: data about it, and how an element of it becomes something to run. */
export interface Verb {
  readonly name: string;
  /** Its documentation. */
  readonly docs: string;
  readonly attributes: AttributeTable;
  read(element: TwimlElement, context: ReadContext): Step;
}

interface VerbSpec<T extends AttributeTable, B> {
  readonly name: string;
  readonly docs: string;
  readonly attributes: T;
  readonly body: Body<B>;
  /** What no single attribute can say about the element. */
  check?(node: VerbNode<T, B>, context: ReadContext): void;
  /** What the timeline shows beside the name. */
  detail?(node: VerbNode<T, B>): string;
  run(node: VerbNode<T, B>, call: CallScope, signal: AbortSignal): Promise<Outcome>;
}

/** Defines a verb: the types of its attributes and body follow from the tables. */
export function defineVerb<const T extends AttributeTable, B>(spec: VerbSpec<T, B>): Verb {
  return {
    name: spec.name,
    docs: spec.docs,
    attributes: spec.attributes,
    read(element, context) {
      const attributes = readAttributes(spec.attributes, element, context);
      const node = { attributes, body: spec.body.read(element, context), element };
      spec.check?.(node, context);
      return {
        name: spec.name,
        position: element.position,
        detail: spec.detail?.(node),
        run: (call, signal) => spec.run(node, call, signal),
      };
    },
  };
}

/** Reports about an element at the place concerned. */
export function reportAt(
  context: ReadContext,
  code: TwimlCode,
  position: Position,
  message: string,
  details: { readonly actual?: string; readonly expected?: string } = {},
): void {
  const where = `line ${position.line}, column ${position.column}: `;
  context.report(diagnose(code, where + message, { url: context.url, ...position, ...details }));
}

/** The values of an element's attributes; what is wrong with them is reported. */
export function readAttributes<T extends AttributeTable>(
  table: T,
  element: TwimlElement,
  context: ReadContext,
): Values<T> {
  for (const [name, { position }] of element.attributes) {
    if (Object.hasOwn(table, name) || isNamespace(name)) continue;
    const near = closest(name, Object.keys(table));
    const advice = near ? `did you mean ${near}? It is ignored.` : 'it is ignored.';
    reportAt(context, 12200, position, `<${element.name}> has no attribute "${name}"; ${advice}`, {
      actual: name,
    });
  }
  const values = Object.entries(table).map(([name, attribute]) => [
    name,
    readAttribute(name, attribute, element, context),
  ]);
  // Built from the table's own entries, each read by its own attribute: the mapped type holds by construction.
  return Object.fromEntries(values) as Values<T>;
}

/** Namespace declarations and schema locations mean nothing here and are no mistake. */
function isNamespace(name: string): boolean {
  return name === 'xmlns' || name.startsWith('xmlns:') || name.startsWith('xsi:');
}

function readAttribute<V>(
  name: string,
  attribute: Attribute<V>,
  element: TwimlElement,
  context: ReadContext,
): V {
  const written = element.attributes.get(name);
  if (!written) return attribute.default;
  const { value, position } = written;
  if (attribute.notIn?.includes(context.within)) {
    const message = `${name} is not allowed on <${element.name}> inside <${context.within}>; it is ignored.`;
    reportAt(context, 12200, position, message, { actual: name });
    return attribute.default;
  }
  const read = attribute.read(value);
  if (read !== undefined) return read;
  const code = attribute.invalidIn?.[context.within] ?? attribute.invalid;
  const message = `${name}="${value.slice(0, 100)}" cannot be used; expected ${attribute.expected}; the default is used.`;
  reportAt(context, code, position, message, { actual: value, expected: attribute.expected });
  return attribute.default;
}
