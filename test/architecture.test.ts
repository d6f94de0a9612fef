import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

/**
 * The layers: the longest matching prefix decides. A file imports lower numbers, its own top-level folder (never
 * a higher number of it), and types of its own number.
 */
const LAYERS: Readonly<Record<string, number>> = {
  'src/core/': 0,
  'src/region/': 1,
  'src/sip/message/': 1,
  'src/sip/transaction/': 2,
  'src/sip/dialog/': 2,
  'src/sip/digest/': 2,
  'src/sip/transport/': 3,
  'src/sip/agent/': 3,
  'src/media/': 1,
  'src/media/stream/': 3,
  'src/media/threads/': 3,
  'src/speech/': 3,
  'src/speech/port.ts': 2,
  'src/twiml/document/': 1,
  'src/twiml/verbs/': 2,
  'src/twiml/grammar/': 2, // and verbs beside it: a verb is an element with something to do
  'src/twiml/lint/': 3,
  'src/twiml/index.ts': 3,
  'src/twiml/interpreter/': 3, // it runs verbs on legs, webhooks and calls, so it stands above them
  'src/leg/': 2,
  'src/leg/remote/': 3,
  'src/leg/simulated/': 3,
  'src/webhook/': 2,
  'src/webhook/port.ts': 1,
  'src/webhook/signature.ts': 1,
  'src/webhook/overrides.ts': 1,
  'src/webhook/request.ts': 1,
  'src/webhook/http-': 3,
  'src/webhook/connector.ts': 3,
  'src/call/': 2,
  'src/routing/': 2,
  'src/config/': 2,
  'src/queue/': 2,
  'src/queue/bullmq/': 3,
  'src/queue/memory/': 3,
  'src/queue/redis/': 3,
  'src/storage/': 2,
  'src/storage/redis/': 3,
  'src/storage/s3/': 3,
  'src/storage/filesystem/': 3,
  'src/storage/memory/': 3,
  'src/control/': 3,
  'src/edge/': 4,
  'src/runtime/': 4,
  'src/api/': 4,
  'src/replay/': 4,
  'src/compose/': 5,
  'workers/': 6,
  'src/bin/': 7,
};

/** What belongs there, and what using and building the product leaves: data, packages, what a call heard. */
const TOP_LEVEL =
  /^(package(-lock)?\.json|tsconfig(\.[a-z]+)?\.json|src|workers|twiml-fixtures|test|docs|docker-compose\.yml|Dockerfile|README\.md|ARCHITECTURE\.md|CONTRIBUTING\.md|CHANGELOG\.md|LICENSE|biome\.json|[a-z]+\.config\.ts|node_modules|dist|\..*|.*\.wav)$/;

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

const files = [...sources('src'), ...sources('workers')];

function layerOf(file: string): number | undefined {
  const prefix = Object.keys(LAYERS)
    .filter((candidate) => file.startsWith(candidate))
    .sort((a, b) => b.length - a.length)[0];
  return prefix === undefined ? undefined : LAYERS[prefix];
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
  const found = text.matchAll(
    /^\s*(?:import|export)\s+(type\s+)?([^;'"]*?)from\s+'(\.[^']+)'|import\('(\.[^']+)'\)/gm,
  );
  return [...found].map(([, type, names = '', path, dynamic]) => {
    const specifiers = names
      .replaceAll(/[{}\s]/g, ' ')
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean);
    return {
      from: file,
      to: relative(root, normalize(join(root, dirname(file), path ?? dynamic ?? ''))),
      typeOnly:
        type !== undefined || (specifiers.length > 0 && specifiers.every((name) => name.startsWith('type '))),
    };
  });
}

const folderOf = (file: string) =>
  file
    .split('/')
    .slice(0, file.startsWith('src/') ? 2 : 1)
    .join('/');

describe('the architecture', () => {
  it('has a layer for every file', () => {
    expect(files.filter((file) => layerOf(file) === undefined)).toEqual([]);
  });

  it('imports downwards only', () => {
    const wrong = files.flatMap(importsOf).filter(({ from, to, typeOnly }) => {
      const [own, other] = [layerOf(from) ?? -1, layerOf(to) ?? 99];
      if (other < own) return false;
      return other > own || (folderOf(from) !== folderOf(to) && !typeOnly);
    });
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  it('reads the environment in src/compose alone', () => {
    const readers = files.filter((file) => /\bprocess\.env\b/.test(readFileSync(join(root, file), 'utf8')));
    expect(readers.filter((file) => !file.startsWith('src/compose/'))).toEqual([]);
  });

  it('takes time and chance from src/core', () => {
    const chance = /\b(Date\.now|new Date\(\)|setTimeout|setInterval|Math\.random|randomUUID)\b/;
    const code = (file: string) =>
      readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    // A media thread has nothing but its pacing: it reads the machine's clock through one small file.
    // The dashboard's page carries a script that runs in the browser.
    const allowed = /^src\/core\/|^src\/media\/threads\/thread-clock\.ts$|^src\/api\/dashboard\/page\.ts$/;
    expect(files.filter((file) => !allowed.test(file) && chance.test(code(file)))).toEqual([]);
  });

  it('makes the names of a Region in src/region alone', () => {
    const names = /`[^`]*(calls-|callbacks-|recordings-|trunkline-|trunkline:)\$\{/;
    expect(
      files.filter(
        (file) => !file.startsWith('src/region/') && names.test(readFileSync(join(root, file), 'utf8')),
      ),
    ).toEqual([]);
  });

  it('keeps the top level to what the design lists', () => {
    expect(readdirSync(root).filter((name) => !TOP_LEVEL.test(name))).toEqual([]);
  });
});
