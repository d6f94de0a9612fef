import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

/** A fixture on disk. */
export interface Found {
  /** Its folder below the path that was asked for. */
  readonly name: string;
  readonly directory: string;
}

const SCENARIO = 'scenario.yaml';

/**
 * The fixtures at these paths, each once, in the order of their names: a fixture itself, its scenario.yaml, or a tree
 * of folders that holds some. Throws where a path cannot be read.
 */
export function fixturesAt(paths: readonly string[]): readonly Found[] {
  const found = new Map<string, Found>();
  for (const path of paths) {
    const root = basename(path) === SCENARIO && statSync(path).isFile() ? dirname(path) : path;
    for (const directory of below(root)) {
      const key = resolve(directory);
      if (!found.has(key)) found.set(key, { name: relative(root, directory) || basename(key), directory });
    }
  }
  return [...found.values()];
}

function below(directory: string): readonly string[] {
  const entries = readdirSync(directory, { withFileTypes: true });
  if (entries.some((entry) => entry.name === SCENARIO)) return [directory];
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return folders
    .filter((name) => name !== 'node_modules' && !name.startsWith('.'))
    .sort()
    .flatMap((name) => below(join(directory, name)));
}

/** Whether a name is asked for: a part of it, or a /regular expression/. Throws SyntaxError for one that is none. */
export function nameFilter(filter: string): (name: string) => boolean {
  const expression = /^\/(.*)\/([a-z]*)$/s.exec(filter);
  if (!expression) return (name) => name.includes(filter);
  const pattern = new RegExp(expression[1] ?? '', expression[2]?.replace(/[gy]/g, ''));
  return (name) => pattern.test(name);
}
