import type { TimelineEntry, TimelineEvent, TimelineSink } from '../call/timeline.ts';
import type { Transcription, TranscriptionOrder } from '../call/transcription.ts';
import type { Clock } from '../core/clock.ts';
import { isoMs } from '../core/dates.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { RecordingEnd } from '../leg/port.ts';
import type { RecordingRequest } from '../twiml/interpreter/world.ts';

/** A recording as a fixture's world keeps it. */
export interface KeptRecording {
  readonly sid: string;
  readonly source?: RecordingRequest['source'];
  readonly channels?: RecordingRequest['channels'];
  readonly track?: RecordingRequest['track'];
  readonly name?: RecordingRequest['name'];
  readonly callback: RecordingRequest['statusCallback'];
  end: RecordingEnd | undefined;
}

/** Everything a replayed call leaves behind. */
export class Chronicle implements TimelineSink {
  readonly timeline: TimelineEvent[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly recordings: KeptRecording[] = [];
  readonly transcriptions: (Omit<Transcription, 'recordingUrl'> & TranscriptionOrder)[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(entry: TimelineEntry): void {
    this.timeline.push({ at: isoMs(this.#clock.now()), ...entry });
  }

  report(diagnostic: Diagnostic): void {
    this.diagnostics.push(diagnostic);
    const { code, level, message, url, line, column } = diagnostic;
    this.add({
      type: 'diagnostic',
      code,
      level,
      message,
      ...(url !== undefined && { url }),
      ...(line !== undefined && { line }),
      ...(column !== undefined && { column }),
    });
  }

  /** When the call was answered, ISO 8601; null when it never was. */
  get answeredAt(): string | null {
    return this.timeline.find((event) => event.type === 'answered')?.at ?? null;
  }
}
