import type { TwimlCode } from '../../core/error-catalogue.ts';
import { isElement, type TwimlElement, textOf } from '../document/element.ts';
import type { Step } from './call-scope.ts';
import { type Body, type ReadContext, reportAt, type Verb } from './define-verb.ts';

/** Reports text directly inside an element that takes none. */
export function reportText(element: TwimlElement, context: ReadContext): void {
  const text = textOf(element).trim();
  if (text === '') return;
  const message = `<${element.name}> takes no text; "${text.slice(0, 40)}" is ignored.`;
  reportAt(context, 12200, element.position, message, { actual: text.slice(0, 100) });
}

/** Reports the children of an element that may not stand there. */
export function reportChildren(
  element: TwimlElement,
  context: ReadContext,
  allowed: readonly string[] = [],
): void {
  for (const child of element.children) {
    if (!isElement(child) || allowed.includes(child.name)) continue;
    const message = `<${child.name}> is not allowed inside <${element.name}>; it is ignored.`;
    reportAt(context, 12200, child.position, message, { actual: child.name });
  }
}

/** Nothing between the tags; `allowed` children are understood and mean nothing here. */
export function noBody(allowed: readonly string[] = []): Body<undefined> {
  return {
    read(element, context) {
      reportText(element, context);
      reportChildren(element, context, allowed);
      return undefined;
    },
  };
}

/** A URL between the tags, white space around it dropped; '' when there is none. */
export const urlBody: Body<string> = {
  read(element, context) {
    reportChildren(element, context);
    return textOf(element).trim();
  },
};

/** Nested verbs; any other element raises `invalid` and is left out. */
export function verbsBody(verbs: readonly Verb[], invalid: TwimlCode): Body<readonly Step[]> {
  const names = verbs.map((verb) => verb.name).join(', ');
  return {
    read(element, context) {
      reportText(element, context);
      const inner: ReadContext = { url: context.url, within: element.name, report: (d) => context.report(d) };
      return element.children.filter(isElement).flatMap((child) => {
        const verb = verbs.find((candidate) => candidate.name === child.name);
        if (verb) return [verb.read(child, inner)];
        const message = `<${child.name}> is not allowed inside <${element.name}>, only ${names}; it is ignored.`;
        reportAt(context, invalid, child.position, message, { actual: child.name, expected: names });
        return [];
      });
    },
  };
}
