/** What an account may have of what the API keeps for it. Calls per second are paced (`TRUNKLINE_CPS`). */
export const ACCOUNT_LIMITS = {
  /** Beside the account itself; closed ones count. @see https://www.twilio.com/docs/iam/api/subaccounts */
  subaccounts: 1_000,
  /** In each Region, API keys and signing keys together. Our choice: Twilio documents none. */
  keys: 1_000,
} as const;
