import { z } from 'zod';
import { closest } from '../twiml/verbs/closest.ts';

type Issue = z.core.$ZodIssue;

/** The line that has what this path leads to, from 1 on. */
export type LineOf = (path: readonly PropertyKey[]) => number | undefined;

const MEANT = '; did you mean ';

/** What is wrong with a scenario, a line each: where, what was expected. */
export function faultsOf(issues: readonly Issue[], lineOf: LineOf = () => undefined): readonly string[] {
  return issues.flatMap((issue) => faults(issue, [], lineOf));
}

function faults(issue: Issue, above: readonly PropertyKey[], lineOf: LineOf): readonly string[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The way of writing it that was most likely meant: what fits it best is the fault.
    const [closest = []] = issue.errors.toSorted((a, b) => distance(a) - distance(b));
    // A misspelt key is not also a missing one.
    const unknown = closest.filter(({ code }) => code === 'unrecognized_keys');
    return (unknown.length > 0 ? unknown : closest).flatMap((inner) => faults(inner, path, lineOf));
  }
  const line = lineOf(issue.code === 'unrecognized_keys' ? [...path, ...issue.keys.slice(0, 1)] : path);
  const place = line === undefined ? '' : ` (line ${line})`;
  return [`  ${path.join('.') || 'top'}${place}: ${worded(issue)}`];
}

/**
 * What schemas say of a key that they do not have: the one that was most likely meant. For `safeParse`.
 *
 * @returns undefined for all other faults
 */
export function nameUnknownKeys(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== 'unrecognized_keys') return undefined;
  const { inst } = issue;
  const known = inst instanceof z.ZodObject ? Object.keys(inst.shape) : [];
  const named = issue.keys.map((key) => {
    const meant = closest(key, known);
    return meant === undefined ? JSON.stringify(key) : `${JSON.stringify(key)}${MEANT}${meant}?`;
  });
  return `unknown key ${named.join(' and ')}`;
}

function worded({ code, message }: Issue): string {
  const [, expected] = /^Invalid input: expected (.+), received undefined$/.exec(message) ?? [];
  return code === 'invalid_type' && expected ? `is missing; expected ${expected}` : message;
}

/** How far a value is from one way of writing it: keys that it does not have count most. */
function distance(issues: readonly Issue[]): number {
  const weigh = (issue: Issue) => {
    if (issue.code !== 'unrecognized_keys') return issue.path.length > 0 ? 1 : 100;
    return issue.message.includes(MEANT) ? 9 : 10 * issue.keys.length;
  };
  return issues.reduce((sum, issue) => sum + weigh(issue), 0);
}
