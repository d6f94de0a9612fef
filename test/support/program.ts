import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** The path of a program on PATH, or undefined when it is not installed. */
export function peer(name: string): string | undefined {
  // sbin: where Debian installs servers, often not on a user's PATH.
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {} // not in this folder
  }
  return undefined;
}

/** The project's folder: a support file runs as it is in tests and compiled, deeper down, in benchmarks. */
export function projectRoot(from: string = import.meta.dirname): string {
  return existsSync(join(from, 'package.json')) ? from : projectRoot(dirname(from));
}
