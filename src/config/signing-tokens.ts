import { BoundedCache } from '../core/bounded-cache.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { TokenVault } from './accounts.ts';

/** Our choice: how long a rotated token may still sign webhooks. Its receiver knows both meanwhile. */
const FRESH_MS = 2_000;

/** Our choice: accounts whose token a process remembers. */
const REMEMBERED = 1_000;

/**
 * The tokens that webhooks are signed with, by account: the primary one of this Region. A call goes on when its
 * Region's Redis is away: what was known last is good then.
 */
export function createSigningTokens(options: {
  readonly vault: TokenVault;
  readonly clock: Clock;
  readonly logger: Logger;
}): (accountSid: string) => Promise<string> {
  const { vault, clock, logger } = options;
  const known = new BoundedCache<{ readonly token: string; readonly readAt: number }>(REMEMBERED);
  return async (accountSid) => {
    const before = known.get(accountSid);
    if (before && clock.monotonic() - before.readAt < FRESH_MS) return before.token;
    try {
      const { primary } = await vault.tokensOf(accountSid);
      known.set(accountSid, { token: primary, readAt: clock.monotonic() }, 1);
      return primary;
    } catch (error) {
      if (!before) throw error;
      logger.warn(
        { error, accountSid },
        'the auth token of an account cannot be read: signing with the last one',
      );
      return before.token;
    }
  };
}
