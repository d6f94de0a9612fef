import { attr } from '../verbs/attributes.ts';
import { reportAt } from '../verbs/define-verb.ts';
import { anyText, familyOf, SCHEMA } from './common.ts';
import { element } from './element-spec.ts';

/** @see https://www.twilio.com/docs/voice/twiml/enqueue */
const LONGEST_NAME = 64;
/** @see https://www.twilio.com/docs/voice/api/queue-resource */
const LARGEST_QUEUE = 5_000;

/** `<Enqueue>` lets the caller wait until somebody takes the call. */
export const enqueue = element({
  key: 'Enqueue',
  docs: 'enqueue',
  support: 'refused',
  refusal: 13750,
  attributes: {
    action: attr.url({ invalid: 14203 }), // absent: the document continues
    method: attr.method({ default: 'POST', invalid: 14201 }),
    waitUrl: attr.url({ invalid: 14202 }), // '': silence
    waitUrlMethod: attr.method({ default: 'POST', invalid: 14206 }),
    workflowSid: attr.text(
      { default: undefined, invalid: 14220 },
      /^\s*WW[0-9a-f]{32}\s*$/,
      'the SID of a workflow, WW and 32 hexadecimal digits',
    ),
    maxQueueSize: attr.integer({ default: 1_000, invalid: SCHEMA, min: 1, max: LARGEST_QUEUE }),
  },
  children: ['Task'],
  text: { expected: 'the name of a queue', most: LONGEST_NAME, tooLong: 14205 },
  validate(written, _values, context) {
    // A workflow whose SID cannot be used was named all the same: 14220 alone says what to mend.
    if (written.attributes.has('workflowSid') || textIn(written).trim() !== '') return;
    const message = '<Enqueue> names no queue; put its name between the tags.';
    reportAt(context, 14204, written.position, message, { expected: 'the name of a queue' });
  },
});

/** What a TaskRouter task is made of, as JSON. @see https://www.twilio.com/docs/taskrouter/twiml-queue-calls */
export const task = element({
  key: 'Task',
  docs: 'enqueue#task',
  support: 'refused',
  refusal: 14226,
  attributes: {
    priority: attr.integer({ default: undefined, invalid: SCHEMA }),
    timeout: attr.seconds({ default: undefined, invalid: SCHEMA }),
  },
  text: { expected: 'a JSON object' },
  validate(written, _values, context) {
    const text = textIn(written);
    if (text.trim() === '' || isJsonObject(text)) return;
    const message = 'the text of <Task> is no JSON object; the call would get no task.';
    reportAt(context, 14221, written.position, message, {
      actual: text.slice(0, 100),
      expected: 'a JSON object',
    });
  },
});

/** `<Queue>` takes the next call of a queue. At the top of a document it is what it is in `<Dial>`. */
export const queue = element({
  key: 'Queue',
  docs: 'queue',
  support: 'refused',
  refusal: 13750,
  attributes: {
    url: attr.url({ invalid: 14211 }),
    method: attr.method({ default: 'POST', invalid: 14210 }),
    reservationSid: attr.text(
      { default: undefined, invalid: 14215 },
      /^\s*WR[0-9a-f]{32}\s*$/,
      'the SID of a reservation, WR and 32 hexadecimal digits',
    ),
    postWorkActivitySid: anyText(),
  },
  text: { expected: 'the name of a queue', most: LONGEST_NAME, tooLong: 14213 },
  validate(written, { reservationSid }, context) {
    if (reservationSid !== undefined || textIn(written).trim() !== '') return;
    const message = '<Queue> names no queue; put its name between the tags.';
    reportAt(context, 14212, written.position, message, { expected: 'the name of a queue' });
  },
});

/** `<Leave>` takes the call out of its queue. */
export const leave = element({ key: 'Leave', docs: 'leave' });

const textIn = (written: Parameters<NonNullable<typeof queue.validate>>[0]) =>
  written.children.map((child) => ('text' in child ? child.text : '')).join('');

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** `<Enqueue>` and what may stand in it. */
export const enqueueFamily = familyOf([enqueue, task]);
