import type { OwnedNumber } from '../../config/port.ts';
import type { RouteAuthor } from '../../routing/port.ts';
import type { RegionOptions } from '../region-options.ts';

type Stores = Pick<RegionOptions, 'routes' | 'ownership' | 'config'>;

/**
 * Releases the number everywhere. Other Regions' configurations become unreachable, since a PN SID is never used
 * again; this Region has no credentials to remove them with.
 */
export async function releaseNumber(
  { routes, ownership, config }: Stores,
  number: OwnedNumber,
  by: RouteAuthor,
): Promise<void> {
  await routes.remove('phone-number', number.phoneNumber, by);
  await ownership.release(number.sid);
  await config.removeNumber(number.sid);
}

/** Releases every number of an account. */
export async function releaseNumbersOf(stores: Stores, accountSid: string, by: RouteAuthor): Promise<void> {
  for (const number of await stores.ownership.list(accountSid)) await releaseNumber(stores, number, by);
}
