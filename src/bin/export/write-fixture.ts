import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ExportedFixture } from '../../replay/export/export-call.ts';
import { replayAll } from '../../replay/replay-all.ts';

/** Why nothing was written. */
export class NotWritten extends Error {
  override readonly name = 'NotWritten';
}

/** Claims the directory of a fixture: there is none, or it is one and may be replaced. @throws NotWritten */
export async function claimDirectory(directory: string, force: boolean): Promise<void> {
  if (!(await exists(directory))) return;
  if (!force)
    throw new NotWritten(`${directory} is there already; --force replaces it, --name writes another.`);
  if (await exists(join(directory, 'scenario.yaml'))) return;
  throw new NotWritten(`${directory} is no fixture (it has no scenario.yaml), so it is not replaced.`);
}

/**
 * Writes scenario.yaml, the documents, and expected/ as the replay leaves it. What `replay` finds wrong with it, line by
 * line; then there is no expected/.
 */
export async function writeFixture(directory: string, fixture: ExportedFixture): Promise<readonly string[]> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'scenario.yaml'), stringify(fixture.scenario, { lineWidth: 0 }));
  for (const [name, text] of fixture.files) await writeFile(join(directory, name), text);
  const verdicts = await replayAll(directory, { update: true });
  return verdicts.flatMap((verdict) => ('details' in verdict ? verdict.details : []));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
