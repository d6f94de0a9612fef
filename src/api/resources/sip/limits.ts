/** What an account may have in each Region. @see https://www.twilio.com/docs/api/errors */
export const SIP_LIMITS = {
  /** 21230 */
  domains: 100,
  /** 21255 */
  accessLists: 1_000,
  /** 21237; of each list */
  addresses: 25,
  /** 21239. @see https://www.twilio.com/docs/voice/sip/api/sip-credentiallist-resource */
  credentialLists: 100,
  /** 21242; of each list */
  credentials: 1_000,
  /** Of each domain: in each of its lists of mappings. Our choice: the refusal's code is 21231. */
  mappings: 100,
} as const;
