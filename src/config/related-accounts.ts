import type { Accounts } from './accounts.ts';

/**
 * Whether two accounts are one, or one is the other's parent. Subaccounts of one parent are strangers to each other.
 * Rejects when the accounts cannot be read.
 *
 * @see https://www.twilio.com/docs/api/errors/32214
 */
export async function areRelated(
  accounts: Pick<Accounts, 'fetch'>,
  [one, other]: readonly [string, string],
): Promise<boolean> {
  if (one === other) return true;
  const found = await Promise.all([accounts.fetch(one), accounts.fetch(other)]);
  return found[0]?.ownerAccountSid === other || found[1]?.ownerAccountSid === one;
}
