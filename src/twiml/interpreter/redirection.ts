import type { OrderedDocument } from '../../call/orders.ts';
import { type LinkedSignal, link } from '../../core/abort.ts';
import type { CallWorld } from './world.ts';

/** The reason of a document's signal when another one was ordered. */
class Redirected extends Error {
  override readonly name = 'Redirected';
}

/** Listens for documents that the API orders while a call runs; the newest counts. Dispose it to stop. */
export class Redirection implements Disposable {
  readonly #world: Pick<CallWorld, 'onRedirect'>;
  #ordered: OrderedDocument | undefined;
  #running: LinkedSignal | undefined;

  constructor(world: Pick<CallWorld, 'onRedirect'>) {
    this.#world = world;
    world.onRedirect = (document) => {
      this.#ordered = document;
      this.#running?.abort(new Redirected('another document was ordered'));
    };
  }

  /** A signal for the running document: aborted by `signal`, or as soon as another document is ordered. */
  watch(signal: AbortSignal): LinkedSignal {
    this.#running = link(signal);
    if (this.#ordered) this.#running.abort(new Redirected('another document was ordered'));
    return this.#running;
  }

  /** What was ordered since it was last asked for. */
  take(): OrderedDocument | undefined {
    const ordered = this.#ordered;
    this.#ordered = undefined;
    return ordered;
  }

  [Symbol.dispose](): void {
    this.#world.onRedirect = undefined;
  }
}
