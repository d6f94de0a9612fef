import { isoMs } from '../../../core/dates.ts';
import type { TwimlElement } from '../../document/element.ts';
import type { startSiprec as spec } from '../../grammar/start.ts';
import type { Values } from '../attributes.ts';
import type { CallScope } from '../call-scope.ts';
import { unavailable } from '../unavailable.ts';

const NO_CONNECTOR = 31940;

/**
 * `<Siprec>` sends the call to a SIPREC connector, of which there are none here: 31940, Twilio's code for a
 * `connectorName` that is none, and `siprec-error` to the status callback. The document goes on at once. No Siprec
 * resource comes of it, so none is named.
 *
 * @see https://www.twilio.com/docs/voice/twiml/siprec
 */
export function refuseSiprec(
  values: Values<typeof spec.attributes>,
  element: TwimlElement,
  call: CallScope,
): void {
  const { world } = call;
  const connector = (values.connectorName ?? '').slice(0, 100);
  const message = `there is no SIPREC connector "${connector}" here; the call goes on without it.`;
  world.report(unavailable(NO_CONNECTOR, element, call, message));
  if (!values.statusCallback) return;
  const url = call.resolve(values.statusCallback, element.position);
  if (typeof url !== 'string') return world.report(url);
  const params = {
    AccountSid: world.facts.accountSid,
    CallSid: world.facts.callSid,
    SiprecName: values.name ?? '',
    SiprecEvent: 'siprec-error',
    SiprecError: message,
    SiprecErrorCode: `${NO_CONNECTOR}`,
    Timestamp: isoMs(world.clock.now()),
  };
  // Nobody waits for what an application makes of it, nor does the end of the call take it back.
  void tell(call, url, values.statusCallbackMethod, params);
}

async function tell(
  { world }: CallScope,
  url: string,
  method: 'GET' | 'POST',
  params: Readonly<Record<string, string>>,
): Promise<void> {
  const lasting = new AbortController().signal;
  const result = await world.webhooks.fetch({ url, method, params, purpose: 'status-callback' }, lasting);
  if (!result.ok && !world.leg.ended.aborted) world.report(result.diagnostic);
}
