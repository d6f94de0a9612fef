import { type Request, Router } from 'express';
import type { ApiKey } from '../../config/accounts.ts';
import { rfc2822 } from '../../core/dates.ts';
import { accountOf } from '../account-of.ts';
import { resource } from '../answer.ts';
import { invalid, missing } from '../api-error.ts';
import { notForKeys } from '../authentication.ts';
import { secretHash } from '../credentials.ts';
import { ACCOUNT_LIMITS } from '../limits.ts';
import { PAGING } from '../operation.ts';
import { formOf } from '../parameters.ts';
import { recordPage } from '../record-page.ts';
import type { RegionOptions } from '../region-options.ts';
import { friendlyName } from './number-configuration.ts';

/** Bytes of a new secret: 32 hexadecimal digits, as Twilio's have 32 characters. */
const SECRET_BYTES = 16;

/** The two names of the resource: signing keys are what keys were called when they only signed access tokens. */
const NAMES = [
  { path: '/Keys', list: 'keys', element: 'Key', created: 'CreateNewKey' },
  { path: '/SigningKeys', list: 'signing_keys', element: 'SigningKey', created: 'CreateNewSigningKey' },
] as const;

/**
 * The API keys of this Region, which are Standard keys. A key's secret is in the answer that creates it and nowhere
 * else: it is kept as a digest.
 *
 * @see https://www.twilio.com/docs/iam/api-keys/key-resource-v2010
 * @see https://www.twilio.com/docs/iam/api/signingkey
 */
export function keys(options: RegionOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router.all(/^\/(Signing)?Keys(\.json|\/.*)?$/, notForKeys);
  for (const name of NAMES) {
    all(router, options, name);
    one(router, options, name);
  }
  return router;
}

function all(router: Router, options: RegionOptions, name: (typeof NAMES)[number]): void {
  const { keys: records } = options.config.records;
  resource(
    router,
    `${name.path}{.json}`,
    {
      async get(req, res) {
        res.json(recordPage(req, name.list, await records.list(accountOf(req)), view));
      },
      async post(req, res) {
        const { key, secret } = newKey(options, accountOf(req), friendlyName(formOf(req)) ?? '');
        if ((await records.create(key, ACCOUNT_LIMITS.keys)) === 'full') {
          throw invalid(
            20001,
            `The account has ${ACCOUNT_LIMITS.keys} keys in this Region; delete one first.`,
          );
        }
        res.status(201).json({ ...view(key), secret });
      },
    },
    {
      element: name.element,
      get: { id: `List${name.element}`, parameters: PAGING },
      post: { id: name.created, parameters: { FriendlyName: 'string' } },
    },
  );
}

function one(router: Router, options: RegionOptions, name: (typeof NAMES)[number]): void {
  const { config, clock } = options;
  resource(
    router,
    `${name.path}/:sid{.json}`,
    {
      async get(req, res) {
        res.json(view(await keyOf(options, req)));
      },
      async post(req, res) {
        const { sid } = await keyOf(options, req);
        const changes = friendlyName(formOf(req));
        const changed = await config.records.keys.change(sid, (before) => ({
          ...before,
          friendlyName: changes ?? before.friendlyName,
          updatedAt: clock.now(),
        }));
        if (typeof changed !== 'object') throw gone(options, req);
        res.json(view(changed));
      },
      async delete(req, res) {
        await config.records.keys.remove((await keyOf(options, req)).sid);
        res.status(204).end();
      },
    },
    {
      element: name.element,
      get: { id: `Fetch${name.element}` },
      post: { id: `Update${name.element}`, parameters: { FriendlyName: 'string' } },
      delete: { id: `Delete${name.element}` },
    },
  );
}

function newKey({ ids, clock }: RegionOptions, accountSid: string, name: string) {
  const now = clock.now();
  const secret = ids.token(SECRET_BYTES);
  const key: ApiKey = {
    sid: ids.sid('SK'),
    accountSid,
    friendlyName: name,
    secretHash: secretHash(secret),
    createdAt: now,
    updatedAt: now,
  };
  return { key, secret };
}

async function keyOf(options: RegionOptions, req: Request): Promise<ApiKey> {
  const key = await options.config.records.keys.fetch(String(req.params['sid']));
  if (key?.accountSid === accountOf(req)) return key;
  throw gone(options, req);
}

function gone({ region }: RegionOptions, req: Request): Error {
  return missing(req.originalUrl.split('?')[0] ?? '', region.id);
}

function view(key: ApiKey): object {
  return {
    sid: key.sid,
    friendly_name: key.friendlyName,
    date_created: rfc2822(key.createdAt),
    date_updated: rfc2822(key.updatedAt),
  };
}
