import { sleep } from '../../core/clock.ts';
import type { Diagnostic } from '../../core/diagnostic.ts';
import type { AudioClip } from '../../leg/port.ts';
import { attr } from './attributes.ts';
import { type CallScope, proceed } from './call-scope.ts';
import { defineVerb, reportAt } from './define-verb.ts';
import { rounds } from './loops.ts';
import { ssmlBody, type Utterance } from './ssml.ts';

/** @see https://www.twilio.com/docs/api/errors/13521 */
const MOST_CHARACTERS = 4_096;
const MOST_POLLY_CHARACTERS = 3_000;

const VOICE = /^(?:man|woman|alice|(?:Polly|Google)\.[A-Za-z0-9.-]+)$/;
const BCP47 = /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/;

const limitOf = (voice: string) => (voice.startsWith('Polly.') ? MOST_POLLY_CHARACTERS : MOST_CHARACTERS);

/**
 * `<Say>` speaks text. Which voices and languages are installed is the speech provider's matter, which reports
 * what it replaced.
 *
 * @see https://www.twilio.com/docs/voice/twiml/say
 */
export const say = defineVerb({
  name: 'Say',
  docs: 'https://www.twilio.com/docs/voice/twiml/say',
  attributes: {
    voice: attr.text(
      { default: 'man', invalid: 13511, invalidIn: { Gather: 13321 } },
      VOICE,
      'man, woman, alice, Polly.… or Google.…',
    ),
    language: attr.text({ default: 'en-US', invalid: 13512 }, BCP47, 'a BCP 47 language tag such as en-US'),
    loop: attr.integer({ default: 1, invalid: 13510, invalidIn: { Gather: 13322 } }), // 0: until hang-up
  },
  body: ssmlBody,
  check({ attributes, body, element }, context) {
    const length = spokenText(body).length;
    if (length === 0) {
      reportAt(context, 13520, element.position, '<Say> has no text; nothing is said.');
    }
    const limit = limitOf(attributes.voice);
    if (length > limit) {
      const message = `<Say> has ${length} characters; at most ${limit} are spoken, the rest is cut off.`;
      reportAt(context, 13521, element.position, message, { actual: `${length}`, expected: `${limit}` });
    }
  },
  detail: ({ body }) => spokenText(body).slice(0, 80),
  async run({ attributes, body, element }, call, signal) {
    await call.answer();
    const { voice, language, loop } = attributes;
    const about = { url: call.baseUrl, ...element.position };
    const report = (found: Diagnostic) => call.world.report({ ...about, ...found });
    const parts = await render(cut(body, limitOf(voice)), { voice, language }, call, report, signal);
    if (parts.length === 0) return proceed;
    for (let round = 0; round < rounds(loop); round++) {
      for (const part of parts) {
        if (typeof part === 'number') await sleep(call.world.clock, part, signal);
        else await call.world.leg.play(part, signal);
      }
    }
    return proceed;
  },
});

function spokenText(body: readonly Utterance[]): string {
  let spoken = '';
  for (const part of body) {
    if ('text' in part) spoken = spoken === '' ? part.text : `${spoken} ${part.text}`;
  }
  return spoken;
}

/** The stretches up to `limit` characters of text. Our choice: the documentation only says that there is a limit. */
function cut(body: readonly Utterance[], limit: number): readonly Utterance[] {
  let left = limit;
  return body.flatMap((part): readonly Utterance[] => {
    if (!('text' in part)) return left > 0 ? [part] : [];
    const text = part.text.slice(0, left);
    left -= text.length;
    return text === '' ? [] : [{ text }];
  });
}

/** Clips and pauses in milliseconds, ready to be played in a row; each diagnostic is reported once. */
async function render(
  body: readonly Utterance[],
  voice: { readonly voice: string; readonly language: string },
  call: CallScope,
  report: (diagnostic: Diagnostic) => void,
  signal: AbortSignal,
): Promise<readonly (AudioClip | number)[]> {
  const parts: (AudioClip | number)[] = [];
  const reported = new Set<string>();
  for (const part of body) {
    if (!('text' in part)) {
      parts.push(part.pauseMs);
      continue;
    }
    const spoken = await call.world.audio.speech(part.text, voice, signal);
    parts.push(spoken.clip);
    for (const diagnostic of spoken.diagnostics) {
      if (!reported.has(diagnostic.message)) report(diagnostic);
      reported.add(diagnostic.message);
    }
  }
  return parts;
}
