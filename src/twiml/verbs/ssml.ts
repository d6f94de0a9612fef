import { isElement, type TwimlElement } from '../document/element.ts';
import type { ElementSpec } from '../grammar/element-spec.ts';
import { breakSpec, SPEECH, sayAs, ssml, sub } from '../grammar/ssml.ts';
import { reportChild, reportChildren, reportText } from './bodies.ts';
import { type Body, inside, type ReadContext, readAttributes, reportAt } from './define-verb.ts';

/** A stretch of what a Say says. */
export type Utterance = { readonly text: string } | { readonly pauseMs: number };

/** Amazon Polly's reading of SSML 1.1 breaks, which Twilio documents; our choice of lengths where it gives none. */
const STRENGTHS = {
  none: 0,
  'x-weak': 0,
  weak: 250,
  medium: 250,
  strong: 500,
  'x-strong': 1_000,
} as const;

const LONGEST_BREAK_MS = 10_000; // Polly's limit

/** All SSML elements by name. */
const SPECS: ReadonlyMap<string, ElementSpec> = new Map(ssml.map((spec) => [spec.name, spec]));

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
    flatten(element, SPEECH, context, emit);
    flush();
    return utterances;
  },
};

interface Emit {
  text(part: string): void;
  pause(ms: number): void;
}

function flatten(element: TwimlElement, allowed: readonly string[], context: ReadContext, emit: Emit): void {
  let inner: ReadContext | undefined;
  for (const child of element.children) {
    if (!isElement(child)) {
      emit.text(child.text);
      continue;
    }
    const spec = SPECS.get(child.name);
    if (!allowed.includes(child.name)) reportStray(child, element, allowed, spec !== undefined, context);
    inner ??= inside(element, context);
    if (spec) flattenElement(child, spec, inner, emit);
  }
}

/** Of an element that may not stand here: SSML is spoken all the same (our choice), anything else is left out. */
function reportStray(
  child: TwimlElement,
  parent: TwimlElement,
  allowed: readonly string[],
  spoken: boolean,
  context: ReadContext,
): void {
  if (!spoken) return reportChild(child, parent, context, allowed, 12200);
  const message = `<${child.name}> is not allowed inside <${parent.name}>; what it says is spoken all the same.`;
  reportAt(context, 12200, child.position, message, { actual: child.name, expected: allowed.join(', ') });
}

function flattenElement(element: TwimlElement, spec: ElementSpec, context: ReadContext, emit: Emit): void {
  const { name, position } = element;
  if (name === 'break') return emit.pause(breakMs(element, context));
  if (name === 'sub') {
    const { alias } = readAttributes(sub.attributes, element, context);
    const text = textIn(element, spec, context);
    return emit.text(alias ?? text);
  }
  if (name === 'say-as') return emit.text(spelled(element, context));
  readAttributes(spec.attributes, element, context);
  if (name === 'p' || name === 's') {
    emit.pause(0); // a stretch of its own
    flatten(element, spec.children, context, emit);
    return emit.pause(STRENGTHS[name === 'p' ? 'strong' : 'medium']);
  }
  const message = `<${name}> has no effect with the voices installed here; its text is spoken plainly.`;
  reportAt(context, 12200, position, message, { actual: name, notHere: true });
  flatten(element, spec.children, context, emit);
}

/** The text of an element in which none may stand; those that do are reported and spoken. */
function textIn(element: TwimlElement, spec: ElementSpec, context: ReadContext): string {
  let text = '';
  flatten(element, spec.children, context, { text: (part) => (text += part), pause: () => {} });
  return text;
}

const SPELLED = new Set(['digits', 'characters', 'spell-out', 'verbatim', 'telephone']);

function spelled(element: TwimlElement, context: ReadContext): string {
  const { 'interpret-as': wanted = '' } = readAttributes(sayAs.attributes, element, context);
  const text = textIn(element, sayAs, context);
  return SPELLED.has(wanted) ? ` ${[...text.replace(/\s+/g, '')].join(' ')} ` : text;
}

const DURATION = /^\s*\+?(\d+(?:\.\d+)?|\.\d+)(ms|s)\s*$/;

function breakMs(element: TwimlElement, context: ReadContext): number {
  const { strength, time } = readAttributes(breakSpec.attributes, element, context);
  reportText(element, context);
  reportChildren(element, context);
  const [, length, unit] = DURATION.exec(time ?? '') ?? [];
  if (length === undefined) return STRENGTHS[strength];
  return Math.min(LONGEST_BREAK_MS, Number(length) * (unit === 's' ? 1000 : 1));
}
