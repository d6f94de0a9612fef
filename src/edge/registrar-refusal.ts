import type { SipDomain } from '../config/sip.ts';
import type { Refusal } from './refusal.ts';

/** A REGISTER that changes nothing: what the peer is told, and what the domain's owner is. */
export interface RegisterRefusal extends Refusal {
  /** Twilio's error code, where there is one. */
  readonly code?: number;
  /** For a peer that has proved who it is; others learn the status alone. */
  readonly phrase?: string;
}

/** What has a code of Twilio's is for the domain's owner to find. */
export function ownedBy(
  { accountSid, sid }: Pick<SipDomain, 'accountSid' | 'sid'>,
  refusal: RegisterRefusal,
): RegisterRefusal {
  const { code } = refusal;
  return code === undefined ? refusal : { ...refusal, of: { accountSid, domainSid: sid, code } };
}
