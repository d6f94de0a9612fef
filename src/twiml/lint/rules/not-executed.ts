import { isElement, type TwimlElement } from '../../document/element.ts';
import type { ElementSpec } from '../../grammar/element-spec.ts';
import { grammar, specIn } from '../../grammar/grammar.ts';
import { readSipTarget } from '../../verbs/sip-uri.ts';
import { bodyOf } from '../element-text.ts';
import type { Report, Rule } from '../rule.ts';

/** What is right and not executed by this version: nothing is wrong with the document. */
export const notExecuted: Rule = {
  id: 'not-executed',
  level: 'note',
  title: 'Something that this version does not execute',
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
    if (nested.support !== 'refused') {
      attributesOf(child, nested, report);
      if (spec.name === 'Dial' && nested.name === 'Sip') encryptionOf(child, report);
      inside(child, nested, report);
    } else {
      const then =
        spec.name === 'Dial'
          ? 'nobody is called by it'
          : 'a call goes on with its action, or with the next verb';
      const message = `<${child.name}> is known and checked, and not executed by this version: ${then}.`;
      report(child.position, { message, actual: `<${child.name}>` });
    }
  }
}

/** The first one says it for those that only go with it. */
function attributesOf(element: TwimlElement, spec: ElementSpec, report: Report): void {
  for (const [name, { position }] of element.attributes) {
    if (spec.attributes[name]?.support !== 'refused') continue;
    const message = `${name} of <${element.name}> is known and checked, and not executed by this version: the call goes on without it.`;
    report(position, { message, actual: name });
    return;
  }
}

function encryptionOf(sip: TwimlElement, report: Report): void {
  const { text, position } = bodyOf(sip);
  const uri = readSipTarget(text).target?.uri ?? '';
  const [, asked] = /;(secure=true|transport=tls)(?:;|$)/i.exec(uri) ?? [];
  if (asked === undefined) return;
  const message = `${asked} is known, and calls with it are not made by this version: nobody is called by it.`;
  report(position, { message, actual: text.slice(0, 100) });
}
