import { link } from '../../core/abort.ts';
import type { ActiveRecording, AudioClip, DtmfKey, RecordingEnd } from '../../leg/port.ts';
import { recordBeep } from '../../media/tones.ts';
import type { TwimlElement } from '../document/element.ts';
import { attr, type Values } from './attributes.ts';
import { noBody } from './bodies.ts';
import { type CallScope, type Outcome, proceed, transfer } from './call-scope.ts';
import { defineVerb, reportAt } from './define-verb.ts';
import { recordingCallback, recordingCallbackAttributes } from './recording-callback.ts';
import {
  isTooLong,
  LONGEST_TRANSCRIBED_MS,
  transcriptionOrder,
  wantsTranscription,
} from './transcription-order.ts';

/** @see https://www.twilio.com/docs/voice/twiml/record#maxlength */
const LONGEST_MS = 3_600_000;

const attributes = {
  action: attr.url(), // absent: the current document's URL
  method: attr.method({ default: 'POST', invalid: 13610 }),
  timeout: attr.seconds({ default: 5_000, invalid: 13611 }), // 0: silence never ends it
  finishOnKey: attr.keys({ default: '1234567890*#', invalid: 13613, most: Number.POSITIVE_INFINITY }),
  maxLength: attr.seconds({ default: undefined, invalid: 13612, min: 2, max: 14_400 }),
  playBeep: attr.boolean({ default: true, invalid: 13616 }),
  trim: attr.oneOf(['trim-silence', 'do-not-trim'], { default: 'trim-silence', invalid: 13699 }),
  ...recordingCallbackAttributes(13610),
  transcribe: attr.boolean({ default: false, invalid: 13614 }),
  transcribeCallback: attr.url(),
} as const;

/**
 * `<Record>` records the caller and hands the recording to `action`.
 *
 * It ends with silence, one of the finishing keys, its greatest length or the caller's hang-up. The action is
 * always requested, after a hang-up too (`Digits=hangup`, the answer is ignored), so verbs behind it are never
 * reached. Its transcription is made, and told to `transcribeCallback`, while the call goes on; a longer recording than can
 * be transcribed, or one where nobody can, is made without it, which is reported.
 *
 * @see https://www.twilio.com/docs/voice/twiml/record
 */
export const record = defineVerb({
  name: 'Record',
  docs: 'https://www.twilio.com/docs/voice/twiml/record',
  attributes,
  body: noBody(),
  check({ attributes: values, element }, context) {
    if (!wantsTranscription(values) || !isTooLong(values)) return;
    const written = element.attributes.get('maxLength');
    const message = 'at most 120 s can be transcribed; the recording is made without a transcription.';
    const details = { actual: written?.value ?? '', expected: 'at most 120' };
    reportAt(context, 13615, written?.position ?? element.position, message, details);
  },
  async run({ attributes: values, element }, call, signal) {
    await call.answer();
    if (values.playBeep) await call.world.leg.play(beep(), signal);
    const { sid, url } = await call.world.recordings.begin({
      statusCallback: recordingCallback(values, element, call),
      transcription: transcriptionOrder(values, element, call),
    });
    call.world.timeline.add({ type: 'recording-started', recording: sid });
    const recording = call.world.leg.record({
      recordingSid: sid,
      silenceMs: values.timeout,
      maxLengthMs: values.maxLength ?? (wantsTranscription(values) ? LONGEST_TRANSCRIBED_MS : LONGEST_MS),
      trim: values.trim === 'trim-silence',
    });
    call.world.recordings.running?.(sid, recording);
    const { end, key } = await untilEnded(recording, values.finishOnKey, call, signal);
    const { reason, durationMs } = end;
    call.world.timeline.add({ type: 'recording-ended', recording: sid, reason, duration_ms: durationMs });
    await call.world.recordings.finish(sid, end);
    const skips = call.world.choices.emptyRecording === 'continue';
    if (skips && end.silent && reason !== 'hangup' && key === undefined) return proceed;
    return handOver(values, element, call, signal, {
      RecordingUrl: url,
      ...(call.world.choices.undocumentedParameters === 'send' && { RecordingSid: sid }),
      RecordingDuration: `${Math.round(durationMs / 1000)}`,
      ...(reason === 'hangup' ? { Digits: 'hangup' } : key !== undefined && { Digits: key }),
    });
  },
});

/** The action with what was recorded; after a hang-up its answer has nobody left to hear it. */
async function handOver(
  values: Values<typeof attributes>,
  element: TwimlElement,
  call: CallScope,
  signal: AbortSignal,
  params: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const outcome = transfer(call, values.action, element.position, values.method, params);
  if (params['Digits'] === 'hangup') {
    if (outcome.kind === 'redirect') await call.notify(outcome.request);
    if (outcome.kind === 'failure') call.world.report(outcome.diagnostic);
  }
  signal.throwIfAborted();
  return outcome;
}

let beepClip: AudioClip | undefined;

function beep(): AudioClip {
  beepClip ??= { id: 'beep', pcm: recordBeep() };
  return beepClip;
}

/** Waits for the recording's end, bringing it about when a finishing key arrives: that key. */
async function untilEnded(
  recording: ActiveRecording,
  finishing: readonly DtmfKey[],
  call: CallScope,
  signal: AbortSignal,
): Promise<{ readonly end: RecordingEnd; readonly key: DtmfKey | undefined }> {
  using keys = call.world.leg.keys();
  using listening = link(signal);
  let finishedOn: DtmfKey | undefined;
  const watch = async () => {
    while (finishedOn === undefined) {
      const key = await keys.next(listening.signal);
      call.world.timeline.add({ type: 'dtmf', digit: key });
      if (finishing.includes(key)) finishedOn = key;
    }
  };
  // Whatever ends the watching ends the recording: a key, a hang-up, the recording itself.
  const watched = watch().then(
    () => recording.stop(),
    () => recording.stop(),
  );
  const end = await recording.ended;
  listening.abort();
  await watched;
  return { end, key: end.reason === 'stopped' ? finishedOn : undefined };
}
