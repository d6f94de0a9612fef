import type { Router } from 'express';
import { PRODUCTS, publicUrl } from '../region/host-names.ts';
import { errorBody } from './api-error.ts';
import { type Operation, type ParameterType, pathsOf, type ServedPath } from './operation.ts';
import type { RegionOptions } from './region-options.ts';

/** A router and the path that it is mounted at, as Express writes it. */
export interface MountedRouter {
  readonly path: string;
  readonly router: Router;
}

type Method = 'get' | 'post' | 'delete';

/**
 * What this Region serves, as an OpenAPI 3.1 document: made of what the resources were registered with.
 *
 * @see https://spec.openapis.org/oas/v3.1.0
 */
export function openApi(
  { publicUrl: template, region }: RegionOptions,
  mounted: readonly MountedRouter[],
): object {
  const used = new Set<string>();
  const served = mounted.flatMap(({ path, router }) =>
    pathsOf(router).map((one) => pathItem(path, one, used)),
  );
  return {
    openapi: '3.1.0',
    info: {
      title: `Trunkline in ${region.id}`,
      version: '2010-04-01',
      description:
        'Every path is served by every host of this Region. Paths of 2010-04-01 answer XML without their suffix.',
    },
    servers: PRODUCTS.map((product) => ({ url: publicUrl(template, product, region.id) })),
    security: [{ basic: [] }],
    paths: Object.fromEntries(served),
    components: {
      securitySchemes: {
        basic: {
          type: 'http',
          scheme: 'basic',
          description: `An account SID and an auth token of ${region.id}, or an API key of ${region.id} and its secret.`,
        },
      },
      schemas: { Error: ERROR },
    },
  };
}

const ERROR = {
  type: 'object',
  required: Object.keys(errorBody(404, 20404, '')),
  properties: {
    code: { type: 'integer' },
    message: { type: 'string' },
    more_info: { type: 'string', format: 'uri' },
    status: { type: 'integer' },
  },
};

function pathItem(
  mountedAt: string,
  { path, methods, description }: ServedPath,
  used: Set<string>,
): [string, object] {
  const whole = `${mountedAt}${path}`.replace('{.json}', suffixOf(mountedAt));
  const written = whole.replace(
    /\{?[.:]?:([a-zA-Z]+)\}?/g,
    (_all, name: string) => `{${parameterName(name)}}`,
  );
  const names = [...written.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const operations = methods
    .filter(isMethod)

    .map((method) => [
      method,
      operation(method, unused(description[method]?.id ?? method, mountedAt, used), description[method]),
    ]);
  return [
    written,
    {
      ...(names.length > 0 && {
        parameters: names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
      }),
      ...Object.fromEntries(operations),
    },
  ];
}

/** The version of 2010 alone has suffixes, where the one for JSON is what clients use. */
function suffixOf(mountedAt: string): string {
  return mountedAt.startsWith('/2010-04-01') ? '.json' : '';
}

/** `callSid` as `CallSid`. */
function parameterName(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function isMethod(method: string): method is Method {
  return method === 'get' || method === 'post' || method === 'delete';
}

/** An operationId is there once (OpenAPI 3.1, Operation Object), and each product of Twilio has its own. */
function unused(id: string, mountedAt: string, used: Set<string>): string {
  const version = mountedAt.slice(mountedAt.lastIndexOf('/') + 1);
  const free = [id, `${id}_${version}`, `${id}_${version}_${used.size}`].find((one) => !used.has(one)) ?? id;
  used.add(free);
  return free;
}

function operation(method: Method, operationId: string, described: Operation | undefined): object {
  const { parameters = {}, required = [], answers = 'application/json' } = described ?? {};
  const status = method === 'delete' ? 204 : operationId.startsWith('Create') ? 201 : 200;
  const given = Object.entries(parameters);
  return {
    operationId,
    ...(method === 'get' &&
      given.length > 0 && {
        parameters: given.map(([name, type]) => ({ name, in: 'query', schema: schemaOf(type) })),
      }),
    ...(method === 'post' && given.length > 0 && { requestBody: form(given, required) }),
    responses: {
      [status]:
        method === 'delete'
          ? { description: 'Deleted' }
          : answer('The resource', answers, { type: answers === 'application/json' ? 'object' : 'string' }),
      default: answer('Why it is not answered as asked', 'application/json', {
        $ref: '#/components/schemas/Error',
      }),
    },
  };
}

function answer(description: string, type: string, schema: object): object {
  return { description, content: { [type]: { schema } } };
}

function form(given: readonly (readonly [string, ParameterType])[], required: readonly string[]): object {
  const schema = {
    type: 'object',
    properties: Object.fromEntries(given.map(([name, type]) => [name, schemaOf(type)])),
    ...(required.length > 0 && { required }),
  };
  return { content: { 'application/x-www-form-urlencoded': { schema } } };
}

function schemaOf(type: ParameterType): object {
  switch (type) {
    case 'integer':
    case 'boolean':
    case 'string':
      return { type };
    case 'sid':
      return { type: 'string', pattern: '^[A-Z]{2}[0-9a-f]{32}$' };
    case 'url':
      return { type: 'string', format: 'uri' };
    case 'date':
      return { type: 'string', format: 'date' };
    case 'method':
      return { type: 'string', enum: ['GET', 'POST'] };
    case 'strings':
      return { type: 'array', items: { type: 'string' } };
    default:
      return { type: 'string', enum: type };
  }
}
