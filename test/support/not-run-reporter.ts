import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** Ends the run's output with what was not tested for want of something: its name and the reason. */
export default class NotRunReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = modules.flatMap((module) => [...module.children.allTests('skipped')].flatMap(lineOf));
    if (lines.length > 0) console.log(`Not run:\n${lines.join('\n')}\n`);
  }
}

/** A test skipped without a reason is one that was left out of this run on purpose (`-t`). */
function lineOf(test: TestCase): string[] {
  const result = test.result();
  if (result.state !== 'skipped' || result.note === undefined) return [];
  const suite = test.parent.type === 'suite' ? test.parent.name : test.module.moduleId;
  return [`  ${suite}: ${result.note}`];
}
