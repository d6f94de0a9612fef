import type { ErrorRequestHandler, RequestHandler, Response, Router } from 'express';
import type { Logger } from '../core/logger.ts';
import { isStoreAway } from '../core/outage.ts';
import { ApiError, errorBody, missing } from './api-error.ts';
import { describe, type PathDescription } from './operation.ts';
import { elementOf, nameElement } from './xml-form.ts';

interface Methods {
  readonly get?: RequestHandler;
  readonly post?: RequestHandler;
  readonly delete?: RequestHandler;
}

/**
 * Serves a path with exactly these methods; any other one is 405 with code 20004. The description is what
 * `/openapi.json` and the XML form go by.
 *
 * @example
 * resource(router, '/Keys/:sid{.json}', { async get(req, res) { … } }, { element: 'Key', get: { id: 'FetchKey' } });
 */
export function resource(
  router: Router,
  path: string,
  methods: Methods,
  description: PathDescription = {},
): void {
  describe(router, { path, methods: Object.keys(methods), description });
  const route = router.route(path);
  route.all((req, _res, next) => {
    nameElement(req, description.element ?? elementOf(path));
    next();
  });
  if (methods.get) route.get(methods.get);
  if (methods.post) route.post(methods.post);
  if (methods.delete) route.delete(methods.delete);
  const allow = Object.keys(methods)
    .map((method) => method.toUpperCase())
    .join(', ');
  route.all((req) => {
    throw new ApiError(
      405,
      20004,
      `${req.method} is not allowed on ${req.originalUrl.split('?')[0]}; ${allow} is.`,
      {
        Allow: allow,
      },
    );
  });
}

/** The last handler: nothing answered this path. */
export function unknownPath(region: string): RequestHandler {
  return (req) => {
    throw missing(req.originalUrl.split('?')[0] ?? '', region);
  };
}

export function sendError(res: Response, error: ApiError): void {
  res
    .status(error.status)
    .set(error.headers)
    .json(errorBody(error.status, error.code, error.message));
}

/** Writes whatever a resource threw as Twilio's error body. Only our own faults are 500, and logged; a store that is away is 503. */
export function answerError(logger: Logger): ErrorRequestHandler {
  return (thrown: unknown, req, res, next) => {
    if (res.headersSent) return next(thrown);
    if (thrown instanceof ApiError) return sendError(res, thrown);
    const refused = refusal(thrown);
    if (refused) return sendError(res, refused);
    if (isStoreAway(thrown)) {
      logger.warn({ err: thrown, method: req.method, path: req.path }, 'a request failed: a store is away');
      const message = 'What this request needs cannot be read or written at the moment; try again.';
      return sendError(res, new ApiError(503, 20503, message, { 'Retry-After': '1' }));
    }
    logger.error({ err: thrown, method: req.method, path: req.path }, 'a request failed');
    sendError(res, new ApiError(500, 20500, 'An internal server error has occurred; the log says more.'));
  };
}

/** Requests that Express or its body parser could not read carry a 4xx status. */
function refusal(thrown: unknown): ApiError | undefined {
  if (!(thrown instanceof Error) || !('status' in thrown) || typeof thrown.status !== 'number')
    return undefined;
  if (thrown.status < 400 || thrown.status > 499) return undefined;
  if (thrown.status === 413) return new ApiError(413, 20413, 'The request is too large.');
  return new ApiError(400, 20001, `The request could not be read: ${thrown.message}.`);
}
