import { type Request, Router } from 'express';
import type { Account, AccountStatus } from '../../config/accounts.ts';
import { identityOf } from '../account-of.ts';
import { resource } from '../answer.ts';
import { ApiError, invalid, missing } from '../api-error.ts';
import { type AuthenticationOptions, notForKeys, requireAccess } from '../authentication.ts';
import { ACCOUNT_LIMITS } from '../limits.ts';
import { PAGING } from '../operation.ts';
import { pageBody, pageRequest, slice } from '../paging.ts';
import { formOf, type Parameters, queryOf } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';
import { accountResource } from './account-resource.ts';
import { friendlyName } from './number-configuration.ts';
import { releaseNumbersOf } from './number-release.ts';
import { authorOf } from './routes-change.ts';

const STATUSES: readonly AccountStatus[] = ['active', 'suspended', 'closed'];

/**
 * The account of the credentials and its subaccounts, which are the same in every Region; their auth tokens are not.
 *
 * @see https://www.twilio.com/docs/iam/api/account
 */
export function accounts(options: RegionOptions, authentication: AuthenticationOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const view = async (account: Account) =>
    accountResource(account, (await options.config.tokens.tokensOf(account.sid)).primary);

  router.all(/^\/Accounts(\.json|\/[^/]+)?$/, notForKeys);
  resource(
    router,
    '/Accounts{.json}',
    {
      async get(req, res) {
        const request = pageRequest(queryOf(req));
        const listed = (await family(options, authentication, identityOf(req).accountSid))
          .filter(wanted(queryOf(req), request.upTo))
          .reverse() // of those of the same instant the owner is the oldest
          .sort((a, b) => b.createdAt - a.createdAt);
        const page = slice(listed, request);
        const items = await Promise.all(page.items.map(view));
        res.json(pageBody(req, 'accounts', request, { ...page, items }, listed[0]?.createdAt));
      },
      async post(req, res) {
        const account = await create(options, authentication, req);
        res.status(201).json(await view(account));
      },
    },
    {
      get: { id: 'ListAccount', parameters: { FriendlyName: 'string', Status: STATUSES, ...PAGING } },
      post: { id: 'CreateAccount', parameters: { FriendlyName: 'string' } },
    },
  );
  resource(
    router,
    '/Accounts/:sid{.json}',
    {
      async get(req, res) {
        res.json(await view(await found(options, authentication, req)));
      },
      async post(req, res) {
        const account = await found(options, authentication, req);
        const changed = await change(options, authentication, req, account);
        res.json(await view(changed));
      },
    },
    {
      get: { id: 'FetchAccount' },
      post: { id: 'UpdateAccount', parameters: { FriendlyName: 'string', Status: STATUSES } },
    },
  );
  return router;
}

function wanted(query: Parameters, upTo: number | undefined): (account: Account) => boolean {
  const name = query.filled('FriendlyName');
  const status = query.oneOf('Status', STATUSES);
  return (account) =>
    (name === undefined || account.friendlyName === name) &&
    (status === undefined || account.status === status) &&
    (upTo === undefined || account.createdAt <= upTo);
}

async function found(
  { region }: RegionOptions,
  authentication: AuthenticationOptions,
  req: Request,
): Promise<Account> {
  const sid = String(req.params['sid']);
  await requireAccess(authentication, req, sid);
  const account = await authentication.directory.find(sid);
  if (account) return account;
  throw missing(req.originalUrl.split('?')[0] ?? '', region.id);
}

/** An account and, unless it is one itself, its subaccounts. */
async function family(
  options: RegionOptions,
  { directory }: AuthenticationOptions,
  accountSid: string,
): Promise<readonly Account[]> {
  const own = await directory.find(accountSid);
  const owned = await options.accounts.list(accountSid);
  return [...(own ? [own] : []), ...owned.filter(({ sid }) => sid !== accountSid)];
}

async function create(
  options: RegionOptions,
  { directory }: AuthenticationOptions,
  req: Request,
): Promise<Account> {
  const { accountSid } = identityOf(req);
  const now = options.clock.now();
  const name = friendlyName(formOf(req));
  const own = await directory.find(accountSid);
  if (own?.ownerAccountSid !== accountSid) {
    throw new ApiError(
      403,
      20010,
      `Account ${accountSid} is a subaccount, and a subaccount has none itself.`,
    );
  }
  const account: Account = {
    sid: options.ids.sid('AC'),
    ownerAccountSid: accountSid,
    friendlyName: name || standardName(now),
    status: 'active',
    createdAt: now,
    updatedAt: now,
  };
  // The owner is listed under itself, too.
  if ((await options.accounts.create(account, ACCOUNT_LIMITS.subaccounts + 1)) === 'full') {
    throw invalid(
      21480,
      `Account ${accountSid} has ${ACCOUNT_LIMITS.subaccounts} subaccounts, and may not have more.`,
    );
  }
  directory.learn(account);
  return account;
}

/** `SubAccount Created at 2026-01-15 12:00 pm`: what Twilio names one that nobody named. */
function standardName(now: number): string {
  const [date = '', time = ''] = new Date(now).toISOString().split('T');
  const hour = Number(time.slice(0, 2));
  const shown = String(hour % 12 || 12).padStart(2, '0');
  return `SubAccount Created at ${date} ${shown}:${time.slice(3, 5)} ${hour < 12 ? 'am' : 'pm'}`;
}

async function change(
  options: RegionOptions,
  { directory }: AuthenticationOptions,
  req: Request,
  { sid, ownerAccountSid }: Account,
): Promise<Account> {
  const { accounts: store, clock, region } = options;
  const asking = identityOf(req).accountSid;
  const form = formOf(req);
  const name = friendlyName(form);
  const status = statusOf(form);
  if (status !== undefined && ownerAccountSid === sid) {
    throw invalid(21477, `Account ${sid} is no subaccount: its Status cannot be changed here.`);
  }
  if (status !== undefined && ownerAccountSid !== asking) {
    throw new ApiError(
      403,
      20006,
      `The Status of ${sid} is changed by its parent account, ${ownerAccountSid}.`,
    );
  }
  // Before and after: what cannot be released now leaves the account as it is, and can be tried again.
  if (status === 'closed') await releaseNumbersOf(options, sid, authorOf(req, region.id));
  const changed = await store.change(sid, (before) => {
    if (status !== undefined && before.status === 'closed') {
      throw invalid(21479, `Account ${sid} is closed, which is final.`);
    }
    return {
      ...before,
      friendlyName: name || before.friendlyName,
      status: status ?? before.status,
      updatedAt: clock.now(),
    };
  });
  if (typeof changed === 'object') {
    directory.learn(changed);
    if (status === 'closed') await releaseNumbersOf(options, sid, authorOf(req, region.id));
    return changed;
  }
  throw missing(`/2010-04-01/Accounts/${sid}.json`, region.id);
}

function statusOf(form: Parameters): AccountStatus | undefined {
  const value = form.filled('Status');
  const status = STATUSES.find((one) => one === value);
  if (value === undefined || status !== undefined) return status;
  throw invalid(21475, `Status is '${value}'; it must be one of ${STATUSES.join(', ')}.`);
}
