import { type CallRecord, TERMINAL_STATUSES } from '../call/record.ts';
import type { TimelineEntry, TimelineEvent, TimelineSink } from '../call/timeline.ts';
import type { Clock, Timer } from '../core/clock.ts';
import { isoMs } from '../core/dates.ts';
import type { Logger } from '../core/logger.ts';
import type { CallStore } from '../storage/ports.ts';

/**
 * Our choice: how far the Region's store may lag behind a call. Every write is a round trip and a system call or
 * two; a call that lasts a second would otherwise cost dozens.
 */
const LAG_MS = 50;

/** Our choice: how soon what could not be stored is tried again. */
const RETRY_MS = 1_000;

/** Our choice: hours of menus fit; a document that loops without pausing must not fill the Region's Redis. */
const MOST_EVENTS = 50_000;

/** How a call ended is told even then. */
const LAST_EVENTS: ReadonlySet<TimelineEntry['type']> = new Set(['hangup', 'call-ended']);

/**
 * What the Region's store knows of a live call: its record, its journal, its timeline. Written together, in order,
 * soon after a change; a call never waits for it, so that calls live on when Redis is away.
 */
export interface LiveState extends TimelineSink {
  /** Adds an event that happened at `at`, milliseconds since the epoch; now when left out. */
  add(entry: TimelineEntry, at?: number): void;
  record(record: CallRecord): void;
  /**
   * What another process needs to go on with the call, plain JSON: only the newest one is stored, and none is put into
   * words before that.
   */
  journal(point: object): void;
  /** Drops what is not yet stored and stores nothing more: the call has another owner. */
  discard(): void;
  /** Resolves when everything so far is stored; what could not be is tried again until it is. */
  flushed(): Promise<void>;
}

export function createLiveState(options: {
  readonly callSid: string;
  readonly store: CallStore;
  readonly clock: Clock;
  readonly logger: Logger;
}): LiveState {
  const { callSid, store, clock, logger } = options;
  let record: CallRecord | undefined;
  let journal: object | undefined;
  let events: TimelineEvent[] = [];
  let added = 0;
  let due: Timer | undefined;
  let writing: Promise<boolean> | undefined;
  let discarded = false;

  async function write(): Promise<boolean> {
    let retryMs = LAG_MS;
    const taken = { record, journal, events };
    record = undefined;
    journal = undefined;
    events = [];
    try {
      // An ended call is resumed by nobody.
      const resumable = taken.journal && !(taken.record && TERMINAL_STATUSES.has(taken.record.status));
      await store.update(callSid, {
        record: taken.record,
        journal: resumable ? JSON.stringify(taken.journal) : undefined,
        events: taken.events,
      });
      return true;
    } catch (error) {
      logger.error({ error }, 'the state of a live call cannot be stored yet');
      record ??= taken.record;
      journal ??= taken.journal;
      events = [...taken.events, ...events];
      retryMs = RETRY_MS;
      return false;
    } finally {
      writing = undefined;
      if (isDirty()) later(retryMs);
    }
  }

  const isDirty = () => !discarded && (record !== undefined || journal !== undefined || events.length > 0);

  function later(ms = LAG_MS): void {
    if (discarded) return;
    due ??= clock.after(ms, () => {
      due = undefined;
      writing ??= write();
    });
  }

  return {
    add(entry, at = clock.now()) {
      if (added > MOST_EVENTS && !LAST_EVENTS.has(entry.type)) return;
      events.push({ at: isoMs(at), ...entry });
      if (++added === MOST_EVENTS) {
        const message = `${MOST_EVENTS} events: those that follow are left out, up to the end of the call`;
        this.add({ type: 'note', message }, at);
      }
      later();
    },
    record(next) {
      record = next;
      later();
    },
    journal(point) {
      journal = point;
      later();
    },
    discard() {
      discarded = true;
      due?.cancel();
    },
    async flushed() {
      while (isDirty() || writing !== undefined) {
        due?.cancel();
        due = undefined;
        const stored = await (writing ?? write());
        if (!stored) await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve));
      }
      due?.cancel();
      due = undefined;
    },
  };
}
