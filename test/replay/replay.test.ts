import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { replayAll } from '../../src/replay/replay-all.ts';

const FIXTURES = fileURLToPath(new URL('../../twiml-fixtures', import.meta.url));

it('replays every fixture as its golden files say', async () => {
  const verdicts = await replayAll(FIXTURES, {});
  const bad = verdicts.filter(({ kind }) => kind !== 'same');
  expect(
    bad.flatMap((verdict) => [
      `${verdict.name}: ${verdict.kind}`,
      ...('details' in verdict ? verdict.details : []),
    ]),
  ).toEqual([]);
  const folders = readdirSync(FIXTURES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(verdicts.length).toBe(folders.length);
});
