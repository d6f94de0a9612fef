import { isElement, type TwimlElement } from '../document/element.ts';
import { SPEECH } from '../grammar/ssml.ts';
import { type Body, type ReadContext, reportAt } from './define-verb.ts';

/** A stretch of what a Say says. */
export type Utterance = { readonly text: string } | { readonly pauseMs: number };

/** Amazon Polly's reading of SSML 1.1 breaks, which Twilio documents; our choice of lengths where it gives none. */
const STRENGTHS: ReadonlyMap<string, number> = new Map([
  ['none', 0],
  ['x-weak', 0],
  ['weak', 250],
  ['medium', 250],
  ['strong', 500],
  ['x-strong', 1_000],
]);

const LONGEST_BREAK_MS = 10_000; // Polly's limit

/** Elements whose text is spoken, while what they ask of the voice is not available. */
const PLAIN = new Set(['emphasis', 'lang', 'phoneme', 'prosody', 'w']);

/**
 * The text of a Say as stretches of speech and silence. SSML that only a richer engine could honour is spoken
 * plainly and said so; elements that are not SSML are left out.
 *
 * @see https://www.twilio.com/docs/voice/twiml/say/text-speech#use-ssml
 */
export const ssmlBody: Body<readonly Utterance[]> = {
  children: SPEECH,
  text: { expected: 'text to speak', required: 13520 },
  read(element, context) {
    const utterances: Utterance[] = [];
    let text = '';
    const flush = () => {
      const spoken = text.replace(/\s+/g, ' ').trim();
      if (spoken !== '') utterances.push({ text: spoken });
      text = '';
    };
    const emit = {
      text(part: string) {
        text += part;
      },
      pause(pauseMs: number) {
        flush();
        if (pauseMs > 0) utterances.push({ pauseMs });
      },
    };
    flatten(element, context, emit);
    flush();
    return utterances;
  },
};

interface Emit {
  text(part: string): void;
  pause(ms: number): void;
}

function flatten(element: TwimlElement, context: ReadContext, emit: Emit): void {
  for (const child of element.children) {
    if (isElement(child)) flattenElement(child, context, emit);
    else emit.text(child.text);
  }
}

function flattenElement(element: TwimlElement, context: ReadContext, emit: Emit): void {
  const { name, position } = element;
  if (name === 'break') emit.pause(breakMs(element, context));
  else if (name === 'sub') emit.text(element.attributes.get('alias')?.value ?? plainText(element));
  else if (name === 'say-as') emit.text(sayAs(element));
  else if (name === 'p' || name === 's') {
    emit.pause(0); // a stretch of its own
    flatten(element, context, emit);
    emit.pause(STRENGTHS.get(name === 'p' ? 'strong' : 'medium') ?? 0);
  } else if (PLAIN.has(name)) {
    const message = `<${name}> has no effect with the voices installed here; its text is spoken plainly.`;
    reportAt(context, 12200, position, message, { actual: name });
    flatten(element, context, emit);
  } else {
    const message = `<${name}> is no SSML element of <Say>; it is left out.`;
    reportAt(context, 12200, position, message, { actual: name });
  }
}

function plainText(element: TwimlElement): string {
  return element.children.map((child) => (isElement(child) ? plainText(child) : child.text)).join('');
}

const SPELLED = new Set(['digits', 'characters', 'spell-out', 'verbatim', 'telephone']);

function sayAs(element: TwimlElement): string {
  const text = plainText(element);
  const wanted = element.attributes.get('interpret-as')?.value ?? '';
  return SPELLED.has(wanted) ? ` ${[...text.replace(/\s+/g, '')].join(' ')} ` : text;
}

function breakMs(element: TwimlElement, context: ReadContext): number {
  const time = element.attributes.get('time');
  if (time) {
    const match = /^\s*\+?(\d+(?:\.\d+)?|\.\d+)(ms|s)\s*$/.exec(time.value);
    if (match) return Math.min(LONGEST_BREAK_MS, Number(match[1]) * (match[2] === 's' ? 1000 : 1));
    const message = `time="${time.value}" is no duration; expected for instance 500ms or 2s; a medium break is made.`;
    reportAt(context, 12200, time.position, message, { actual: time.value, expected: '500ms or 2s' });
  }
  const strength = element.attributes.get('strength')?.value ?? 'medium';
  return STRENGTHS.get(strength) ?? STRENGTHS.get('medium') ?? 0;
}
