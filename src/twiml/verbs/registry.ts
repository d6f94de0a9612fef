import type { Diagnostic } from '../../core/diagnostic.ts';
import { diagnose } from '../../core/error-catalogue.ts';
import { isElement, type TwimlElement, visiblePosition } from '../document/element.ts';
import type { Step } from './call-scope.ts';
import { closest } from './closest.ts';
import { connect } from './connect/connect.ts';
import type { ReadContext, Verb } from './define-verb.ts';
import { dial } from './dial/dial.ts';
import { echo } from './echo.ts';
import { enqueue, queue } from './enqueue.ts';
import { gather } from './gather.ts';
import { hangup } from './hangup.ts';
import { leave } from './leave.ts';
import { pause } from './pause.ts';
import { pay } from './pay.ts';
import { play } from './play.ts';
import { prompt } from './prompt.ts';
import { record } from './record.ts';
import { redirect } from './redirect.ts';
import { refer } from './refer.ts';
import { reject } from './reject.ts';
import { say } from './say.ts';
import { sms } from './sms.ts';
import { start } from './start/start.ts';
import { stop } from './start/stop.ts';

/** The verbs there are. */
export const allVerbs: readonly Verb[] = [
  say,
  play,
  pause,
  gather,
  record,
  dial,
  refer,
  redirect,
  reject,
  hangup,
  echo,
  start,
  stop,
  connect,
  leave,
  sms,
  pay,
  prompt,
  enqueue,
  queue,
];

const known: ReadonlyMap<string, Verb> = new Map(allVerbs.map((verb) => [verb.name, verb]));
const names = [...known.keys()];

/** Our choice: as many errors and as many warnings of a document are told; a small document can hold 30,000. */
const MOST_OF_A_LEVEL = 1_000;

/**
 * The verbs of a document in order, with what is wrong with them: 12200 and the codes of each verb. Beyond a thousand
 * errors or warnings only that there are more.
 */
export function readVerbs(
  root: TwimlElement,
  url: string,
): { readonly steps: readonly Step[]; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const counts = { error: 0, warning: 0 };
  const report = (found: Diagnostic) => {
    const count = ++counts[found.level];
    if (count <= MOST_OF_A_LEVEL) diagnostics.push(found);
    else if (count === MOST_OF_A_LEVEL + 1) diagnostics.push(andMore(found));
  };
  const context: ReadContext = { url, within: root.name, report };
  const steps: Step[] = [];
  for (const child of root.children) {
    if (isElement(child)) {
      const verb = known.get(child.name);
      if (verb) steps.push(verb.read(child, context));
      else report(unknownVerb(child, url));
    } else if (child.text.trim() !== '') {
      const text = child.text.trim().slice(0, 40);
      const message = `<Response> takes no text; "${text}" is ignored; put it into a <Say>.`;
      report(diagnose(12200, message, { url, ...visiblePosition(child), actual: text }));
    }
  }
  for (const [name, { position }] of root.attributes) {
    if (name === 'version' || name.startsWith('xmlns') || name.startsWith('xsi:')) continue;
    const message = `<Response> has no attribute "${name}"; it is ignored.`;
    report(diagnose(12200, message, { url, ...position, actual: name }));
  }
  return { steps, diagnostics: diagnostics.sort(byPosition) };
}

function andMore({ actual: _actual, expected: _expected, notHere: _, ...found }: Diagnostic): Diagnostic {
  const where = `line ${found.line}, column ${found.column}: `;
  const kind = found.level === 'error' ? 'errors' : 'warnings';
  const message = `${where}the document has more than ${MOST_OF_A_LEVEL} ${kind}; those from here on are not told; correct the first ones.`;
  return { ...found, message };
}

const byPosition = (a: Diagnostic, b: Diagnostic) =>
  (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);

function unknownVerb(element: TwimlElement, url: string): Diagnostic {
  const { line, column } = element.position;
  const near = closest(element.name, names);
  const advice = near ? `did you mean <${near}>? It is ignored.` : 'it is ignored.';
  const message = `line ${line}, column ${column}: <${element.name}> is no TwiML verb; ${advice}`;
  return diagnose(12200, message, {
    url,
    line,
    column,
    actual: element.name,
    ...(near && { expected: near }),
  });
}
