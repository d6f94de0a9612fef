import { answeredRecord, diagnosedRecord, endRecord, MOST_DIAGNOSTICS } from '../call/call-records.ts';
import type { CallRecord } from '../call/record.ts';
import { STORAGE_ATTEMPTS } from '../call/tasks.ts';
import type { TimelineEntry, TimelineSink } from '../call/timeline.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { Logger } from '../core/logger.ts';
import type { CallEnd } from '../twiml/interpreter/world.ts';
import type { CallParts } from './call-parts.ts';
import { createLiveState, type LiveState } from './live-state.ts';
import { surely } from './surely.ts';

/** What a call writes down about itself while it lives: its record, its timeline, its journal. */
export class CallLedger implements TimelineSink {
  readonly #parts: CallParts;
  readonly #log: Logger;
  readonly #state: LiveState;
  #record: CallRecord;
  #hungUp = false;

  constructor(record: CallRecord, parts: CallParts, log: Logger) {
    this.#record = record;
    this.#parts = parts;
    this.#log = log;
    const { store, clock } = parts;
    this.#state = createLiveState({ callSid: record.sid, store, clock, logger: log });
  }

  get record(): CallRecord {
    return this.#record;
  }

  /** Somebody has said already who hung up, and why. */
  get hungUp(): boolean {
    return this.#hungUp;
  }

  /** Adds an event that happened at `at`, now when left out. The one that says the call was answered changes its record. */
  add(entry: TimelineEntry, at?: number): void {
    this.#state.add(entry, at);
    if (entry.type === 'hangup') this.#hungUp = true;
    if (entry.type !== 'answered') return;
    this.#parts.onAnswer?.();
    this.#record = answeredRecord(this.#record, this.#parts.clock.now());
    this.#state.record(this.#record);
  }

  /** Changes what the record says, and has it stored. */
  change(fields: Partial<CallRecord>): void {
    this.#record = { ...this.#record, ...fields };
    this.#state.record(this.#record);
  }

  /** What another process needs to go on with the call or to end it; not waited for. */
  journal(point: object): void {
    this.#state.journal(point);
  }

  report(diagnostic: Diagnostic): void {
    const { code, level, message, url, line, column } = diagnostic;
    const full = this.#record.diagnostics.length >= MOST_DIAGNOSTICS;
    this.#record = diagnosedRecord(this.#record, diagnostic);
    if (full) return; // told below when it became so
    this.#state.add({
      type: 'diagnostic',
      code,
      level,
      message,
      ...(url === undefined ? {} : { url }),
      ...(line === undefined ? {} : { line }),
      ...(column === undefined ? {} : { column }),
    });
    this.#log[level === 'error' ? 'error' : 'warn']({ code, url, line, column }, message);
    if (this.#record.diagnostics.length < MOST_DIAGNOSTICS) return;
    const left = `${MOST_DIAGNOSTICS} diagnostics: of those that follow, the record keeps only the newest`;
    this.#state.add({ type: 'note', message: left });
    this.#log.warn({}, left);
  }

  /** The call is over: its record says how and when. */
  end(end: CallEnd, at = this.#parts.clock.now()): CallRecord {
    const record = endRecord(this.#record, end, at);
    this.#record = record;
    this.#state.add(
      { type: 'call-ended', status: record.status, duration_s: Number(record.duration), cause: end.cause },
      at,
    );
    this.#state.record(record);
    return record;
  }

  /**
   * Sends the ended call on its way into the bucket, once `recordings` have been written down too. However long the
   * Region's Redis is away, this resolves only when that is certain.
   */
  async close(recordings: Promise<void>): Promise<void> {
    await this.#state.flushed();
    await recordings; // whoever archives the call expects its recordings to have ended
    const { sid, status, duration, cause } = this.#record;
    await this.surely(() =>
      this.#parts.storage.add(
        { kind: 'archive-call', callSid: sid },
        { id: `archive-${sid}`, ...STORAGE_ATTEMPTS },
      ),
    );
    this.#log.info({ status, duration, cause }, 'call ended');
    this.#parts.onEnd?.(this.#record);
  }

  surely(write: () => Promise<void>): Promise<void> {
    return surely(write, this.#parts.clock, this.#log, 'the end of a call cannot be stored yet');
  }

  /** Stores nothing more: the call has another owner. */
  discard(): void {
    this.#state.discard();
  }

  flushed(): Promise<void> {
    return this.#state.flushed();
  }
}
