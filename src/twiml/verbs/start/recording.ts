import type { TwimlElement } from '../../document/element.ts';
import type { startRecording as spec } from '../../grammar/start.ts';
import type { Values } from '../attributes.ts';
import type { CallScope } from '../call-scope.ts';
import { recordingCallback } from '../recording-callback.ts';
import { unavailable } from '../unavailable.ts';

/** As long as a call may be. @see https://www.twilio.com/docs/api/errors/32015 */
const LONGEST_MS = 14_400_000;

/** Our choice: recordings that may run beside each other in one call. A loop must not start them without end. */
const MOST_AT_ONCE = 10;

/**
 * Starts recording the call, beside the verbs that follow: whatever is said, heard and connected, until it is stopped
 * by name or through the API, or the call is over. A name that is taken, or one recording too many, is 16108: nothing is
 * recorded and the call goes on (our choice; Twilio says only that names are unique).
 *
 * @see https://www.twilio.com/docs/voice/twiml/recording
 */
export async function startRecording(
  values: Values<typeof spec.attributes>,
  element: TwimlElement,
  call: CallScope,
): Promise<void> {
  const { leg, recordings, timeline } = call.world;
  const name = values.name || undefined;
  const refused = whyNot(name, call);
  if (refused) return call.world.report(unavailable(16108, element, call, refused));
  const { track } = values;
  const channels = values.channels === 'dual' && track === 'both' ? 2 : 1; // one track is always mono
  const trim = values.trim === 'trim-silence';
  const { sid } = await recordings.begin({
    source: 'StartCallRecordingTwiML',
    name,
    channels,
    track,
    statusCallback: recordingCallback(values, element, call),
    continued: { trim },
  });
  timeline.add({ type: 'recording-started', recording: sid });
  recordings.follow(
    sid,
    () => leg.record({ recordingSid: sid, silenceMs: 0, maxLengthMs: LONGEST_MS, trim, track, channels }),
    ({ reason, durationMs }) =>
      timeline.add({ type: 'recording-ended', recording: sid, reason, duration_ms: durationMs }),
  );
}

function whyNot(name: string | undefined, { world: { recordings } }: CallScope): string | undefined {
  const running = recordings.followed;
  if (name !== undefined && running.some((other) => other.name === name)) {
    return `a recording "${name.slice(0, 100)}" of this call runs already; stop it first or choose another name.`;
  }
  if (running.length < MOST_AT_ONCE) return undefined;
  return `${MOST_AT_ONCE} recordings of this call run already; stop one of them first.`;
}
