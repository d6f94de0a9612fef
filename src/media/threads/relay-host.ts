import type { Endpoint, MediaDirection, MediaFormat } from '../format.ts';
import type { RelayCommand, RelayReport, RelayThreadData } from './messages.ts';
import type { RelayHost, RelayLeg, RelayStats } from './port.ts';
import { Pending, Thread } from './thread.ts';

export interface RelayHostOptions extends RelayThreadData {
  /** The compiled worker script that calls `runRelayThread`. */
  readonly script: URL;
}

/** Starts an edge's media thread; rejects when its inner socket cannot be bound on `address`. */
export async function createRelayHost(options: RelayHostOptions): Promise<RelayHost> {
  const { script, address, ports, silentAfterMs } = options;
  return ThreadedRelayHost.start(script, { address, ports, silentAfterMs });
}

class ThreadedRelayHost implements RelayHost {
  onFailed: ((error: Error) => void) | undefined;
  readonly #thread: Thread<RelayCommand, RelayReport>;
  readonly #ready = new Pending<Endpoint>();
  readonly #opening = new Pending<number>();
  readonly #closing = new Pending<RelayStats>();
  readonly #counting = new Pending<{ legs: number; sockets: number }>();
  readonly #legs = new Map<number, RelayLeg>();
  readonly #opened = new WeakSet<RelayLeg>();
  #inner: Endpoint | undefined;
  #handles = 0;
  #failure: Error | undefined;
  #closed: Promise<void> | undefined;

  static async start(script: URL, data: RelayThreadData): Promise<RelayHost> {
    const host = new ThreadedRelayHost(script, data);
    await host.#started;
    return host;
  }

  readonly #started: Promise<void>;

  private constructor(script: URL, data: RelayThreadData) {
    const { answer } = this.#ready.begin();
    this.#started = answer.then((inner) => {
      this.#inner = inner;
    });
    this.#thread = new Thread(
      script,
      data,
      (report) => this.#heard(report),
      (error) => this.#failed(error),
    );
  }

  get inner(): Endpoint {
    if (!this.#inner) throw new Error('the relay has not started');
    return this.#inner;
  }

  async open(address: string): Promise<RelayLeg> {
    this.#check();
    const handle = ++this.#handles;
    const { request, answer } = this.#opening.begin();
    this.#thread.post({ type: 'open', request, handle, address });
    const leg = this.#leg(handle, await answer);
    this.#legs.set(handle, leg);
    return leg;
  }

  async census(): Promise<{ readonly legs: number; readonly sockets: number }> {
    this.#check();
    const { request, answer } = this.#counting.begin();
    this.#thread.post({ type: 'census', request });
    return answer;
  }

  close(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  async #shutDown(): Promise<void> {
    if (!this.#failure) await Promise.allSettled([...this.#legs.values()].map((leg) => leg.close()));
    await this.#thread.terminate();
    this.#rejectAll(new Error('the relay is closed'));
  }

  #leg(handle: number, port: number): RelayLeg {
    let closed: Promise<RelayStats> | undefined;
    const leg: RelayLeg = {
      handle,
      port,
      onSilent: undefined,
      configure: (remote: Endpoint, format: MediaFormat, direction: MediaDirection) =>
        this.#thread.post({ type: 'configure', handle, remote, format, direction }),
      attach: (worker) => this.#thread.post({ type: 'attach', handle, worker }),
      bridge: (other, { gently = false } = {}) => {
        if (other === leg || !this.#opened.has(other))
          throw new Error(
            'a leg is bridged with another leg of the same relay, not with itself or a stranger',
          );
        this.#thread.post({ type: 'bridge', handle, other: other.handle, gently });
      },
      unbridge: ({ gently = false } = {}) => this.#thread.post({ type: 'unbridge', handle, gently }),
      close: () => {
        closed ??= this.#closeLeg(handle);
        return closed;
      },
    };
    this.#opened.add(leg);
    return leg;
  }

  #closeLeg(handle: number): Promise<RelayStats> {
    this.#legs.delete(handle);
    if (this.#failure) return Promise.reject(this.#failure);
    const { request, answer } = this.#closing.begin();
    this.#thread.post({ type: 'close', request, handle });
    return answer;
  }

  #heard(report: RelayReport): void {
    switch (report.type) {
      case 'ready':
        this.#ready.resolve(1, report.inner);
        break;
      case 'opened':
        this.#opening.resolve(report.request, report.port);
        break;
      case 'refused':
        this.#opening.reject(report.request, new Error(report.problem));
        break;
      case 'closed':
        this.#closing.resolve(report.request, report.stats);
        break;
      case 'counted':
        this.#counting.resolve(report.request, report.census);
        break;
      case 'silent':
        this.#legs.get(report.handle)?.onSilent?.();
        break;
    }
  }

  #failed(error: Error): void {
    this.#failure = error;
    this.#rejectAll(error);
    this.onFailed?.(error);
  }

  #rejectAll(error: Error): void {
    for (const pending of [this.#ready, this.#opening, this.#closing, this.#counting])
      pending.rejectAll(error);
  }

  #check(): void {
    if (this.#failure) throw this.#failure;
    if (this.#closed !== undefined) throw new Error('the relay is closed');
  }
}
