import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const root = join(import.meta.dirname, '../..');

const probe = z.strictObject({
  test: z.tuple([z.literal('CMD'), z.string()], z.string()),
  interval: z.string(),
  timeout: z.string(),
  retries: z.number(),
  start_period: z.string(),
});

const service = z.strictObject({
  build: z.literal('.').optional(),
  image: z.string(),
  command: z.union([z.array(z.string()), z.string().transform((text) => text.split(' '))]),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()),
  healthcheck: probe,
  depends_on: z.record(z.string(), z.strictObject({ condition: z.literal('service_healthy') })).default({}),
  restart: z.literal('unless-stopped'),
  stop_grace_period: z.string().optional(),
});

export type ComposeService = z.infer<typeof service>;

const file = z.looseObject({
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.null()),
});

/** `.env.example` as Compose reads an env file. */
export function exampleEnvironment(): Record<string, string> {
  const lines = readFileSync(join(root, '.env.example'), 'utf8').split('\n');
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
      return name && value !== undefined ? [[name, value]] : [];
    }),
  );
}

/**
 * `docker-compose.yml` with `values` put in, as `docker compose config` shows it: anchors merged, `${NAME:?…}` and
 * `${NAME:-default}` replaced. Throws when a value is missing or a key is none that this file is known to use.
 */
export function composeFile(values: Readonly<Record<string, string>>): z.infer<typeof file> {
  const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
  return file.parse(interpolated(parse(text, { merge: true }), values));
}

/** @see https://docs.docker.com/reference/compose-file/interpolation/ */
function interpolated(node: unknown, values: Readonly<Record<string, string>>): unknown {
  if (Array.isArray(node)) return node.map((item: unknown) => interpolated(item, values));
  if (typeof node === 'object' && node !== null)
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, interpolated(value, values)]));
  if (typeof node !== 'string') return node;
  return node.replaceAll(/\$\{(\w+)(?::(-|\?)([^}]*))?\}/g, (_, name: string, kind: string, rest: string) => {
    const value = values[name];
    if (value !== undefined && value !== '') return value;
    if (kind === '-') return rest;
    throw new Error(`docker-compose.yml wants ${name}: ${rest}`);
  });
}
