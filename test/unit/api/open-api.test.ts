import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { apiDocument, servedOperations } from './support/operations.ts';

/** The operations of Twilio's description that an application of voice needs, by method and path. */
const NEEDED: Readonly<Record<string, readonly string[]>> = JSON.parse(
  readFileSync(new URL('support/needed-operations.json', import.meta.url), 'utf8'),
);

/** The names in a path are ours; where they are is not. */
const shape = (path: string) => path.replace(/\{\w+\}/g, '{}');

describe('/openapi.json', () => {
  it('is an OpenAPI document that needs no credentials', async () => {
    const { servers, info } = await apiDocument();
    expect(info.title).toBe('Trunkline in ie1');
    expect(servers.map(({ url }) => url)).toContain('http://api.dublin.ie1.test');
  });

  it.each(Object.entries(NEEDED))('%s: every operation is served under its name', async (_group, needed) => {
    const served = new Map(
      (await servedOperations()).map(({ id, method, path }) => [
        `${method.toUpperCase()} ${shape(path)}`,
        id,
      ]),
    );
    const missing = needed.filter((line) => {
      const [method = '', path = '', id = ''] = line.split(' ');
      // An id is unique in a document, and two of Twilio's products have a FetchSipDomain.
      return served.get(`${method} ${shape(path)}`)?.replace(/_.*/, '') !== id;
    });
    expect(missing).toEqual([]);
  });

  it('names every operation once, and every parameter of its path', async () => {
    const { paths } = await apiDocument();
    const ids = (await servedOperations()).map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    for (const id of ids) expect(id).toMatch(/^[A-Z][A-Za-z]+(_[a-z0-9]+)*$/);
    for (const [path, item] of Object.entries(paths)) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect((item.parameters ?? []).map(({ name }) => name)).toEqual(names);
    }
  });
});
