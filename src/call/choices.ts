import { z } from 'zod';

const oneOf = <const T extends readonly [string, ...string[]]>(
  values: T,
  standard: T[number],
  about: string,
) => z.enum(values).default(standard).describe(about);

const number = (standard: number, most: number, about: string) =>
  z.number().int().min(0).max(most).default(standard).describe(about);

/**
 * What Twilio leaves open, decided: one named setting each, the standard value first in its description. Live they
 * come from the environment (`variableOf`), in a fixture from `choices:` of its scenario.
 */
export const twimlChoices = z.strictObject({
  declined: oneOf(
    ['busy', 'no-answer'],
    'busy',
    'What 603 Decline from a called party means (DialCallStatus).',
  ),
  requestTimeout: oneOf(
    ['as-it-rang', 'no-answer', 'failed'],
    'as-it-rang',
    'What 408 from a called party means: no-answer when it rang before and failed when it did not, or always one of them.',
  ),
  screenedOut: oneOf(
    ['completed', 'no-answer'],
    'completed',
    'DialCallStatus of a party whose screening document hung up; DialBridged is false either way.',
  ),
  dialHangup: oneOf(
    ['tell', 'skip'],
    'tell',
    'When the caller hangs up during <Dial>: action is requested and its answer ignored, or it is not requested.',
  ),
  dialBufferMs: number(
    0,
    60_000,
    'Added to the timeout of <Dial>, in ms; the hosted service adds about 5000.',
  ),
  emptyRecording: oneOf(
    ['action', 'continue'],
    'action',
    'After a <Record> in which nothing was said: action is requested, or the next verb follows.',
  ),
  silentDocuments: number(
    100,
    1_000_000,
    'Documents that may follow each other while the caller hears and waits for nothing; one more ends the call (11215). 0: no limit.',
  ),
  undocumentedParameters: oneOf(
    ['send', 'omit'],
    'send',
    'Parameters that the hosted service sends and does not document: FinishedOnKey and msg of <Gather>, RecordingSid of <Record>, StableSpeechResult.',
  ),
  redirectMethod: oneOf(
    ['get', 'same'],
    'get',
    'After a 301, 302 or 303 from a webhook: the new address is asked with GET and without the form, or as before.',
  ),
  signedPort: oneOf(
    ['keep', 'drop'],
    'keep',
    'Whether X-Twilio-Signature covers the port that a webhook URL names; the official validators accept both.',
  ),
});

export type TwimlChoices = Readonly<z.infer<typeof twimlChoices>>;

export const STANDARD_CHOICES: TwimlChoices = twimlChoices.parse({});

/** The environment variable of a choice: `dialBufferMs` is TRUNKLINE_TWIML_DIAL_BUFFER_MS. */
export function variableOf(choice: string): string {
  return `TRUNKLINE_TWIML_${choice.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
