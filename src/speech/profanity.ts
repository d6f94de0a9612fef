/**
 * English words that are masked in what was recognised, with their usual endings. Our choice: the few that hardly
 * anybody would read out; a provider with a better list of its own applies that instead.
 */
const STEMS = [
  'fuck',
  'motherfuck',
  'shit',
  'bullshit',
  'cunt',
  'bitch',
  'asshole',
  'bastard',
  'dick',
  'damn',
];

const WORDS = new RegExp(`\\b(?:${STEMS.join('|')})(?:s|ed|er|ers|ing|t?y)?\\b`, 'gi');

/**
 * Keeps the first letter of each word that offends and puts `*` for the others.
 * @see https://www.twilio.com/docs/voice/twiml/gather#profanityfilter
 */
export function maskProfanity(text: string): string {
  return text.replaceAll(WORDS, (word) => word.slice(0, 1) + '*'.repeat(word.length - 1));
}
