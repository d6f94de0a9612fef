import { diagnose } from '../../../core/error-catalogue.ts';
import type { TwimlElement } from '../../document/element.ts';
import { familyOf, parameter } from '../../grammar/common.ts';
import { client, identity } from '../../grammar/dial-nouns.ts';
import { readElement } from '../../grammar/read-element.ts';
import { reportAt } from '../define-verb.ts';
import type { NounContext, Party } from './party.ts';

const family = familyOf([identity, parameter]);

/** What Twilio's client libraries say of somebody who is not registered. @see https://www.twilio.com/docs/api/errors/31480 */
const NOBODY_THERE = 31480;

/**
 * The client that is called, by the text or by `<Identity>`; undefined, and reported, when it has no identity. There
 * are none here yet, so nobody is registered under any: its call is made, is told of, and fails with 31480, as that of
 * a device that is not registered (our choice; Twilio documents neither code nor status). Others of the same `<Dial>`
 * ring. `clientNotificationUrl` is asked to wake up a client, of which there is none: never.
 *
 * @see https://www.twilio.com/docs/voice/twiml/client
 */
export function readClient(element: TwimlElement, context: NounContext): Party | undefined {
  const { values, children, text } = readElement(client, element, context, family);
  const named = children.find(({ spec }) => spec.key === identity.key)?.text ?? text;
  const { position } = element;
  if (named === '') {
    const message = '<Client> has no identity; it is not called.';
    reportAt(context, 12200, position, message, { expected: 'the identity of a client' });
    return undefined;
  }
  const shown = named.slice(0, 100);
  const message = `line ${position.line}, column ${position.column}: no client is registered as "${shown}": there are no clients here yet. Call a <Sip> or a <Number> instead.`;
  const { url, method, statusCallback, statusCallbackMethod, statusCallbackEvent } = values;
  return {
    target: { kind: 'client', uri: `client:${named}` },
    position,
    refused: diagnose(NOBODY_THERE, message, { url: context.url, ...position, actual: shown }),
    sendDigits: '',
    screening: url ? { url, method } : undefined,
    statusCallback: statusCallback
      ? { url: statusCallback, method: statusCallbackMethod, events: statusCallbackEvent }
      : undefined,
  };
}
