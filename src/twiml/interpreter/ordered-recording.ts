import { LONGEST_CALL_MS } from '../../call/limits.ts';
import type { OrderedRecording } from '../../call/orders.ts';
import type { RecordingSource, RecordingTerms } from '../../call/record.ts';
import type { TimelineSink } from '../../call/timeline.ts';
import type { Leg } from '../../leg/port.ts';
import type { RecordingDesk } from './world.ts';

/**
 * Records a leg from now to its end, or until the API or, by its name, a `<Stop>` ends it; resolves with the recording's
 * SID once it runs.
 */
export async function startRecording(
  call: { readonly leg: Leg; readonly timeline: TimelineSink },
  desk: Pick<RecordingDesk, 'begin' | 'follow'>,
  order: OrderedRecording,
  source: RecordingSource,
  goesOn: Pick<RecordingTerms, 'name' | 'of'> = {},
): Promise<string> {
  const { channels, track, trim, callback } = order;
  const { name, of } = goesOn;
  const continued = { trim, ...(of !== undefined && { of }) };
  const { sid } = await desk.begin({ source, name, channels, track, statusCallback: callback, continued });
  call.timeline.add({ type: 'recording-started', recording: sid });
  desk.follow(
    sid,
    () =>
      call.leg.record({
        recordingSid: sid,
        silenceMs: 0,
        maxLengthMs: LONGEST_CALL_MS,
        trim,
        track,
        channels,
      }),
    ({ reason, durationMs }) =>
      call.timeline.add({ type: 'recording-ended', recording: sid, reason, duration_ms: durationMs }),
  );
  return sid;
}
