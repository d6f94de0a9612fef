import { makeRequest } from '../message/build.ts';
import { parseCSeq } from '../message/cseq.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';

/** The ACK of a refusal: the INVITE's hop and identity, the response's To (RFC 3261 §17.1.1.3). */
export function ackOf(invite: SipRequest, response: SipResponse): SipRequest {
  return companion(invite, 'ACK', response.headers.get('to'));
}

/** The CANCEL of an INVITE: its hop and identity, To as it was sent (RFC 3261 §9.1). */
export function cancelOf(invite: SipRequest): SipRequest {
  return companion(invite, 'CANCEL', invite.headers.get('to'));
}

function companion(invite: SipRequest, method: string, to: string | undefined): SipRequest {
  const { headers } = invite;
  const cseq = parseCSeq(headers.get('cseq') ?? '')?.number ?? 0;
  return makeRequest(method, invite.uri, {
    Via: headers.get('via'),
    'Max-Forwards': headers.get('max-forwards'),
    Route: headers.all('route'),
    From: headers.get('from'),
    To: to,
    'Call-ID': headers.get('call-id'),
    CSeq: `${cseq} ${method}`,
  });
}
