import type { Clock } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import type { AuthTokens, TokenVault } from './accounts.ts';

/** What is kept of an account's tokens. */
export interface KeptTokens extends AuthTokens {
  /** The token that the settings gave the account when these were written: a new one there replaces them. */
  readonly given: string | null;
}

/** Where they are kept: one value per account, replaced when it is still what was read. */
export interface TokenStore {
  read(accountSid: string): Promise<KeptTokens | undefined>;
  replace(accountSid: string, before: KeptTokens | undefined, after: KeptTokens): Promise<boolean>;
}

export interface TokenVaultOptions {
  readonly store: TokenStore;
  readonly clock: Clock;
  readonly ids: Ids;
  /** What the settings say: the first account and its token in this Region. */
  readonly given?: { readonly accountSid: string; readonly token: string } | undefined;
}

/** Our choice: a lost race between writers of one account's tokens is run again this often. */
const WRITE_ATTEMPTS = 100;

/**
 * Auth tokens of a Region. The first account's come from the settings until they are rotated here; a token that is
 * changed in the settings wins over what was rotated before.
 */
export function createTokenVault({ store, clock, ids, given }: TokenVaultOptions): TokenVault {
  const givenTo = (accountSid: string) => (given?.accountSid === accountSid ? given.token : null);

  const current = (accountSid: string, kept: KeptTokens | undefined): KeptTokens | undefined => {
    const token = givenTo(accountSid);
    if (kept && (token === null || kept.given === token)) return kept;
    if (token === null) return undefined;
    const now = clock.now();
    return { primary: token, secondary: null, createdAt: now, updatedAt: now, given: token };
  };

  const fresh = (): KeptTokens => {
    const now = clock.now();
    return { primary: ids.token(16), secondary: null, createdAt: now, updatedAt: now, given: null };
  };

  /** Undefined from `next`: nothing is written. */
  const change = async (accountSid: string, next: (before: KeptTokens) => KeptTokens | undefined) => {
    for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
      const kept = await store.read(accountSid);
      const after = next(current(accountSid, kept) ?? fresh());
      if (!after) return undefined;
      if (await store.replace(accountSid, kept, after)) return after;
    }
    throw new Error(`the tokens of ${accountSid} are being changed by others all the time: try again`);
  };

  return {
    async tokensOf(accountSid) {
      const known = current(accountSid, await store.read(accountSid));
      if (known) return known;
      const made = await change(accountSid, (before) => before);
      if (!made) throw new Error(`no tokens could be made for ${accountSid}`);
      return made;
    },
    async known(accountSid) {
      return current(accountSid, await store.read(accountSid));
    },
    async addSecondary(accountSid) {
      const changed = await change(accountSid, (before) => ({
        ...before,
        secondary: ids.token(16),
        updatedAt: clock.now(),
      }));
      if (!changed) throw new Error(`no secondary token could be made for ${accountSid}`);
      return changed;
    },
    async removeSecondary(accountSid) {
      const remove = (before: KeptTokens) =>
        before.secondary === null ? undefined : { ...before, secondary: null, updatedAt: clock.now() };
      return (await change(accountSid, remove)) !== undefined;
    },
    promote: (accountSid) =>
      change(accountSid, (before) =>
        before.secondary === null
          ? undefined
          : { ...before, primary: before.secondary, secondary: null, updatedAt: clock.now() },
      ),
    async close() {}, // nothing of its own to release
  };
}
