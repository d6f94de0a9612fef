import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** What is wrong with a scenario, a line each: where, what was expected. */
export function faultsOf(issues: readonly Issue[]): readonly string[] {
  return issues.flatMap((issue) => faults(issue, []));
}

function faults(issue: Issue, above: readonly PropertyKey[]): readonly string[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The way of writing it that was most likely meant: what fits it best is the fault.
    const [closest = []] = issue.errors.toSorted((a, b) => distance(a) - distance(b));
    return closest.flatMap((inner) => faults(inner, path));
  }
  return [`  ${path.join('.') || 'top'}: ${issue.message}`];
}

/** How far a value is from one way of writing it: keys that it does not have count most. */
function distance(issues: readonly Issue[]): number {
  const weigh = (issue: Issue) =>
    issue.code === 'unrecognized_keys' ? 10 * issue.keys.length : issue.path.length > 0 ? 1 : 100;
  return issues.reduce((sum, issue) => sum + weigh(issue), 0);
}
