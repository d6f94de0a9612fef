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

/** How long a connection that renews itself has been without what it leads to. */
export class Outage {
  readonly #name: string;
  #since: number | undefined = performance.now(); // it has yet to connect

  constructor(name: string, connection: { on(event: 'ready' | 'close', listener: () => void): unknown }) {
    this.#name = name;
    connection.on('ready', () => {
      this.#since = undefined;
    });
    connection.on('close', () => {
      this.#since ??= performance.now(); // every attempt that fails says so again
    });
  }

  /** Why nobody should wait for it; undefined: it is there, or may be back in a moment. */
  get error(): StoreAway | undefined {
    if (this.#since === undefined) return undefined;
    const ms = performance.now() - this.#since;
    return ms < PATIENCE_MS ? undefined : new StoreAway(this.#name, ms);
  }
}
