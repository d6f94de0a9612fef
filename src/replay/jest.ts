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
}

/** Global in Jest's tests; its types declare it where they are installed. */
const found: unknown = Reflect.get(globalThis, 'expect');
if (!isExpect(found))
  throw new Error(
    'trunkline/replay/jest: found no global expect: load it in a test or a set-up file of Jest',
  );
found.extend(matchers);

function isExpect(value: unknown): value is { extend(matchers: object): void } {
  return typeof value === 'function' && 'extend' in value && typeof value.extend === 'function';
}
