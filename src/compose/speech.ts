import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { createPocketsphinx } from '../speech/pocketsphinx.ts';
import type { SpeechToText } from '../speech/port.ts';
import { type Settings, SettingsError } from './settings.ts';

const BINARY = 'pocketsphinx_continuous';

/**
 * What recognises speech here; undefined: nothing does.
 * @throws SettingsError when what was asked for is not installed
 */
export function speechToText(
  { speech }: Pick<Settings, 'speech'>,
  clock: Clock,
  path = process.env['PATH'] ?? '',
): SpeechToText | undefined {
  if (speech === 'none') return undefined;
  const binary = path
    .split(delimiter)
    .map((folder) => join(folder, BINARY))
    .find(isExecutable);
  if (binary !== undefined) return createPocketsphinx({ binary, clock });
  if (speech === 'auto') return undefined;
  throw new SettingsError(
    `TRUNKLINE_SPEECH is "pocketsphinx": ${BINARY} is not on PATH; install it (Debian: pocketsphinx pocketsphinx-en-us) or choose none`,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
