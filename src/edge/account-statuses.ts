import type { AccountStatus, Accounts } from '../config/accounts.ts';
import { BoundedCache } from '../core/bounded-cache.ts';
import type { Clock } from '../core/clock.ts';
import { type Diagnostic, failure } from '../core/diagnostic.ts';
import type { Logger } from '../core/logger.ts';

/** Our choice: how soon a suspended account's calls end to come in. */
const MAX_AGE_MS = 3_000;
/** Our choice: accounts that are remembered. */
const REMEMBERED = 10_000;

/** Whether accounts may have calls, as an edge knows it. */
export interface AccountStatuses {
  /** Never rejects: what can't be read is as it was when it last could be, at first active. */
  of(accountSid: string): Promise<AccountStatus>;
}

interface Known {
  readonly status: AccountStatus;
  readonly readAt: number;
}

export function createAccountStatuses(options: {
  readonly accounts: Pick<Accounts, 'fetch'>;
  readonly clock: Clock;
  readonly logger: Logger;
}): AccountStatuses {
  const { accounts, clock, logger } = options;
  const known = new BoundedCache<Known>(REMEMBERED);
  /** Calls that ask while it is being read share the answer. */
  const reads = new Map<string, Promise<AccountStatus>>();

  const read = async (accountSid: string): Promise<AccountStatus> => {
    const readAt = clock.monotonic();
    const status = await accounts.fetch(accountSid).then(
      (account) => account?.status ?? 'active', // the installation's own account may have no record
      (error: unknown) => {
        const last = known.get(accountSid)?.status ?? 'active';
        logger.warn(
          { AccountSid: accountSid, error },
          `the account's status cannot be read: taken as ${last}`,
        );
        return last;
      },
    );
    known.set(accountSid, { status, readAt }, 1);
    return status;
  };

  return {
    of(accountSid) {
      const last = known.get(accountSid);
      if (last && clock.monotonic() - last.readAt <= MAX_AGE_MS) return Promise.resolve(last.status);
      const underWay = reads.get(accountSid);
      if (underWay !== undefined) return underWay;
      const reading = read(accountSid).finally(() => reads.delete(accountSid));
      reads.set(accountSid, reading);
      return reading;
    },
  };
}

/**
 * Why nobody is called: calls that wait in the queue and those that a live call dials are new ones.
 *
 * @see https://www.twilio.com/docs/api/errors/10001
 */
export function notActive(accountSid: string, status: AccountStatus): Diagnostic {
  const message = `The account ${accountSid} is ${status}: nobody was called. Calls are made again once its parent has set its Status to active.`;
  return failure(10001, message, { actual: status, expected: 'active' });
}
