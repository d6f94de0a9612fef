import { isElement, type TwimlElement } from '../../document/element.ts';
import type { ElementSpec } from '../../grammar/element-spec.ts';
import { grammar, specIn } from '../../grammar/grammar.ts';
import type { Report, Rule } from '../rule.ts';

/** What is right and not executed by this version: nothing is wrong with the document. */
export const notExecuted: Rule = {
  id: 'not-executed',
  level: 'note',
  title: 'An element that this version does not execute',
  docs: 'https://www.twilio.com/docs/voice/twiml',
  check({ root }, report) {
    const response = grammar.get(root.name);
    if (response) inside(root, response, report);
  },
};

/** Once for an element and all in it. */
function inside(parent: TwimlElement, spec: ElementSpec, report: Report): void {
  for (const child of parent.children) {
    const nested = isElement(child) ? specIn(spec, child.name) : undefined;
    if (!isElement(child) || !nested) continue;
    if (nested.support !== 'refused') inside(child, nested, report);
    else {
      const then =
        spec.name === 'Dial'
          ? 'nobody is called by it'
          : 'a call goes on with its action, or with the next verb';
      const message = `<${child.name}> is known and checked, and not executed by this version: ${then}.`;
      report(child.position, { message, actual: `<${child.name}>` });
    }
  }
}
