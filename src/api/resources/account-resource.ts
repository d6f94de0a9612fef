import type { Account } from '../../config/accounts.ts';
import { rfc2822 } from '../../core/dates.ts';

/** What is found below an account: the field and the path. */
const BELOW = {
  applications: 'Applications',
  available_phone_numbers: 'AvailablePhoneNumbers',
  calls: 'Calls',
  incoming_phone_numbers: 'IncomingPhoneNumbers',
  keys: 'Keys',
  notifications: 'Notifications',
  outgoing_caller_ids: 'OutgoingCallerIds',
  recordings: 'Recordings',
  signing_keys: 'SigningKeys',
} as const;

/**
 * The Account resource, every field of it.
 *
 * @param authToken the primary auth token of this Region
 * @see https://www.twilio.com/docs/iam/api/account#account-properties
 */
export function accountResource(account: Account, authToken: string): object {
  const path = `/2010-04-01/Accounts/${account.sid}`;
  const below = Object.entries(BELOW).map(([field, name]) => [field, `${path}/${name}.json`]);
  return {
    auth_token: authToken,
    date_created: rfc2822(account.createdAt),
    date_updated: rfc2822(account.updatedAt),
    friendly_name: account.friendlyName,
    owner_account_sid: account.ownerAccountSid,
    sid: account.sid,
    status: account.status,
    subresource_uris: Object.fromEntries(below),
    type: 'Full',
    uri: `${path}.json`,
  };
}
