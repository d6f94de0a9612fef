import request from 'supertest';
import { z } from 'zod';
import { regionApp } from '../../../../src/api/region-app.ts';
import { RegionWorld } from './region.ts';

const parameter = z.object({ name: z.string(), in: z.enum(['path', 'query']), schema: z.looseObject({}) });

const operation = z.object({
  operationId: z.string(),
  parameters: z.array(parameter).optional(),
  requestBody: z
    .object({
      content: z.object({
        'application/x-www-form-urlencoded': z.object({
          schema: z.object({ properties: z.record(z.string(), z.looseObject({})) }),
        }),
      }),
    })
    .optional(),
  responses: z.record(z.string(), z.looseObject({ description: z.string() })),
});

const pathItem = z.object({
  parameters: z.array(parameter).optional(),
  get: operation.optional(),
  post: operation.optional(),
  delete: operation.optional(),
});

const document = z.object({
  openapi: z.literal('3.1.0'),
  info: z.object({ title: z.string(), version: z.string() }),
  servers: z.array(z.object({ url: z.string() })),
  security: z.array(z.object({ basic: z.array(z.string()) })),
  paths: z.record(z.string(), pathItem),
});

export type ApiDocument = z.infer<typeof document>;

/** One operation of the description. */
export interface ServedOperation {
  readonly id: string;
  readonly method: 'get' | 'post' | 'delete';
  /** With `{Sid}` and the like. */
  readonly path: string;
  /** What the query or the form may hold. */
  readonly parameters: readonly string[];
}

/** `/openapi.json` of a Region, checked for its shape. */
export async function apiDocument(region = new RegionWorld('ie1')): Promise<ApiDocument> {
  const { body } = await request(regionApp(region.options())).get('/openapi.json').expect(200);
  return document.parse(body);
}

/** Every operation that a Region says it serves. */
export async function servedOperations(): Promise<readonly ServedOperation[]> {
  const { paths } = await apiDocument();
  return Object.entries(paths).flatMap(([path, item]) =>
    (['get', 'post', 'delete'] as const).flatMap((method) => {
      const found = item[method];
      if (!found) return [];
      const form = found.requestBody?.content['application/x-www-form-urlencoded'].schema.properties ?? {};
      const query = (found.parameters ?? []).map(({ name }) => name);
      return [{ id: found.operationId, method, path, parameters: [...query, ...Object.keys(form)] }];
    }),
  );
}
