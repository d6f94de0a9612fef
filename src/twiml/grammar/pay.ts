import { attr } from '../verbs/attributes.ts';
import { reportAt } from '../verbs/define-verb.ts';
import { pause } from '../verbs/pause.ts';
import { play } from '../verbs/play.ts';
import { say } from '../verbs/say.ts';
import { anyText, familyOf, flag, parameter, SCHEMA, statusCallbacks } from './common.ts';
import { element } from './element-spec.ts';

const CARDS = [
  'visa',
  'mastercard',
  'amex',
  'maestro',
  'discover',
  'optima',
  'jcb',
  'diners-club',
  'enroute',
] as const;

const LANGUAGES = [
  ...(['de-DE', 'en-AU', 'en-CA', 'en-GB', 'en-IN', 'en-IE', 'en-NZ', 'en-PH', 'en-ZA', 'en-US'] as const),
  ...(['es-ES', 'es-US', 'fr-CA', 'fr-FR', 'it-IT'] as const),
] as const;

/** `<Pay>` asks for the data of a payment. @see https://www.twilio.com/docs/voice/twiml/pay */
export const pay = element({
  key: 'Pay',
  docs: 'pay',
  support: 'refused',
  refusal: 64004,
  attributes: {
    input: attr.oneOf(['dtmf'], { default: 'dtmf', invalid: SCHEMA }),
    action: attr.url({ invalid: 64016 }), // absent: the current document's URL
    bankAccountType: attr.oneOf(
      ['consumer-checking', 'consumer-savings', 'commercial-checking', 'commercial-savings'],
      { default: 'consumer-checking', invalid: SCHEMA },
    ),
    ...statusCallbacks(),
    timeout: attr.seconds({ default: 5_000, invalid: SCHEMA, min: 1 }),
    maxAttempts: attr.integer({ default: 1, invalid: SCHEMA, min: 1, max: 3 }),
    securityCode: flag(true),
    postalCode: attr.text({ default: 'true', invalid: SCHEMA }), // true, false, or the code itself
    minPostalCodeLength: attr.integer({ default: undefined, invalid: SCHEMA }),
    paymentConnector: attr.text({ default: 'Default', invalid: 64004 }, /\S/, 'the name of a connector'),
    paymentMethod: attr.oneOf(['ach-debit', 'credit-card'], { default: 'credit-card', invalid: SCHEMA }),
    tokenType: attr.oneOf(['one-time', 'reusable', 'payment-method'], {
      default: 'reusable',
      invalid: SCHEMA,
    }),
    chargeAmount: attr.text(
      { default: undefined, invalid: 64003 },
      /^\s*0*(?:\d{1,6}(?:\.\d+)?|1000000(?:\.0+)?)\s*$/,
      'an amount from 0.00 to 1000000.00, without a currency sign',
    ),
    currency: attr.text(
      { default: 'usd', invalid: SCHEMA },
      /^\s*[A-Za-z]{3}\s*$/,
      'an ISO 4217 code such as usd',
    ),
    description: anyText(),
    validCardTypes: attr.listOf(CARDS, { default: ['visa', 'mastercard', 'amex'], invalid: SCHEMA }),
    language: attr.oneOf(LANGUAGES, { default: 'en-US', invalid: SCHEMA }),
  },
  children: ['Parameter', 'Prompt'],
  validate(written, values, context) {
    const type = written.attributes.get('bankAccountType');
    if (!type || values.paymentMethod === 'ach-debit') return;
    const message = 'bankAccountType goes with paymentMethod="ach-debit" only; it is ignored.';
    reportAt(context, 64017, type.position, message, {
      actual: type.value,
      expected: 'paymentMethod="ach-debit"',
    });
  },
});

/** `<Prompt>`: what `<Pay>` says at one of its steps. @see https://www.twilio.com/docs/voice/twiml/pay/prompt */
export const prompt = element({
  key: 'Prompt',
  docs: 'pay/prompt',
  support: 'refused',
  refusal: 12200, // by itself
  attributes: {
    for: attr.oneOf(
      [
        'payment-card-number',
        'expiration-date',
        'security-code',
        'postal-code',
        'payment-processing',
        'bank-account-number',
        'bank-routing-number',
      ],
      { default: undefined, invalid: SCHEMA },
    ),
    errorType: attr.listOf(
      [
        'timeout',
        'invalid-card-number',
        'invalid-card-type',
        'invalid-date',
        'invalid-security-code',
        'internal-error',
        'input-matching-failed',
      ],
      { default: [], invalid: SCHEMA },
    ),
    cardType: attr.listOf(CARDS, { default: [], invalid: SCHEMA }),
    attempt: attr.text(
      { default: undefined, invalid: SCHEMA },
      /^\s*\d+(?:\s+\d+)*\s*$/,
      'numbers separated by spaces',
    ),
    requireMatchingInputs: flag(false),
  },
  children: ['Say', 'Play', 'Pause'],
});

/** `<Pay>`, `<Prompt>` and what may stand in them. */
export const payFamily = familyOf([pay, prompt, parameter, say, play, pause]);
