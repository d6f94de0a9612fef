import type { CallStatus } from '../../../call/record.ts';
import { requestParameters } from '../parameters.ts';
import type { ChildEnd } from '../ports.ts';
import type { Candidate } from './calling.ts';

/**
 * What `action` is told of the party that was connected, or of the last one that was not. Without any, nobody could be
 * called at all: `failed`.
 *
 * @see https://www.twilio.com/docs/voice/twiml/dial#action
 */
export function actionParameters(
  candidate: Candidate | undefined,
  end: ChildEnd | undefined,
  bridged: boolean,
  screenedOut: CallStatus,
): Readonly<Record<string, string>> {
  const params: Record<string, string> = {
    // Completed without having been connected: its screening hung up.
    DialCallStatus: !end ? 'failed' : end.status === 'completed' && !bridged ? screenedOut : end.status,
    DialBridged: `${bridged}`,
  };
  if (!candidate || !end) return params;
  const { child, invitation } = candidate;
  params['DialCallSid'] = child.callSid;
  if (child.departed.aborted) {
    params['DialCallStatus'] = 'completed'; // for this document it is over
    return params;
  }
  Object.assign(params, requestParameters(end.parameters ?? {}));
  params['DialCallDuration'] = `${end.duration}`;
  if (invitation.order.target.kind !== 'sip') return params;
  if (end.sipCallId !== '') params['DialSipCallId'] = end.sipCallId;
  if (end.sipStatus !== undefined) params['DialSipResponseCode'] = `${end.sipStatus}`;
  for (const [name, value] of Object.entries(end.headers)) params[`DialSipHeader_${name}`] = value;
  return params;
}
