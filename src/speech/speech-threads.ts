import { Worker } from 'node:worker_threads';
import type { SpeechAnswer, SpeechJob } from './speech-thread.ts';

interface Task {
  readonly job: SpeechJob;
  readonly resolve: (answer: Exclude<SpeechAnswer, { failed: string }>) => void;
  readonly reject: (error: Error) => void;
}

/** A worker thread and the job it is at. */
interface Lane {
  readonly worker: Worker;
  task: Task | undefined;
}

/**
 * Threads that speak and decode, started when they are first needed. Jobs are done in order, each by the first
 * idle thread; a thread that dies fails its job alone and is replaced for the next one. Files are decoded by all
 * threads but one: however many long ones there are, speech goes on.
 */
export class SpeechThreads {
  readonly #script: URL;
  readonly #most: number;
  readonly #lanes = new Set<Lane>();
  readonly #waiting: Task[] = [];
  #closed = false;

  constructor(script: URL, most: number) {
    this.#script = script;
    this.#most = most;
  }

  /** Rejects when the job failed or the threads are closed. */
  run(job: SpeechJob): Promise<Exclude<SpeechAnswer, { failed: string }>> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error('the speech threads are closed'));
      this.#waiting.push({ job, resolve, reject });
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const error = new Error('the speech threads are closed');
    for (const task of this.#waiting.splice(0)) task.reject(error);
    await Promise.all([...this.#lanes].map(({ worker }) => worker.terminate()));
  }

  #next(): void {
    const at = this.#waiting.findIndex(({ job }) => job.kind === 'speak' || this.#mayDecode());
    if (at < 0) return;
    const lane = this.#idleLane();
    const [task] = lane ? this.#waiting.splice(at, 1) : [];
    if (!lane || !task) return;
    lane.task = task;
    lane.worker.ref();
    lane.worker.postMessage(task.job);
  }

  #mayDecode(): boolean {
    let decoding = 0;
    for (const { task } of this.#lanes) if (task?.job.kind === 'decode') decoding++;
    return decoding < Math.max(1, this.#most - 1);
  }

  #idleLane(): Lane | undefined {
    for (const lane of this.#lanes) if (!lane.task) return lane;
    return this.#lanes.size < this.#most ? this.#open() : undefined;
  }

  #open(): Lane {
    const lane: Lane = { worker: new Worker(this.#script), task: undefined };
    this.#lanes.add(lane);
    lane.worker.on('message', (answer: SpeechAnswer) => {
      const task = lane.task;
      lane.task = undefined;
      lane.worker.unref(); // an idle thread keeps no process alive
      if ('failed' in answer) task?.reject(new Error(answer.failed));
      else task?.resolve(answer);
      this.#next();
    });
    const lost = (error: Error) => {
      if (!this.#lanes.delete(lane)) return;
      lane.task?.reject(error);
      if (!this.#closed) this.#next();
    };
    lane.worker.on('error', lost);
    lane.worker.on('exit', (code) => lost(new Error(`a speech thread ended with code ${code}`)));
    return lane;
  }
}
