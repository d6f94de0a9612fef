import { sipHeaderParameters } from '../webhook/request.ts';
import type { CalledDomain, SipFacts } from './job.ts';
import type { CallDirection, CallStatus } from './record.ts';

/** What is known of a call before its first document: the source of the standard webhook parameters. */
export interface CallFacts {
  readonly callSid: string;
  readonly accountSid: string;
  readonly from: string;
  readonly to: string;
  readonly direction: CallDirection;
  readonly parentCallSid: string | null;
  readonly callerName: string | null;
  readonly forwardedFrom: string | null;
  readonly sip: SipFacts | null;
  /** The SIP domain that was called; null for every other call. */
  readonly domain: CalledDomain | null;
}

const GEO = ['City', 'State', 'Zip', 'Country'] as const;
const PARTIES = ['From', 'To', 'Caller', 'Called'] as const;

/**
 * The standard parameters of every request for a document. The geographic ones are sent empty: Trunkline keeps
 * no number-to-place table, and applications expect them to be there.
 *
 * @see https://www.twilio.com/docs/voice/twiml#request-parameters
 */
export function standardParameters(facts: CallFacts, status: CallStatus): Record<string, string> {
  const params: Record<string, string> = {
    CallSid: facts.callSid,
    AccountSid: facts.accountSid,
    ApiVersion: '2010-04-01',
    From: facts.from,
    To: facts.to,
    Caller: facts.from,
    Called: facts.to,
    CallStatus: status,
    Direction: facts.direction,
  };
  for (const party of PARTIES) for (const place of GEO) params[party + place] = '';
  if (facts.parentCallSid) params['ParentCallSid'] = facts.parentCallSid;
  if (facts.callerName) params['CallerName'] = facts.callerName;
  if (facts.forwardedFrom) params['ForwardedFrom'] = facts.forwardedFrom;
  if (facts.domain && facts.sip) Object.assign(params, domainParameters(facts.domain, facts.sip));
  return params;
}

/**
 * What is told beside them of a call to a SIP domain.
 *
 * @see https://www.twilio.com/docs/voice/api/sending-sip#twiml-voice-request-parameters
 */
function domainParameters(domain: CalledDomain, sip: SipFacts): Record<string, string> {
  return {
    SipDomain: domain.domainName,
    SipDomainSid: domain.sid,
    ...(domain.username !== null && { SipUsername: domain.username }),
    SipCallId: sip.callId,
    SipSourceIp: sip.sourceIp,
    ...sipHeaderParameters(sip.headers),
  };
}
