import { ScenarioError } from '../scenario.ts';
import { type CallerAction, callerAction } from '../scenario-actions.ts';
import { faultsOf } from '../scenario-faults.ts';

const FORMS =
  "wait 2s, press 1#, say 'sales', hear 'welcome' or hear /welcome/i, speak 3s, hold, resume, hang up";

/** What a step's first word stands for in a scenario. */
const STEPS: Readonly<Record<string, (rest: string) => Readonly<Record<string, unknown>>>> = {
  wait: (rest) => ({ wait: rest }),
  press: (rest) => ({ press: rest }),
  say: (rest) => ({ say: unquoted(rest) }),
  hear: (rest) => ({ hears: unquoted(rest) }),
  speak: (rest) => ({ speak: rest }),
  hold: () => ({ hold: true }),
  resume: () => ({ resume: true }),
  hangup: () => ({ hangup: true }),
};

/**
 * What a caller does, as a line of text: `wait 2s, press 1, say 'sales', hear 'goodbye', hang up`. Steps follow each
 * other; in quotes and between slashes a comma is a comma. Throws ScenarioError for a step that nobody can do.
 */
export function readScript(text: string): readonly CallerAction[] {
  return stepsOf(text).map((step) => {
    const [, word = '', rest = ''] = /^(hangs? up|[a-z]+)\s*(.*)$/is.exec(step) ?? [];
    const name = word.toLowerCase().replace(/^hangs? up$/, 'hangup');
    const build = STEPS[name] ?? STEPS[name.replace(/s$/, '')];
    if (!build) throw new ScenarioError(`script: found "${step}": expected steps such as ${FORMS}`);
    const read = callerAction.safeParse(build(rest.trim()));
    if (read.success) return read.data;
    throw new ScenarioError(`script: "${step}" cannot be done:\n${faultsOf(read.error.issues).join('\n')}`);
  });
}

/** Steps in the order of the text. */
function stepsOf(text: string): readonly string[] {
  const pieces = text.match(/(?:'[^']*'|"[^"]*"|\/(?:\\.|[^/\\])+\/[a-z]*|[^,])+/g) ?? [];
  return pieces.map((piece) => piece.trim()).filter((piece) => piece !== '');
}

function unquoted(text: string): string {
  return /^(['"])(.*)\1$/s.exec(text)?.[2] ?? text;
}
