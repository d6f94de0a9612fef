import { isIP } from 'node:net';
import type { Request, RequestHandler } from 'express';
import { ApiError } from '../api-error.ts';
import { type AuthenticationOptions, permissionDenied, requireIdentity } from '../authentication.ts';
import type { RegionOptions } from '../region-options.ts';

/**
 * Who may see the pages: anybody on this machine when only this machine can reach the listener, otherwise HTTP
 * Basic with the credentials that the first account has in the Region (DESIGN §6): what is shown is its own. A
 * browser sends credentials, and reaches this machine, for any site it visits, so a change must come from the pages
 * themselves.
 */
export function pageAccess(options: RegionOptions, authentication: AuthenticationOptions): RequestHandler {
  return async (req, res, next) => {
    if (!(options.listenerIsLoopback && isLocal(req))) {
      const { accountSid } = await requireIdentity(authentication, req, res);
      if (accountSid !== options.accountSid) {
        throw permissionDenied(`Authenticate: the dashboard is for account ${options.accountSid}`);
      }
    }
    if (req.method !== 'GET' && req.method !== 'HEAD' && !fromSameSite(req)) {
      throw new ApiError(403, 20403, 'Changes are made from the dashboard itself, not from another site.');
    }
    next();
  };
}

/**
 * Neither forwarded for somebody else, nor addressed by a public name: a name that a stranger controls may be
 * pointed at this machine.
 */
function isLocal(req: Request): boolean {
  const forwarded = req.headers['x-forwarded-for'];
  const clients = [forwarded ?? []].flat().join(',').split(',');
  if (!clients.every((client) => client.trim() === '' || isLoopback(client.trim()))) return false;
  const host = (req.headers.host ?? '').replace(/:\d*$/, '').replace(/^\[|\]$/g, '');
  return host === 'localhost' || host.endsWith('.localhost') || isIP(host) !== 0;
}

function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/, '');
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
}

/** Clients that are not browsers send neither header. */
function fromSameSite(req: Request): boolean {
  const site = req.headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin, host } = req.headers;
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
}
