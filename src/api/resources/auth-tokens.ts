import { Router } from 'express';
import type { AuthTokens } from '../../config/accounts.ts';
import { isoSeconds } from '../../core/dates.ts';
import { publicUrl } from '../../region/host-names.ts';
import { accountOf } from '../account-of.ts';
import { resource } from '../answer.ts';
import { notFound } from '../api-error.ts';
import { notForKeys } from '../authentication.ts';
import type { RegionOptions } from '../region-options.ts';

/**
 * Rotation of the auth token of this Region without a gap: the secondary token is valid beside the primary one until
 * it is promoted; then it is the primary, which signs webhooks, and the old one is valid no more.
 *
 * @see https://www.twilio.com/docs/iam/api/secondary_authtoken
 * @see https://www.twilio.com/docs/iam/api/authtoken
 */
export function authTokens(options: RegionOptions): Router {
  const { tokens } = options.config;
  const router = Router({ caseSensitive: true, strict: true });
  const view = (accountSid: string, { createdAt, updatedAt }: AuthTokens, name: string) => ({
    account_sid: accountSid,
    date_created: isoSeconds(createdAt),
    date_updated: isoSeconds(updatedAt),
    url: `${publicUrl(options.publicUrl, 'accounts', options.region.id)}/v1/AuthTokens/${name}`,
  });

  router.all(/^\/AuthTokens\//, notForKeys);
  resource(
    router,
    '/AuthTokens/Secondary',
    {
      async post(req, res) {
        const changed = await tokens.addSecondary(accountOf(req));
        const body = view(accountOf(req), changed, 'Secondary');
        res.status(201).json({ ...body, secondary_auth_token: changed.secondary });
      },
      async delete(req, res) {
        if (!(await tokens.removeSecondary(accountOf(req)))) throw noSecondary(accountOf(req));
        res.status(204).end();
      },
    },
    { post: { id: 'CreateSecondaryAuthToken' }, delete: { id: 'DeleteSecondaryAuthToken' } },
  );
  resource(
    router,
    '/AuthTokens/Promote',
    {
      async post(req, res) {
        const changed = await tokens.promote(accountOf(req));
        if (!changed) throw noSecondary(accountOf(req));
        res.json({ ...view(accountOf(req), changed, 'Promote'), auth_token: changed.primary });
      },
    },
    { post: { id: 'UpdateAuthTokenPromotion' } },
  );
  return router;
}

function noSecondary(accountSid: string): Error {
  return notFound(
    `Account ${accountSid} has no secondary auth token here; POST /v1/AuthTokens/Secondary makes one.`,
  );
}
