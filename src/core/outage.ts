/** Our choice: for how long after it was lost a connection is worth waiting for. A restart of what it leads to takes less. */
export const PATIENCE_MS = 2_000;

/** What keeps the data is away: whoever asked may try again later. */
export class StoreAway extends Error {
  constructor(name: string, ms: number) {
    super(`${name} has been away for ${Math.floor(ms / 1_000)} s`);
    this.name = 'StoreAway';
  }
}

/** Whether an error says that a store is away: also that a command timed out, for which ioredis has no class. */
export function isStoreAway(error: unknown): boolean {
  return error instanceof StoreAway || (error instanceof Error && error.message === 'Command timed out');
}

/** What is needed of an ioredis connection to know whether anybody is there. */
interface Connection {
  /** None before it first connects; another one after each reconnect. */
  readonly stream?: { on(event: 'data', listener: () => void): unknown } | undefined;
  on(event: 'connect' | 'ready' | 'close', listener: () => void): unknown;
}

/**
 * How long a connection that renews itself has been without what it leads to: because it is lost, or because nothing
 * comes back over it.
 */
export class Outage {
  readonly #name: string;
  #since: number | undefined = performance.now(); // it has yet to connect
  /** When the first command was sent after the last sign of life. */
  #unanswered: number | undefined;

  constructor(name: string, connection: Connection) {
    this.#name = name;
    connection.on('connect', () => {
      this.#unanswered = undefined;
      connection.stream?.on('data', () => {
        this.#unanswered = undefined;
      });
    });
    connection.on('ready', () => {
      this.#since = undefined;
    });
    connection.on('close', () => {
      this.#since ??= this.#unanswered ?? performance.now(); // every attempt that fails says so again
    });
  }

  /** A command is sent. */
  asked(): void {
    this.#unanswered ??= performance.now();
  }

  /**
   * Why nobody should wait for it; undefined: it is there, or may be back in a moment.
   *
   * @param connected as the connection itself says now: its events come a little later
   */
  errorWhen(connected: boolean): StoreAway | undefined {
    const since = connected ? this.#unanswered : (this.#since ?? this.#unanswered);
    if (since === undefined) return undefined;
    const ms = performance.now() - since;
    return ms < PATIENCE_MS ? undefined : new StoreAway(this.#name, ms);
  }
}
