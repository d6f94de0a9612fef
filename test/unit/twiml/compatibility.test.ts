import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compatibilityTable } from '../../../src/twiml/grammar/compatibility.ts';

/** `npx vitest run test/unit/twiml/compatibility.test.ts -u` writes the page anew. */
it('shows in docs/twiml-compatibility.md what the grammar says', async () => {
  const page = join(import.meta.dirname, '../../../docs/twiml-compatibility.md');
  await expect(compatibilityTable()).toMatchFileSnapshot(page);
});
