import { attr } from '../verbs/attributes.ts';
import { element } from './element-spec.ts';

/** @see https://www.twilio.com/docs/voice/twiml/sms */
const LONGEST_BODY = 1_600;

/** A telephone number, a short code, or the name of a sender. */
const SENDER = /^\s*(?:\+?[0-9() .-]{3,25}|[A-Za-z0-9 ]{1,11})\s*$/;

/** `<Sms>` sends a message beside the call. There is no sending of messages here, as outside us1 on Twilio: 13803. */
export const sms = element({
  key: 'Sms',
  docs: 'sms',
  support: 'refused',
  refusal: 13803,
  attributes: {
    to: attr.text(
      { default: undefined, invalid: 14101 },
      /^\s*\+?[0-9() .-]{3,25}\s*$/,
      'a telephone number',
    ), // absent: the caller
    from: attr.text({ default: undefined, invalid: 14102 }, SENDER, 'a telephone number or short code'), // absent: the number called
    action: attr.url(),
    method: attr.method({ default: 'POST', invalid: 14104 }),
    statusCallback: attr.url({ invalid: 14105 }),
  },
  text: { expected: 'a message', required: 14103, most: LONGEST_BODY, tooLong: 14103 },
});

/** `<Echo>` lets callers hear themselves. */
export const echo = element({ key: 'Echo', docs: '.' });
