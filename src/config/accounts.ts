import type { KeptRecord, RecordKind, Records } from './records/port.ts';
import type { AccountRecord } from './sip.ts';

export type AccountStatus = 'active' | 'suspended' | 'closed';

/**
 * An account: global, as its SID is. Its credentials are not: each Region has its own.
 *
 * @see https://www.twilio.com/docs/iam/api/account
 */
export interface Account extends KeptRecord {
  readonly friendlyName: string;
  /** The account that created it; its own SID for the first account of the installation. */
  readonly ownerAccountSid: string;
  readonly status: AccountStatus;
  readonly updatedAt: number;
}

export const ACCOUNTS: RecordKind<Account> = {
  name: 'accounts',
  parentOf: ({ ownerAccountSid }) => ownerAccountSid,
};

/** Global: who has an account, and whether it is active. */
export type Accounts = Records<Account>;

/** An account's auth tokens in one Region: they sign webhooks, so they can't be kept as hashes. */
export interface AuthTokens {
  readonly primary: string;
  /** Valid beside the primary until it is promoted or removed: rotation without a gap. */
  readonly secondary: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Regional: the auth tokens of accounts in this Region. */
export interface TokenVault {
  /** Those of an account; made at once when it has none in this Region yet. */
  tokensOf(accountSid: string): Promise<AuthTokens>;
  /** Those it has in this Region; undefined, and none are made, when nobody has needed any yet. */
  known(accountSid: string): Promise<AuthTokens | undefined>;
  /** Another secondary token. */
  addSecondary(accountSid: string): Promise<AuthTokens>;
  /** False when there was none. */
  removeSecondary(accountSid: string): Promise<boolean>;
  /** The secondary becomes the primary, and the old primary is valid no more; undefined when there is no secondary. */
  promote(accountSid: string): Promise<AuthTokens | undefined>;
  close(): Promise<void>;
}

/**
 * An API key of this Region.
 *
 * @see https://www.twilio.com/docs/iam/api-keys
 */
export interface ApiKey extends AccountRecord {
  /** Hex SHA-256 of its secret, which is random and shown once. */
  readonly secretHash: string;
}

export const API_KEYS: RecordKind<ApiKey> = { name: 'api-keys', parentOf: ({ accountSid }) => accountSid };
