import type { SipResponse } from '../../sip/message/message.ts';
import { reasonPhrase } from '../../sip/message/reason-phrases.ts';
import { plain } from '../phone/terminal.ts';
import type { CallPlan } from './call-plan.ts';

/** What a person can do about a final response, by status. */
const ADVICE: Readonly<Record<number, string>> = {
  401: 'it wants credentials, which this command does not have: call a number instead',
  403: 'calls to numbers are taken from the addresses in TRUNKLINE_INGRESS_ALLOW only: add the one this call came from',
  404: 'call one of the numbers that `trunkline start` printed, or create this one with the REST API first',
  407: 'it wants credentials, which this command does not have: call a number instead',
  408: 'the callee did not answer in time: try again',
  415: 'this command offers SDP with PCMU and PCMA only: the callee must take one of them',
  480: 'the callee is not there at the moment: try again later',
  486: 'the callee is busy; a document that begins with <Reject reason="busy"/> says so, too',
  487: 'the call was cancelled before it was answered',
  488: 'this command offers PCMU and PCMA: the callee must take one of them',
  500: 'the callee failed: its log says why',
  503: 'no worker took the call, or the edge is being stopped: see /dashboard/queues, and that a worker of the Region runs',
  600: 'the callee is busy',
  603: 'the callee declined; a document that begins with <Reject/> or <Hangup/> says so, too',
};

/** Why a call was not answered, as one sentence about the response and one about what to do. */
export function refusalSentence(status: number, response: SipResponse | undefined, plan: CallPlan): string {
  const phrase = plain(response?.phrase ?? reasonPhrase(status));
  const detail = response && detailOf(response);
  const said = `${plan.callee} was not reached: ${status} ${phrase}${detail ? `, ${detail}` : ''}.`;
  const advice = ADVICE[status];
  return advice ? `${said}\n${advice.charAt(0).toUpperCase()}${advice.slice(1)}.` : said;
}

/** What the sender says beyond the status: RFC 3326 Reason or RFC 3261 §20.43 Warning. */
function detailOf(response: SipResponse): string | undefined {
  const reason = /text="([^"]*)"/.exec(response.headers.get('Reason') ?? '')?.[1];
  const warning = /^\d{3} \S+ "([^"]*)"/.exec(response.headers.get('Warning') ?? '')?.[1];
  const text = reason ?? warning;
  return text && plain(text);
}

/** Nothing is bound to the port. */
export function nobodyListens(address: string, plan: CallPlan): string {
  if (!plan.edge)
    return `Nothing listens at ${address}: is the address right, and does the callee take SIP over UDP?`;
  return (
    `Nothing listens at ${address}, the edge ${plan.edge}: is Trunkline running? Start it with \`npm start\`, ` +
    'or say where it listens with --sip host:port.'
  );
}
