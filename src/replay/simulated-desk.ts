import type { CallFacts } from '../call/facts.ts';
import type { RecordingRecord, RecordingSource } from '../call/record.ts';
import { callbackOf, endCallbackOf, endedRecording, newRecording } from '../call/recording-records.ts';
import type { CallbackTask } from '../call/tasks.ts';
import { type Clock, sleep } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import type { ActiveRecording, RecordingEnd } from '../leg/port.ts';
import { restHost } from '../region/host-names.ts';
import type { RegionId } from '../region/region.ts';
import type { SpeechToText } from '../speech/port.ts';
import type { RecordingDesk, RecordingRequest } from '../twiml/interpreter/world.ts';
import type { Chronicle } from './chronicle.ts';
import type { SimulatedCallbacks } from './simulated-callbacks.ts';
import { SimulatedTranscripts } from './simulated-transcripts.ts';

/** Our choice: how long it takes until a recording is stored and told of; the call goes on meanwhile. */
const STORED_AFTER_MS = 1_000;

/** Whose recordings they are, and what is needed to write down and to tell what became of them. */
export interface DeskParts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly region: RegionId;
  readonly facts: CallFacts;
  readonly speech: SpeechToText | undefined;
  readonly callbacks: SimulatedCallbacks;
}

interface Begun {
  readonly request: RecordingRequest;
  readonly record: RecordingRecord;
}

/** Keeps the recordings of a call of the fixture, as its Region's desk and service do live. */
export class SimulatedDesk implements RecordingDesk {
  readonly #chronicle: Chronicle;
  readonly #parts: DeskParts;
  readonly #transcripts: SimulatedTranscripts;
  readonly #begun = new Map<string, Begun>();
  readonly #storing = new Set<Promise<void>>();
  readonly #newest = new Map<RecordingSource, RecordingRecord>();
  /** Recordings that run beside the call's verbs, by SID. */
  readonly #followed = new Map<string, { readonly active: ActiveRecording; readonly kept: Promise<void> }>();

  constructor(chronicle: Chronicle, parts: DeskParts) {
    this.#chronicle = chronicle;
    this.#parts = parts;
    this.#transcripts = new SimulatedTranscripts(chronicle, parts);
  }

  async begin(request: RecordingRequest): Promise<{ readonly sid: string; readonly url: string }> {
    const { ids, facts, region, clock, callbacks } = this.#parts;
    const api = `http://${restHost('api', region, 'test')}`;
    const record = newRecording(request, facts, region, ids.sid('RE'), clock.now(), api);
    const { sid, media_url } = record;
    this.#begun.set(sid, { request, record });
    this.#newest.set(record.source, record);
    const { statusCallback, transcription: _, continued: __, ...shown } = request;
    this.#chronicle.recordings.push({ sid, ...shown, callback: statusCallback, end: undefined });
    const callback = callbackOf(record, statusCallback, 'in-progress');
    if (callback) callbacks.add(callback);
    return { sid, url: media_url };
  }

  follow(sid: string, start: () => ActiveRecording, onEnded: (end: RecordingEnd) => void): void {
    const active = start();
    const kept = active.ended.then(async (end) => {
      await sleep(this.#parts.clock, 0); // live, it takes its file a moment to be complete
      this.#followed.delete(sid);
      onEnded(end);
      await this.finish(sid, end);
    });
    this.#followed.set(sid, { active, kept });
  }

  /** The recording that something started, running or ended; the newest of several. */
  startedBy(source: RecordingSource): RecordingRecord | undefined {
    return this.#newest.get(source);
  }

  get followed(): RecordingDesk['followed'] {
    return [...this.#followed].map(([sid, { active, kept }]) => ({
      name: this.#begun.get(sid)?.request.name,
      stop: async () => {
        active.stop();
        await kept;
      },
    }));
  }

  async ended(): Promise<void> {
    await Promise.all([...this.#followed.values()].map(({ kept }) => kept));
  }

  async finish(sid: string, end: RecordingEnd): Promise<void> {
    const begun = this.#begun.get(sid);
    const kept = this.#chronicle.recordings.find((recording) => recording.sid === sid);
    if (!begun || !kept) throw new Error(`the recording ${sid} ended and never began`);
    this.#begun.delete(sid);
    kept.end = end;
    const { statusCallback, transcription } = begun.request;
    const record = endedRecording(begun.record, end, this.#parts.clock.now());
    if (this.#newest.get(record.source)?.sid === sid) this.#newest.set(record.source, record);
    const callback = endCallbackOf(record, statusCallback);
    if (callback) this.#tellWhenStored(callback);
    if (transcription) this.#transcripts.order({ record, end }, transcription);
  }

  /** Resolves when nothing that was recorded is being stored or transcribed any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#storing);
    await this.#transcripts.settled();
  }

  #tellWhenStored(callback: CallbackTask): void {
    const { clock, callbacks } = this.#parts;
    const stored = sleep(clock, STORED_AFTER_MS).then(() => {
      callbacks.add(callback);
      this.#storing.delete(stored);
    });
    this.#storing.add(stored);
  }
}
