import { isElement, type TwimlElement } from '../document/element.ts';
import { parameter } from '../grammar/common.ts';
import { reportChildren, reportText } from './bodies.ts';
import { type Body, type ReadContext, readAttributes, reportAt } from './define-verb.ts';

/** What an application tells another one, by name: the values of `<Parameter>`s. */
export type Parameters = Readonly<Record<string, string>>;

/** The `<Parameter>`s directly inside an element. One without a name of its own is reported and left out. */
export function readParameters(element: TwimlElement, context: ReadContext): Parameters {
  const inner: ReadContext = { ...context, within: element.name, report: (found) => context.report(found) };
  const found = new Map<string, string>();
  for (const child of element.children.filter(isElement)) {
    if (child.name !== 'Parameter') continue;
    const { name, value } = readAttributes(parameter.attributes, child, inner);
    if (name === '') continue; // reported as missing
    if (!found.has(name)) found.set(name, value);
    else {
      const what = `"${name}" is there already`;
      const message = `this <Parameter> ${what}; give each a name of its own. It is ignored.`;
      reportAt(inner, 12200, child.position, message, { actual: name });
    }
  }
  return Object.fromEntries(found);
}

/** As requests tell them. @see https://www.twilio.com/docs/voice/twiml/dial/application#parameter */
export function requestParameters(parameters: Parameters): Parameters {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [`Param_${name}`, value]));
}

/** Nothing but `<Parameter>`s between the tags. */
export const parametersBody: Body<Parameters> = {
  children: ['Parameter'],
  read(element, context) {
    reportText(element, context);
    reportChildren(element, context, ['Parameter']);
    return readParameters(element, context);
  },
};
