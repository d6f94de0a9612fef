import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** The line that has what this path leads to, from 1 on. */
export type LineOf = (path: readonly PropertyKey[]) => number | undefined;

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

function worded({ code, message }: Issue): string {
  const [, expected] = /^Invalid input: expected (.+), received undefined$/.exec(message) ?? [];
  return code === 'invalid_type' && expected ? `is missing; expected ${expected}` : message;
}

/** How far a value is from one way of writing it: keys that it does not have count most. */
function distance(issues: readonly Issue[]): number {
  const weigh = (issue: Issue) =>
    issue.code === 'unrecognized_keys' ? 10 * issue.keys.length : issue.path.length > 0 ? 1 : 100;
  return issues.reduce((sum, issue) => sum + weigh(issue), 0);
}
