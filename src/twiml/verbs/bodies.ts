import type { TwimlCode } from '../../core/error-catalogue.ts';
import { isElement, type TwimlElement, textOf, visiblePosition } from '../document/element.ts';
import type { Step } from './call-scope.ts';
import { closest } from './closest.ts';
import { type Body, inside, type ReadContext, reportAt, type Verb } from './define-verb.ts';

/** Reports text directly inside an element that takes none. */
export function reportText(element: TwimlElement, context: ReadContext): void {
  for (const child of element.children) {
    if (isElement(child) || child.text.trim() === '') continue;
    const text = child.text.trim();
    const message = `<${element.name}> takes no text; "${text.slice(0, 40)}" is ignored.`;
    reportAt(context, 12200, visiblePosition(child), message, { actual: text.slice(0, 100) });
  }
}

/** Reports the children of an element that may not stand there, with the element's own code. */
export function reportChildren(
  element: TwimlElement,
  context: ReadContext,
  allowed: readonly string[] = [],
  code: TwimlCode = 12200,
): void {
  for (const child of element.children) {
    if (isElement(child) && !allowed.includes(child.name))
      reportChild(child, element, context, allowed, code);
  }
}

/** Reports a child that may not stand where it does. */
export function reportChild(
  child: TwimlElement,
  parent: Pick<TwimlElement, 'name'>,
  context: ReadContext,
  allowed: readonly string[],
  code: TwimlCode,
  fatal = false,
): void {
  const near = closest(child.name, allowed);
  const fate = fatal ? 'the document fails there.' : 'it is ignored.';
  const advice = near ? `did you mean <${near}>? ${fate[0]?.toUpperCase()}${fate.slice(1)}` : fate;
  const only = near === undefined && allowed.length > 0 ? `, only ${listed(allowed)}` : '';
  const message = `<${child.name}> is not allowed inside <${parent.name}>${only}; ${advice}`;
  const expected = near ?? (allowed.length > 0 ? listed(allowed) : undefined);
  reportAt(context, code, child.position, message, { actual: child.name, ...(expected && { expected }) });
}

const listed = (names: readonly string[]) => names.join(', ');

/** Nothing between the tags; `allowed` children are understood and mean nothing here. */
export function noBody(allowed: readonly string[] = []): Body<undefined> {
  return {
    children: allowed,
    read(element, context) {
      if (element.children.length === 0) return undefined;
      reportText(element, context);
      reportChildren(element, context, allowed);
      return undefined;
    },
  };
}

/** A URL between the tags, white space around it dropped; '' when there is none. */
export const urlBody: Body<string> = {
  text: { expected: 'an absolute or relative URL' },
  read(element, context) {
    reportChildren(element, context);
    return textOf(element).trim();
  },
};

/** Nested verbs; any other element raises `invalid` and is left out. */
export function verbsBody(verbs: readonly Verb[], invalid: TwimlCode): Body<readonly Step[]> {
  const byName: ReadonlyMap<string, Verb> = new Map(verbs.map((verb) => [verb.name, verb]));
  const names = verbs.map((verb) => verb.name);
  return {
    children: names,
    invalidChild: invalid,
    read(element, context) {
      reportText(element, context);
      const inner = inside(element, context);
      const steps: Step[] = [];
      for (const child of element.children) {
        if (!isElement(child)) continue;
        const verb = byName.get(child.name);
        if (verb) steps.push(verb.read(child, inner));
        else reportChild(child, element, context, names, invalid);
      }
      return steps;
    },
  };
}
