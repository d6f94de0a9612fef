import { type CallJob, jobId } from '../../call/job.ts';
import { type Clock, SystemClock, type Timer } from '../../core/clock.ts';
import type { CallQueue, TakenCall } from '../port.ts';

/** What became of a job; tests look. */
export interface FinishedCall {
  readonly job: CallJob;
  readonly result: 'granted' | 'gone' | 'superseded' | 'failed';
  readonly reason?: string;
}

export interface MemoryCallQueue extends CallQueue {
  readonly finished: readonly FinishedCall[];
}

/** The dispatch queue within one process: replay and tests. */
export function createMemoryCallQueue(clock: Clock = new SystemClock()): MemoryCallQueue {
  const delayed = new Map<string, Timer>();
  const known = new Set<string>();
  const waiting: CallJob[] = [];
  const takers: ((job: CallJob | undefined) => void)[] = [];
  const finished: FinishedCall[] = [];
  let closed = false;

  const held = new Set<string>();

  const taken = (job: CallJob): TakenCall => {
    const id = jobId(job.callSid, job.epoch);
    held.add(id);
    return {
      job,
      async complete(result) {
        held.delete(id);
        finished.push({ job, result });
      },
      async fail(reason) {
        held.delete(id);
        finished.push({ job, result: 'failed', reason });
      },
    };
  };

  return {
    finished,
    async add(job, { delayMs = 0 } = {}) {
      const id = jobId(job.callSid, job.epoch);
      if (known.has(id)) return;
      known.add(id);
      const offer = () => {
        delayed.delete(id);
        const deliver = takers.shift();
        if (deliver) deliver(job);
        else waiting.push(job);
      };
      if (delayMs > 0) delayed.set(id, clock.after(delayMs, offer));
      else offer();
    },
    async withdraw(callSid, epoch) {
      const id = jobId(callSid, epoch);
      const timer = delayed.get(id);
      if (timer) {
        timer.cancel();
        known.delete(id);
        return delayed.delete(id);
      }
      const place = waiting.findIndex((job) => job.callSid === callSid && job.epoch === epoch);
      if (place < 0) return false;
      waiting.splice(place, 1);
      known.delete(id);
      return true;
    },
    async holds(callSid, epoch) {
      const id = jobId(callSid, epoch);
      return held.has(id) || delayed.has(id) || waiting.some((job) => jobId(job.callSid, job.epoch) === id);
    },
    take(signal) {
      if (signal.aborted || closed) return Promise.resolve(undefined);
      const ready = waiting.shift();
      if (ready) return Promise.resolve(taken(ready));
      return new Promise((resolve) => {
        const deliver = (job: CallJob | undefined) => {
          signal.removeEventListener('abort', leave);
          resolve(job && taken(job));
        };
        const leave = () => {
          takers.splice(takers.indexOf(deliver), 1);
          resolve(undefined);
        };
        signal.addEventListener('abort', leave, { once: true });
        takers.push(deliver);
      });
    },
    async waiting() {
      return waiting.length;
    },
    async close() {
      closed = true;
      for (const timer of delayed.values()) timer.cancel();
      for (const deliver of takers.splice(0)) deliver(undefined);
    },
  };
}
