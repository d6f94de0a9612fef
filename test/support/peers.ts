import { describe, it } from 'vitest';

export { peer } from './program.ts';

/**
 * Says that tests against `name` did not run, and why: as a skipped test, which the run counts, and as a line at
 * the end of the run (not-run-reporter.ts). Call it where the tests would have been declared.
 */
export function notRun(name: string, reason: string): void {
  describe(name, () => {
    it('is here', ({ skip }) => skip(reason));
  });
}
