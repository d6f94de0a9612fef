import type { Account, Accounts } from '../config/accounts.ts';
import { BoundedCache } from '../core/bounded-cache.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { ApiError } from './api-error.ts';

/** Our choice: how long another Region's change of an account may go unnoticed here. */
const FRESH_MS = 2_000;

/** Our choice: accounts that a process remembers. */
const REMEMBERED = 10_000;

/** Accounts as a Region knows them. */
export interface AccountDirectory {
  /** As the global store has it now. */
  find(accountSid: string): Promise<Account | undefined>;
  /**
   * As it was two seconds ago at most; or as it was last known, for as long as the global store cannot be read: a
   * Region goes on when another Region's Redis is down. @throws ApiError 503 for one that never was
   */
  known(accountSid: string): Promise<Account | undefined>;
  /** The change was made here: it holds at once. */
  learn(account: Account): void;
}

/** An account as it was read, or that there is none. */
interface Known {
  readonly account: Account | undefined;
  readonly readAt: number;
  /** The store could not be read since: it is asked again, but nobody waits for it. */
  readonly stale: boolean;
}

/** The first account is in the settings: it is there and active whatever the store says, and in the store when it can be. */
export function createAccountDirectory(options: {
  readonly accounts: Accounts;
  readonly accountSid: string;
  readonly clock: Clock;
  readonly logger: Logger;
}): AccountDirectory {
  const { accounts, accountSid: firstSid, clock, logger } = options;
  const cache = new BoundedCache<Known>(REMEMBERED);

  const learn = (sid: string, account: Account | undefined, stale = false) =>
    cache.set(sid, { account, readAt: clock.monotonic(), stale }, 1);

  const first = async (): Promise<Account> => {
    const found = await accounts.fetch(firstSid);
    if (found) return found;
    const made = firstAccount(firstSid, clock.now());
    // Another Region may be doing the same: whoever is first decides on the date.
    return (await accounts.create(made)) === 'created' ? made : ((await accounts.fetch(firstSid)) ?? made);
  };

  const find = async (sid: string): Promise<Account | undefined> => {
    const found = sid === firstSid ? await first() : await accounts.fetch(sid);
    learn(sid, found);
    return found;
  };

  /** Reads it again; what was known stays when that fails. @throws ApiError 503 when nothing was */
  const refresh = async (sid: string, before: Account | undefined): Promise<Account | undefined> => {
    try {
      return await find(sid);
    } catch (error) {
      logger.warn({ err: error, accountSid: sid }, 'an account cannot be read: going by what was known last');
      const last = before ?? (sid === firstSid ? firstAccount(sid, clock.now()) : undefined);
      if (!last) throw unreadable();
      learn(sid, last, true);
      return last;
    }
  };

  return {
    find,
    async known(sid) {
      const before = cache.get(sid);
      if (before && clock.monotonic() - before.readAt < FRESH_MS) return before.account;
      if (!before?.stale) return await refresh(sid, before?.account);
      learn(sid, before.account, true); // not asked again for a while
      refresh(sid, before.account).catch(() => {}); // it cannot: there is a last one
      return before.account;
    },
    learn: (account) => learn(account.sid, account),
  };
}

function unreadable(): ApiError {
  const message = 'Accounts cannot be read at the moment; try again.';
  return new ApiError(503, 20503, message, { 'Retry-After': '1' });
}

function firstAccount(sid: string, now: number): Account {
  return {
    sid,
    ownerAccountSid: sid,
    friendlyName: 'Trunkline',
    status: 'active',
    createdAt: now,
    updatedAt: now,
  };
}
