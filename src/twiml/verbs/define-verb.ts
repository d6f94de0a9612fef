import type { Diagnostic } from '../../core/diagnostic.ts';
import { diagnose, type TwimlCode } from '../../core/error-catalogue.ts';
import type { Position, TwimlElement } from '../document/element.ts';
import type { ElementSpec } from '../grammar/element-spec.ts';
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

/** The context of what stands in an element. */
export function inside(element: TwimlElement, context: ReadContext): ReadContext {
  return { url: context.url, within: element.name, report: (found) => context.report(found) };
}

/** What a verb holds between its tags: data about it, and how it is read. */
export interface Body<B> extends Partial<Pick<ElementSpec, 'children' | 'invalidChild' | 'text'>> {
  read(element: TwimlElement, context: ReadContext): B;
}

/** A verb element with its values. */
export interface VerbNode<T extends AttributeTable, B> {
  readonly attributes: Values<T>;
  readonly body: B;
  readonly element: TwimlElement;
}

/** A verb: an element of the grammar, and how one in a document becomes something to run. */
export interface Verb extends ElementSpec {
  read(element: TwimlElement, context: ReadContext): Step;
}

interface VerbSpec<T extends AttributeTable, B>
  extends Partial<Pick<ElementSpec<T>, 'support' | 'refusal' | 'fatal' | 'validate'>> {
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
  const { name, docs, attributes: table, body } = spec;
  return {
    key: name,
    name,
    docs,
    attributes: table,
    children: body.children ?? [],
    invalidChild: body.invalidChild ?? 12200,
    ...(body.text && { text: body.text }),
    support: spec.support ?? 'executed',
    ...(spec.refusal && { refusal: spec.refusal }),
    ...(spec.fatal && { fatal: spec.fatal }),
    read(element, outer) {
      let fault: Diagnostic | undefined;
      const context = spec.fatal ? watching(outer, spec.fatal, (found) => (fault ??= found)) : outer;
      const attributes = readAttributes(table, element, context);
      const node = { attributes, body: body.read(element, context), element };
      spec.validate?.(element, attributes, context);
      spec.check?.(node, context);
      return {
        name,
        position: element.position,
        detail: spec.detail?.(node),
        run: (call, signal) =>
          fault
            ? Promise.resolve({ kind: 'failure', diagnostic: fault, told: true })
            : spec.run(node, call, signal),
      };
    },
  };
}

/** A context that also tells of some codes when they are raised. */
function watching(
  context: ReadContext,
  codes: readonly number[],
  tell: (found: Diagnostic) => void,
): ReadContext {
  return {
    url: context.url,
    within: context.within,
    report(found) {
      if (codes.includes(found.code)) tell(found);
      context.report(found);
    },
  };
}

/** Reports about an element at the place concerned. */
export function reportAt(
  context: ReadContext,
  code: TwimlCode,
  position: Position,
  message: string,
  details: Pick<Diagnostic, 'actual' | 'expected' | 'notHere'> = {},
): void {
  const where = `line ${position.line}, column ${position.column}: `;
  context.report(diagnose(code, where + message, { url: context.url, ...position, ...details }));
}

/** A table as reading wants it: made once, because documents are read while callers wait. */
interface Plan {
  readonly names: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute<unknown>>;
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly required: readonly (readonly [string, TwimlCode])[];
}

const plans = new WeakMap<AttributeTable, Plan>();

function planOf(table: AttributeTable): Plan {
  const known = plans.get(table);
  if (known) return known;
  const entries = Object.entries(table);
  const plan: Plan = {
    names: Object.keys(table),
    attributes: new Map(entries),
    defaults: Object.freeze(Object.fromEntries(entries.map(([name, found]) => [name, found.default]))),
    required: entries.flatMap(([name, { required }]) => (required ? [[name, required] as const] : [])),
  };
  plans.set(table, plan);
  return plan;
}

/** The values of an element's attributes; what is wrong with them is reported. */
export function readAttributes<T extends AttributeTable>(
  table: T,
  element: TwimlElement,
  context: ReadContext,
): Values<T> {
  const { attributes, defaults, required } = planOf(table);
  for (const [name, code] of required) {
    if (!element.attributes.has(name)) reportMissing(name, code, table, element, context);
  }
  // The plan's defaults and what each attribute reads are the table's own: the mapped type holds by construction.
  if (element.attributes.size === 0) return defaults as Values<T>;
  const values: Record<string, unknown> = { ...defaults };
  for (const [name, { value, position }] of element.attributes) {
    const attribute = attributes.get(name);
    if (attribute) values[name] = readAttribute(name, attribute, value, position, element, context);
    else if (!isNamespace(name)) reportUnknown(name, position, table, element, context);
  }
  return values as Values<T>;
}

/** Namespace declarations and schema locations mean nothing here and are no mistake. */
function isNamespace(name: string): boolean {
  return name.startsWith('x') && (name === 'xmlns' || name.startsWith('xmlns:') || name.startsWith('xsi:'));
}

function reportUnknown(
  name: string,
  position: Position,
  table: AttributeTable,
  element: TwimlElement,
  context: ReadContext,
): void {
  const near = closest(name, planOf(table).names);
  const advice = near ? `did you mean ${near}? It is ignored.` : 'it is ignored.';
  const details = { actual: name, ...(near && { expected: near }) };
  reportAt(context, 12200, position, `<${element.name}> has no attribute "${name}"; ${advice}`, details);
}

function reportMissing(
  name: string,
  code: TwimlCode,
  table: AttributeTable,
  element: TwimlElement,
  context: ReadContext,
): void {
  const expected = table[name]?.expected ?? '';
  const message = `<${element.name}> has no ${name}; expected ${expected}.`;
  reportAt(context, code, element.position, message, { expected: `${name}="…"` });
}

function readAttribute(
  name: string,
  attribute: Attribute<unknown>,
  value: string,
  position: Position,
  element: TwimlElement,
  context: ReadContext,
): unknown {
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
