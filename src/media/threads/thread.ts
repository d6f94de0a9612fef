import { Worker } from 'node:worker_threads';

/** Calls to the other thread that have not been answered yet. */
export class Pending<T> {
  readonly #calls = new Map<number, { resolve(value: T): void; reject(error: unknown): void }>();
  #next = 1;

  /** A number to send along, and the promise of what comes back under it. */
  begin(): { readonly request: number; readonly answer: Promise<T> } {
    const request = this.#next++;
    const answer = new Promise<T>((resolve, reject) => this.#calls.set(request, { resolve, reject }));
    return { request, answer };
  }

  resolve(request: number, value: T): void {
    this.#take(request)?.resolve(value);
  }

  reject(request: number, error: unknown): void {
    this.#take(request)?.reject(error);
  }

  rejectAll(error: unknown): void {
    for (const request of [...this.#calls.keys()]) this.reject(request, error);
  }

  #take(request: number) {
    const call = this.#calls.get(request);
    this.#calls.delete(request);
    return call;
  }
}

/** A worker thread that speaks `Command` and `Report`. */
export class Thread<Command, Report> {
  readonly #worker: Worker;
  #ended = false;

  /** `onFailed` is told once, when the thread ends without having been asked to. */
  constructor(
    script: URL,
    data: unknown,
    onReport: (report: Report) => void,
    onFailed: (error: Error) => void,
  ) {
    this.#worker = new Worker(script, { workerData: data });
    const failed = (error: Error) => {
      if (this.#ended) return;
      this.#ended = true;
      onFailed(error);
    };
    this.#worker.on('message', onReport);
    this.#worker.on('error', (error) =>
      failed(
        new Error(`the media thread failed: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        }),
      ),
    );
    this.#worker.on('exit', (code) => failed(new Error(`the media thread stopped with exit code ${code}`)));
  }

  post(command: Command): void {
    if (!this.#ended) this.#worker.postMessage(command);
  }

  async terminate(): Promise<void> {
    this.#ended = true;
    await this.#worker.terminate();
  }
}
