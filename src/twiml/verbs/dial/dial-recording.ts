import type { ActiveRecording } from '../../../leg/port.ts';
import type { TwimlElement } from '../../document/element.ts';
import type { Values } from '../attributes.ts';
import type { CallScope } from '../call-scope.ts';
import { recordingCallback } from '../recording-callback.ts';
import type { dialAttributes } from './attributes.ts';

/** As long as a call may be. @see https://www.twilio.com/docs/api/errors/32015 */
const LONGEST_MS = 14_400_000;

interface Begun {
  readonly sid: string;
  readonly url: string;
  readonly active: ActiveRecording;
}

/**
 * The recording of a `<Dial>`: of the caller's leg, whose one direction is the caller and whose other is whatever the
 * caller hears, the called party above all. Two channels when it is dual and both directions are recorded.
 *
 * @see https://www.twilio.com/docs/voice/twiml/dial#record
 */
export class DialRecording {
  readonly #values: Values<typeof dialAttributes>;
  readonly #element: TwimlElement;
  readonly #call: CallScope;
  #begun: Begun | undefined;
  #params: Readonly<Record<string, string>> | undefined;

  constructor(values: Values<typeof dialAttributes>, element: TwimlElement, call: CallScope) {
    this.#values = values;
    this.#element = element;
    this.#call = call;
  }

  /** The call begins to ring, or is being connected: starts the recording that begins then. */
  async begin(when: 'ringing' | 'answer'): Promise<void> {
    const { record, recordingTrack: track, trim } = this.#values;
    if (this.#begun || !record.startsWith(`record-from-${when}`)) return;
    const { leg, recordings, timeline } = this.#call.world;
    const channels = record.endsWith('-dual') && track === 'both' ? 2 : 1;
    const statusCallback = recordingCallback(this.#values, this.#element, this.#call);
    const { sid, url } = await recordings.begin({ source: 'DialVerb', channels, track, statusCallback });
    timeline.add({ type: 'recording-started', recording: sid });
    const active = leg.record({
      recordingSid: sid,
      silenceMs: 0,
      maxLengthMs: LONGEST_MS,
      trim: trim === 'trim-silence',
      track,
      channels,
    });
    recordings.running?.(sid, active);
    this.#begun = { sid, url, active };
  }

  /** Ends it and hands it over: what `action` is told of it; nothing when there is none. Idempotent. */
  async finish(): Promise<Readonly<Record<string, string>>> {
    this.#params ??= this.#begun ? await this.#handOver(this.#begun) : {};
    return this.#params;
  }

  async #handOver({ sid, url, active }: Begun): Promise<Readonly<Record<string, string>>> {
    active.stop();
    const end = await active.ended;
    const { reason, durationMs } = end;
    const { timeline, recordings } = this.#call.world;
    timeline.add({ type: 'recording-ended', recording: sid, reason, duration_ms: durationMs });
    await recordings.finish(sid, end);
    return {
      RecordingUrl: url,
      RecordingSid: sid,
      RecordingDuration: `${Math.round(durationMs / 1000)}`,
    };
  }
}
