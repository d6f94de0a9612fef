import { diagnose } from '../../core/error-catalogue.ts';
import { withoutSecrets } from '../../core/secrets.ts';
import { msOfSamples } from '../../media/frame.ts';
import { attr } from './attributes.ts';
import { urlBody } from './bodies.ts';
import { proceed } from './call-scope.ts';
import { defineVerb } from './define-verb.ts';
import { rounds } from './loops.ts';

/**
 * `<Play>` plays a file, or sends keys.
 *
 * A file that cannot be had is fatal for the document, as 13420 is in Twilio's dictionary.
 *
 * @see https://www.twilio.com/docs/voice/twiml/play
 */
export const play = defineVerb({
  name: 'Play',
  docs: 'https://www.twilio.com/docs/voice/twiml/play',
  attributes: {
    loop: attr.integer({ default: 1, invalid: 13410 }), // 0: until hang-up
    digits: attr.text(
      { default: undefined, invalid: 13430, notIn: ['Gather'] },
      /^[0-9A-D#*wW]+$/,
      '0-9 A-D # * with w and W for pauses',
    ),
  },
  body: urlBody,
  detail: ({ attributes, body }) => attributes.digits ?? body,
  async run({ attributes, body, element }, call, signal) {
    const { digits, loop } = attributes;
    await call.answer();
    if (digits !== undefined) {
      for (let round = 0; round < rounds(loop); round++) await call.world.leg.sendDigits(digits, signal);
      return proceed;
    }
    if (body === '') {
      const { line, column } = element.position;
      const message = `line ${line}, column ${column}: <Play> names no file; give the URL of an audio file.`;
      const diagnostic = diagnose(11100, message, { url: call.baseUrl, line, column });
      return { kind: 'failure', diagnostic };
    }
    const url = call.resolve(body, element.position);
    if (typeof url !== 'string') return { kind: 'failure', diagnostic: url };
    const clip = await call.world.audio.media(url, signal);
    if ('code' in clip) return { kind: 'failure', diagnostic: { url, ...clip } };
    const duration_ms = msOfSamples(clip.pcm.length);
    call.world.timeline.add({ type: 'media', url: withoutSecrets(url), duration_ms });
    for (let round = 0; round < rounds(loop); round++) await call.world.leg.play(clip, signal);
    return proceed;
  },
});
