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

/** The verbs of a document in order, with what is wrong with them: 12200 and the codes of each verb. */
export function readVerbs(
  root: TwimlElement,
  url: string,
): { readonly steps: readonly Step[]; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const context: ReadContext = { url, within: root.name, report: (found) => diagnostics.push(found) };
  const steps: Step[] = [];
  for (const child of root.children) {
    if (isElement(child)) {
      const verb = known.get(child.name);
      if (verb) steps.push(verb.read(child, context));
      else diagnostics.push(unknownVerb(child, url));
    } else if (child.text.trim() !== '') {
      const text = child.text.trim().slice(0, 40);
      const message = `<Response> takes no text; "${text}" is ignored; put it into a <Say>.`;
      diagnostics.push(diagnose(12200, message, { url, ...visiblePosition(child), actual: text }));
    }
  }
  for (const [name, { position }] of root.attributes) {
    if (name === 'version' || name.startsWith('xmlns') || name.startsWith('xsi:')) continue;
    const message = `<Response> has no attribute "${name}"; it is ignored.`;
    diagnostics.push(diagnose(12200, message, { url, ...position, actual: name }));
  }
  return { steps, diagnostics: diagnostics.sort(byPosition) };
}

const byPosition = (a: Diagnostic, b: Diagnostic) =>
  (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);

function unknownVerb(element: TwimlElement, url: string): Diagnostic {
  const { line, column } = element.position;
  const near = closest(element.name, [...known.keys()]);
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
