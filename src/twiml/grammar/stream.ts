import type { TwimlElement } from '../document/element.ts';
import { attr, type Values } from '../verbs/attributes.ts';
import { type ReadContext, reportAt } from '../verbs/define-verb.ts';
import { anyText, SCHEMA, statusCallbacks } from './common.ts';
import { element } from './element-spec.ts';

/** Of a stream's parameter, name and value together. @see https://www.twilio.com/docs/voice/twiml/stream#custom-parameters */
const LONGEST_PARAMETER = 500;

/** What a call is streamed to. A URL is one over TLS. @see https://www.twilio.com/docs/voice/twiml/stream */
const attributes = {
  url: attr.text(
    { default: undefined, invalid: 31922 },
    /^\s*wss:\/\/[^\s/?#]+\S*\s*$/,
    'a URL that begins with wss://',
  ),
  name: anyText(), // absent: the SID of the stream
  connectorName: attr.text({ default: undefined, invalid: 31940 }, /\S/, 'the name of a connector'),
  ...statusCallbacks(),
} as const;

/** A stream has a URL, or a connector that knows one; the URL has no query and parameters are short. */
function validate(
  written: TwimlElement,
  { url, connectorName }: Values<typeof attributes>,
  context: ReadContext,
): void {
  const at = written.attributes.get('url');
  if (!at && connectorName === undefined) {
    const message = '<Stream> has no url; give it one that begins with wss://.';
    reportAt(context, 31923, written.position, message, { expected: 'url="wss://…"' });
  }
  if (at && url?.includes('?')) {
    const message = 'the url of a <Stream> takes no query; its parameters get lost; use <Parameter>.';
    reportAt(context, 31923, at.position, message, { actual: url.slice(0, 100), expected: '<Parameter>' });
  }
  for (const child of written.children) {
    if (!('name' in child) || child.name !== 'Parameter') continue;
    const length = ['name', 'value'].reduce(
      (sum, key) => sum + (child.attributes.get(key)?.value.length ?? 0),
      0,
    );
    if (length <= LONGEST_PARAMETER) continue;
    const message = `this <Parameter> has ${length} characters; name and value may have ${LONGEST_PARAMETER} together.`;
    reportAt(context, SCHEMA, child.position, message, {
      actual: `${length}`,
      expected: `${LONGEST_PARAMETER}`,
    });
  }
}

/** `<Start><Stream>` copies the call's audio and lets it go on. */
export const startStream = element({
  key: 'Stream',
  docs: 'stream',
  support: 'refused',
  refusal: 13750,
  attributes: {
    ...attributes,
    track: attr.oneOf(['inbound_track', 'outbound_track', 'both_tracks'], {
      default: 'inbound_track',
      invalid: 31941,
    }),
  },
  children: ['Parameter'],
  validate,
});

/** `<Connect><Stream>` talks both ways, and hears the caller alone. */
export const connectStream = element({
  key: 'Connect>Stream',
  docs: 'stream#bi-directional-media-streams',
  support: 'refused',
  refusal: 13750,
  attributes: {
    ...attributes,
    track: attr.oneOf(['inbound_track'], { default: 'inbound_track', invalid: 31941 }),
  },
  children: ['Parameter'],
  validate,
});
