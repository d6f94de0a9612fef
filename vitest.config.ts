import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Tests that need real time: their processes, threads and peers send audio as it is spoken. Everything in these
 * folders, and whatever else has `.live.` in its name.
 */
const LIVE = ['test/{e2e,peers}/**/*.test.ts', 'test/**/threads/**/*.test.ts', 'test/**/*.live.test.ts'];

/** Tests that are a load by themselves, calls by the hundred: they have the machine to themselves. */
const LOAD = ['test/**/*.load.test.ts'];

/** What takes minutes begins first: at the end everything else would wait for it. */
const LONGEST = [
  'dial-audio',
  'leaks',
  'sip-security',
  'readme',
  'failures',
  'start',
  'devices-leaks',
  'dial-sipp',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const found = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return found < 0 ? LONGEST.length : found;
    };
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    // No test waits for these: they end a run that hangs, on a machine of any speed.
    testTimeout: 180_000,
    hookTimeout: 300_000,
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    // The S3 client warns about Node 20 in every process; what we support is said in package.json.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    reporters: [
      'default',
      ...(process.env['CI'] ? [['json', { outputFile: '.ci/report.json' }] satisfies [string, object]] : []),
      './test/support/not-run-reporter.ts', // last: what it says is not to be overlooked
    ],
    projects: [
      {
        extends: true,
        test: {
          name: 'logic',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...LIVE, ...LOAD],
          maxWorkers: 2,
          isolate: false, // none of them changes what all files of a process share
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'live',
          include: LIVE,
          exclude: [...configDefaults.exclude, ...LOAD],
          maxWorkers: 4, // they mostly wait for time to pass
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: 'load', include: LOAD, maxWorkers: 1, sequence: { groupOrder: 2 } }, // one after the other
      },
    ],
  },
});
