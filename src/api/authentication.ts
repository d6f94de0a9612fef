import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from '../core/logger.ts';
import type { RegionId } from '../region/region.ts';
import { assignAccount } from './account-of.ts';
import { ApiError } from './api-error.ts';

export interface Credentials {
  readonly region: RegionId;
  readonly accountSid: string;
  readonly authToken: string;
  readonly logger: Logger;
}

/**
 * HTTP Basic with the account SID and this Region's auth token; everything else is 401 with code 20003. Another
 * Region's token is no different from a wrong one: a Region does not know the others' credentials.
 *
 * @see https://www.twilio.com/docs/global-infrastructure/manage-regional-api-credentials
 */
export function authenticate(credentials: Credentials): RequestHandler {
  return (req, res, next) => {
    requireCredentials(credentials, req, res);
    assignAccount(req, credentials.accountSid);
    next();
  };
}

/** @throws ApiError 401 */
export function requireCredentials(credentials: Credentials, req: Request, res: Response): void {
  const { region, accountSid, authToken, logger } = credentials;
  const given = basic(req.headers.authorization);
  // Both are always compared, so that the time taken says nothing about which one was wrong.
  const user = same(given?.user ?? '', accountSid);
  const password = same(given?.password ?? '', authToken);
  if (given && user && password) return;
  const reason = !given ? 'no-credentials' : !user ? 'unknown-user' : 'wrong-token';
  logger.warn(
    { region, reason, method: req.method, path: req.path },
    `${region} refused a request: ${reason}`,
  );
  res.setHeader('WWW-Authenticate', `Basic realm="Trunkline ${region}", charset="UTF-8"`);
  throw new ApiError(
    401,
    20003,
    `Authenticate: this request reached Region ${region}, which takes the account SID with the auth token of ${region}`,
  );
}

function basic(header: string | undefined): { user: string; password: string } | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Equality whose duration depends on neither text: equal-length digests are compared. */
function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
