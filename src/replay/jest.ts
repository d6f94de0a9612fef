/**
 * Adds the matchers of calls to Jest: `import 'trunkline/replay/jest'` in a test or a set-up file.
 *
 * @module trunkline/replay/jest
 */
import { type CallMatchers, matchers } from './testing/matchers.ts';

declare global {
  namespace jest {
    interface Matchers<R> extends CallMatchers<R> {}
  }
  var expect: { extend(matchers: object): void } | undefined;
}

const { expect: jestExpect } = globalThis;
if (!jestExpect)
  throw new Error(
    'trunkline/replay/jest: found no global expect: load it in a test or a set-up file of Jest',
  );
jestExpect.extend(matchers);
