/** A signal of one's own that also aborts with its parents. Dispose it when the scope ends. */
export interface LinkedSignal extends Disposable {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

/** Why a signal was aborted when nobody said; what an AbortController makes by itself costs several times as much. */
class Aborted extends Error {
  override readonly name = 'AbortError';

  constructor() {
    super('This was aborted.');
  }
}

/** One for all: nobody tells them apart, and the stack of each would cost more than all else. */
const ABORTED = new Aborted();

/**
 * A child signal of `parents`. Unlike `AbortSignal.any` it leaves nothing on a long-lived parent once it is
 * disposed.
 */
export function link(...parents: readonly (AbortSignal | undefined)[]): LinkedSignal {
  const controller = new AbortController();
  const followed: [AbortSignal, () => void][] = [];
  const release = () => {
    for (const [parent, follow] of followed.splice(0)) parent.removeEventListener('abort', follow);
  };
  const abort = (reason: unknown = ABORTED) => {
    release();
    controller.abort(reason);
  };
  for (const parent of parents) {
    if (!parent) continue;
    if (parent.aborted) {
      abort(parent.reason);
      break;
    }
    const follow = () => abort(parent.reason);
    parent.addEventListener('abort', follow, { once: true });
    followed.push([parent, follow]);
  }
  return { signal: controller.signal, abort, [Symbol.dispose]: release };
}

/** Settles as `work` does, or rejects with the reason of the signal that is aborted, whichever is first. */
export function abortable<T>(work: Promise<T>, ...signals: readonly AbortSignal[]): Promise<T> {
  const over = signals.find(({ aborted }) => aborted);
  if (over) {
    work.catch(() => {}); // the abort is the answer; a later failure of the work has no listener
    return Promise.reject(over.reason);
  }
  return new Promise<T>((resolve, reject) => {
    const release = onAbort(signals, reject);
    work.then(resolve, reject).finally(release);
  });
}

/**
 * Calls back with the reason of the first signal that is aborted from now on. A link would do, and costs several times as
 * much. Returns what ends it.
 */
export function onAbort(signals: readonly AbortSignal[], aborted: (reason: unknown) => void): () => void {
  const release = () => {
    for (const signal of signals) signal.removeEventListener('abort', listener);
  };
  const listener = () => {
    release();
    aborted(signals.find((signal) => signal.aborted)?.reason);
  };
  for (const signal of signals) signal.addEventListener('abort', listener, { once: true });
  return release;
}
