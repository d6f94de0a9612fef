import type { Position, TwimlElement } from '../document/element.ts';
import { bodyOf, isTemplate } from './element-text.ts';

/** A URL as a document writes it. */
export interface WrittenUrl {
  readonly element: TwimlElement;
  /** Undefined: it stands between the tags. */
  readonly attribute: string | undefined;
  /** Without white space around it; never empty. */
  readonly value: string;
  readonly position: Position;
  /** What is asked there: the application, audio, or a WebSocket. */
  readonly use: 'application' | 'media' | 'socket';
}

/** Attributes that hold a URL wherever they are allowed. @see https://www.twilio.com/docs/voice/twiml */
const ATTRIBUTES: ReadonlyMap<string, WrittenUrl['use']> = new Map([
  ['action', 'application'],
  ['url', 'application'],
  ['referUrl', 'application'],
  ['statusCallback', 'application'],
  ['statusCallbackUrl', 'application'],
  ['recordingStatusCallback', 'application'],
  ['transcribeCallback', 'application'],
  ['partialResultCallback', 'application'],
  ['amdStatusCallback', 'application'],
  ['eventCallbackUrl', 'application'],
  ['clientNotificationUrl', 'application'],
  ['waitUrl', 'media'],
]);

/** Their `url` is one of a WebSocket. */
const SOCKETS: readonly string[] = ['Stream', 'ConversationRelay', 'Assistant'];

/** Verbs that hold a URL between their tags. */
const BODIES: ReadonlyMap<string, WrittenUrl['use']> = new Map([
  ['Redirect', 'application'],
  ['Play', 'media'],
]);

/** The URLs of elements, in document order. */
export function urlsIn(elements: readonly TwimlElement[]): readonly WrittenUrl[] {
  const found: WrittenUrl[] = [];
  const add = (url: WrittenUrl) => {
    if (url.value !== '' && !isTemplate(url.value)) found.push(url);
  };
  for (const element of elements) {
    if (element.attributes.size > 0) addAttributes(element, add);
    const use = BODIES.get(element.name);
    if (use === undefined) continue;
    const { text, position } = bodyOf(element);
    add({ element, attribute: undefined, value: text, position, use });
  }
  return found;
}

function addAttributes(element: TwimlElement, add: (url: WrittenUrl) => void): void {
  for (const [attribute, { value, position }] of element.attributes) {
    const use = ATTRIBUTES.get(attribute);
    if (use === undefined) continue;
    const socket = attribute === 'url' && SOCKETS.includes(element.name);
    add({ element, attribute, value: value.trim(), position, use: socket ? 'socket' : use });
  }
}

/** How a URL is named to people: by its attribute, or by its element. */
export function nameOf({ element, attribute }: Pick<WrittenUrl, 'element' | 'attribute'>): string {
  return attribute === undefined ? `the URL in <${element.name}>` : `${attribute} of <${element.name}>`;
}

/** RFC 3986 §3.1. */
export function hasScheme(value: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:/.test(value);
}

/** Ends of host names that people write without a scheme. Not all there are: a file's ending must not be one. */
const HOST = /^(?:www\.[a-z0-9-]+\.|(?:[a-z0-9-]+\.)+(?:com|net|org|io|dev|app|co|ai|cloud)(?::\d+)?\/)/i;

/** Claims that a URL without scheme is meant to begin with a host: `www.example.com`, `api.example.com/voice`. */
export function lacksScheme(value: string): boolean {
  return HOST.test(value);
}
