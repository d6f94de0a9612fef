import { setMaxListeners } from 'node:events';
import type { InboundJob, OutboundJob } from '../call/job.ts';
import type { ControlClient } from '../control/client.ts';
import type { InboundLink } from '../control/link.ts';
import { type Clock, sleep } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { MediaHost } from '../media/threads/port.ts';
import type { CallQueue, TakenCall } from '../queue/port.ts';
import type { CallStore } from '../storage/ports.ts';

export interface WorkerOptions {
  /** Unique among all workers that ever were. */
  readonly name: string;
  readonly queue: CallQueue;
  readonly control: ControlClient;
  readonly media: MediaHost;
  readonly store: CallStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Calls held at once. */
  readonly capacity: number;
  /** Runs a granted call to its end, record included; never rejects for what a customer or a peer did. */
  readonly run: (link: InboundLink, signal: AbortSignal) => Promise<void>;
  /** Makes a call that nobody holds yet, as `run` does; it completes the job. */
  readonly make: (job: OutboundJob, taken: TakenCall, signal: AbortSignal) => Promise<void>;
  /** A job whose edge process cannot be reached: the call's end is written without it. */
  readonly abandon: (job: InboundJob, cause: string) => Promise<void>;
}

const HEARTBEAT_MS = 5_000;
const HEARTBEAT_TTL_MS = 15_000;
const QUEUE_RETRY_MS = 500;

/** A call worker of one Region: takes jobs while it has capacity, claims their calls, runs them. */
export class CallWorker {
  readonly #o: WorkerOptions;
  readonly #taking = new AbortController();
  readonly #cutting = new AbortController();
  readonly #live = new Set<Promise<void>>();
  #freed: (() => void) | undefined;
  #loop: Promise<void> | undefined;

  constructor(options: WorkerOptions) {
    this.#o = options;
    setMaxListeners(0, this.#cutting.signal); // one for every live call, taken away at its end: no leak to warn of
  }

  get live(): number {
    return this.#live.size;
  }

  start(): void {
    this.#loop = this.#takeCalls();
    this.#beat();
  }

  /**
   * Takes no new calls and waits for the live ones; those left when `deadline` is aborted are ended with the
   * reason `shutdown`, their records written.
   */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#taking.abort();
    this.#freed?.();
    await this.#loop;
    const cut = () => this.#cutting.abort();
    if (deadline.aborted) cut();
    else deadline.addEventListener('abort', cut, { once: true });
    while (this.#live.size > 0) await Promise.allSettled(this.#live); // one may leave another behind
  }

  #beat(): void {
    if (this.#taking.signal.aborted && this.#live.size === 0) return;
    this.#o.store.heartbeat(this.#o.name, HEARTBEAT_TTL_MS).catch((error: unknown) => {
      this.#o.logger.warn({ error }, 'the heartbeat could not be stored');
    });
    this.#o.clock.after(HEARTBEAT_MS, () => this.#beat());
  }

  async #takeCalls(): Promise<void> {
    const { signal } = this.#taking;
    while (!signal.aborted) {
      if (this.#live.size >= this.#o.capacity) {
        await new Promise<void>((resolve) => {
          this.#freed = resolve;
        });
        continue;
      }
      let taken: TakenCall | undefined;
      try {
        taken = await this.#o.queue.take(signal);
      } catch (error) {
        this.#o.logger.error({ error }, 'the call queue cannot be read');
        await sleep(this.#o.clock, QUEUE_RETRY_MS, signal).catch(() => {}); // aborted: the loop ends
      }
      if (taken) this.#hold(taken);
    }
  }

  #hold(taken: TakenCall): void {
    const { job } = taken;
    const { signal } = this.#cutting;
    this.#keep(
      job.callSid,
      job.direction === 'inbound' ? this.#claim(job, taken) : this.#o.make(job, taken, signal),
    );
  }

  /** Waits at the end for a call that has become independent of the one that made it. */
  adopt(run: (shutdown: AbortSignal) => Promise<void>): void {
    this.#keep(undefined, run(this.#cutting.signal));
  }

  #keep(callSid: string | undefined, running: Promise<void>): void {
    const work = running
      .catch((error: unknown) => {
        this.#o.logger.error({ CallSid: callSid, error }, 'a call could not be run');
      })
      .finally(() => {
        this.#live.delete(work);
        this.#freed?.();
      });
    this.#live.add(work);
  }

  async #claim(job: InboundJob, taken: TakenCall): Promise<void> {
    const log = { CallSid: job.callSid, edge: job.ingressEdge };
    let answer: Awaited<ReturnType<ControlClient['claim']>>;
    try {
      answer = await this.#o.control.claim(job.edge, job.callSid, job.epoch, this.#o.media.inner);
    } catch (error) {
      this.#o.logger.error({ ...log, error, job: job.edge }, 'the edge process of a call cannot be reached');
      await this.#o.abandon(job, `its edge process ${job.edge.process} could not be reached`);
      return taken.complete('gone');
    }
    if ('refused' in answer) {
      this.#o.logger.info({ ...log, reason: answer.refused }, 'the edge did not grant the call');
      return taken.complete(answer.refused === 'gone' ? 'gone' : 'superseded');
    }
    // The job is done as soon as the call is owned; the call goes on meanwhile.
    const completed = taken.complete('granted').catch((error: unknown) => {
      this.#o.logger.warn({ ...log, error }, 'the job of a granted call could not be completed');
    });
    await this.#o.run(answer, this.#cutting.signal);
    await completed;
  }
}
