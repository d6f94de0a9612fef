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
  const abort = (reason: unknown = new Aborted()) => {
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

/** Settles as `work` does, or rejects with the signal's reason, whichever is first. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    work.catch(() => {}); // the abort is the answer; a later failure of the work has no listener
    return Promise.reject(signal.reason);
  }
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
