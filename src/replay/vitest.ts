/**
 * Adds the matchers of calls to Vitest: `import 'trunkline/replay/vitest'` in a test or a set-up file.
 *
 * @module trunkline/replay/vitest
 */
import { expect } from 'vitest';
import { type CallMatchers, matchers } from './testing/matchers.ts';

declare module 'vitest' {
  interface Matchers<T> extends CallMatchers<T> {}
}

expect.extend(matchers);
