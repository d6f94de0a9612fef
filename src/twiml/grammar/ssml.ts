import { attr } from '../verbs/attributes.ts';
import { LANGUAGE, LANGUAGE_TAG, SCHEMA } from './common.ts';
import { element } from './element-spec.ts';

const DOCS = 'say/text-speech#ssml';
const text = { expected: 'text to speak' } as const;
/** What the voices installed here cannot do: the text is spoken plainly. */
const plain = { support: 'accepted' } as const;

/** Elements inside a phrase. */
const PHRASE = ['break', 'emphasis', 'lang', 'phoneme', 'prosody', 'say-as', 'sub', 'w'] as const;
const ANY = [...PHRASE, 'p', 's'] as const;

/** What may stand directly in a `<Say>`. @see https://www.twilio.com/docs/voice/twiml/say/text-speech#use-ssml */
export const SPEECH = ANY;

const STRENGTHS = ['none', 'x-weak', 'weak', 'medium', 'strong', 'x-strong'] as const;

const SIGNED_PERCENT = '[+-]?\\d+(?:\\.\\d+)?%';

/** A pause. */
export const breakSpec = element({
  key: 'break',
  docs: DOCS,
  attributes: {
    strength: attr.oneOf(STRENGTHS, { default: 'medium', invalid: SCHEMA }),
    time: attr.text(
      { default: undefined, invalid: SCHEMA },
      /^\s*\+?(?:\d+(?:\.\d+)?|\.\d+)(?:ms|s)\s*$/,
      'a duration such as 500ms or 2s',
    ),
  },
});

const emphasis = element({
  key: 'emphasis',
  docs: DOCS,
  ...plain,
  attributes: {
    level: attr.oneOf(['strong', 'moderate', 'reduced', 'none'], {
      default: 'moderate',
      invalid: SCHEMA,
      ...plain,
    }),
  },
  children: PHRASE,
  text,
});

const lang = element({
  key: 'lang',
  docs: DOCS,
  ...plain,
  attributes: {
    'xml:lang': attr.text(
      { default: undefined, invalid: SCHEMA, required: SCHEMA, ...plain },
      LANGUAGE_TAG,
      LANGUAGE,
    ),
  },
  children: ANY,
  text,
});

const paragraph = element({ key: 'p', docs: DOCS, children: [...PHRASE, 's'], text });

const sentence = element({ key: 's', docs: DOCS, children: PHRASE, text });

const phoneme = element({
  key: 'phoneme',
  docs: DOCS,
  ...plain,
  attributes: {
    alphabet: attr.oneOf(
      ['ipa', 'x-sampa', 'x-amazon-jyutping', 'x-amazon-pinyin', 'x-amazon-pron-kana', 'x-amazon-yomigana'],
      { default: 'ipa', invalid: SCHEMA, ...plain },
    ),
    ph: attr.text(
      { default: undefined, invalid: SCHEMA, required: SCHEMA, ...plain },
      /\S/,
      'symbols of the alphabet',
    ),
  },
  text,
});

const prosody = element({
  key: 'prosody',
  docs: DOCS,
  ...plain,
  attributes: {
    pitch: attr.text(
      { default: undefined, invalid: SCHEMA, ...plain },
      new RegExp(
        `^\\s*(?:default|x-low|low|medium|high|x-high|${SIGNED_PERCENT}|[+-]?\\d+(?:\\.\\d+)?(?:Hz|st))\\s*$`,
      ),
      'default, x-low, low, medium, high, x-high, or a change such as +5%',
    ),
    rate: attr.text(
      { default: undefined, invalid: 13513, ...plain },
      new RegExp(`^\\s*(?:default|x-slow|slow|medium|fast|x-fast|${SIGNED_PERCENT}|\\d*\\.?\\d+)\\s*$`),
      'default, x-slow, slow, medium, fast, x-fast, or a percentage such as 80%',
    ),
    volume: attr.text(
      { default: undefined, invalid: SCHEMA, ...plain },
      /^\s*(?:default|silent|x-soft|soft|medium|loud|x-loud|[+-]?\d+(?:\.\d+)?(?:dB|%)?)\s*$/,
      'default, silent, x-soft, soft, medium, loud, x-loud, or a change such as +6dB',
    ),
  },
  children: ANY,
  text,
});

/** How something is read, such as digits. */
export const sayAs = element({
  key: 'say-as',
  docs: DOCS,
  attributes: {
    'interpret-as': attr.oneOf(
      [
        'characters',
        'spell-out',
        'cardinal',
        'number',
        'ordinal',
        'digits',
        'fraction',
        'unit',
        'date',
        'time',
        'address',
        'expletive',
        'telephone',
        'verbatim',
      ],
      { default: undefined, invalid: SCHEMA, required: SCHEMA },
    ),
    format: attr.oneOf(['mdy', 'dmy', 'ymd', 'md', 'dm', 'ym', 'my', 'd', 'm', 'y', 'yyyymmdd'], {
      default: undefined,
      invalid: SCHEMA,
      ...plain,
    }),
  },
  text,
});

/** Spoken in place of its text. */
export const sub = element({
  key: 'sub',
  docs: DOCS,
  attributes: { alias: attr.text({ default: undefined, invalid: SCHEMA, required: SCHEMA }) },
  text,
});

const word = element({
  key: 'w',
  docs: DOCS,
  ...plain,
  attributes: { role: attr.text({ default: undefined, invalid: SCHEMA, ...plain }) },
  children: ['break', 'emphasis', 'phoneme', 'prosody', 'say-as', 'sub'],
  text,
});

/** SSML as Twilio takes it. @see https://www.w3.org/TR/speech-synthesis11/ */
export const ssml = [
  breakSpec,
  emphasis,
  lang,
  paragraph,
  sentence,
  phoneme,
  prosody,
  sayAs,
  sub,
  word,
] as const;
