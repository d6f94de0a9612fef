import type { DialRequest } from '../../../src/control/protocol.ts';
import { callJob } from '../../support/call-job.ts';

/** A call to be made; every one has its own CallSid. */
export function dialRequest(fields: Partial<DialRequest> = {}): DialRequest {
  const { callSid, accountSid, region, createdAt } = callJob();
  return {
    job: {
      callSid,
      epoch: 1,
      accountSid,
      region,
      direction: 'outbound-dial',
      from: '+353861234567',
      to: 'sip:agent@127.0.0.1:5090',
      createdAt,
      notes: [],
      parentCallSid: callJob().callSid,
      egressEdge: 'dublin',
    },
    edge: 'dublin',
    party: { kind: 'sip', uri: 'sip:agent@127.0.0.1:5090' },
    from: '+353861234567',
    onBehalfOf: ['+35315550100'],
    headers: { 'X-Twilio-CallSid': callSid },
    ...fields,
  };
}
