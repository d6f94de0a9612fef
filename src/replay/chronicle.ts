import type { TimelineEntry, TimelineEvent, TimelineSink } from '../call/timeline.ts';
import type { Transcription, TranscriptionOrder } from '../call/transcription.ts';
import { type Clock, sleep } from '../core/clock.ts';
import { isoMs } from '../core/dates.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { ActiveRecording, RecordingEnd } from '../leg/port.ts';
import { restHost } from '../region/host-names.ts';
import type { RegionId } from '../region/region.ts';
import type { RecordingDesk, RecordingRequest } from '../twiml/interpreter/world.ts';
import { SimulatedTranscripts, type TranscriptParts } from './simulated-transcripts.ts';

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
  readonly transcriptions: Transcription[] = [];
  readonly #clock: Clock;
  readonly #transcripts: SimulatedTranscripts;
  /** Where the Region's REST API is. */
  readonly #host: string;
  /** Recordings that run beside the call's verbs, by SID. */
  readonly #followed = new Map<string, { readonly active: ActiveRecording; readonly kept: Promise<void> }>();

  constructor(clock: Clock, region: RegionId) {
    this.#clock = clock;
    this.#transcripts = new SimulatedTranscripts(this, clock);
    this.#host = restHost('api', region, 'test');
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

  /** Resolves when the recordings that run beside the call's verbs have ended: with its leg at the latest. */
  async settled(): Promise<void> {
    await Promise.all([...this.#followed.values()].map(({ kept }) => kept));
  }

  /** Resolves when nothing that was recorded is being transcribed any more. */
  transcribed(): Promise<void> {
    return this.#transcripts.settled();
  }

  desk(parts: TranscriptParts): RecordingDesk {
    const orders = new Map<string, TranscriptionOrder>();
    const finish = (sid: string, end: RecordingEnd) => {
      const recording = this.recordings.find((kept) => kept.sid === sid);
      if (!recording) throw new Error(`the recording ${sid} ended and never began`);
      recording.end = end;
      const order = orders.get(sid);
      if (order) this.#transcripts.order({ sid, url: this.urlOf(sid), end }, order, parts);
    };
    const followed = this.#followed;
    const nameOf = (sid: string) => this.recordings.find((kept) => kept.sid === sid)?.name;
    return {
      begin: async ({ statusCallback, transcription, ...request }) => {
        const sid = parts.ids.sid('RE');
        this.recordings.push({ sid, ...request, callback: statusCallback, end: undefined });
        if (transcription) orders.set(sid, transcription);
        return { sid, url: this.urlOf(sid) };
      },
      follow: (sid, start, onEnded) => {
        const active = start();
        const kept = active.ended.then(async (end) => {
          await sleep(this.#clock, 0); // live, it takes its file a moment to be complete
          followed.delete(sid);
          onEnded(end);
          finish(sid, end);
        });
        followed.set(sid, { active, kept });
      },
      get followed() {
        return [...followed].map(([sid, { active, kept }]) => ({
          name: nameOf(sid),
          stop: async () => {
            active.stop();
            await kept;
          },
        }));
      },
      ended: () => this.settled(),
      finish: async (sid, end) => finish(sid, end),
    };
  }

  /** Of a recording, as applications are told it. */
  urlOf(sid: string): string {
    return `http://${this.#host}/2010-04-01/Recordings/${sid}`;
  }
}
