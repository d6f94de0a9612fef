import type { TwimlElement } from '../document/element.ts';
import type { Attribute } from './attributes.ts';
import { attr } from './attributes.ts';
import type { CallScope } from './call-scope.ts';
import type { RecordingRequest } from './ports.ts';

type Events = readonly ('in-progress' | 'completed' | 'absent')[];

/** The attributes by which `<Record>` and `<Dial>` say who is told of a recording. */
export const recordingCallbackAttributes = (method: 13210 | 13610) =>
  ({
    recordingStatusCallback: attr.url(),
    recordingStatusCallbackMethod: attr.method({ default: 'POST', invalid: method }),
    recordingStatusCallbackEvent: attr.listOf(['in-progress', 'completed', 'absent'], {
      default: ['completed'],
      invalid: 13621,
    }),
    recordingConfigurationId: attr.text({ default: undefined, invalid: 12200, support: 'accepted' }),
  }) as const satisfies Record<string, Attribute<unknown>>;

interface RecordingCallbackValues {
  readonly recordingStatusCallback: string | undefined;
  readonly recordingStatusCallbackMethod: 'GET' | 'POST';
  readonly recordingStatusCallbackEvent: Events;
}

/** Whom the recording's desk tells. A URL that cannot be used is 13256, a warning: it is recorded all the same. */
export function recordingCallback(
  values: RecordingCallbackValues,
  element: TwimlElement,
  call: CallScope,
): RecordingRequest['statusCallback'] {
  const reference = values.recordingStatusCallback;
  if (!reference) return null;
  const position = element.attributes.get('recordingStatusCallback')?.position ?? element.position;
  const url = call.resolve(reference, position);
  if (typeof url === 'string') {
    const { recordingStatusCallbackMethod: method, recordingStatusCallbackEvent: events } = values;
    return { url, method, events };
  }
  const docs = url.docs.replace(`${url.code}`, '13256');
  call.world.report({ ...url, code: 13256, level: 'warning', docs });
  return null;
}
