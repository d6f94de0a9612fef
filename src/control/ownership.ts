import type { RefusalReason } from './protocol.ts';

/**
 * Who may command a call, as the edge that holds it keeps it. An epoch is offered once, held by at most one worker,
 * and never offered again; a worker that lost it can only come back by claiming a later one.
 *
 *   offered(e) ──claim──▶ held(e, worker) ──release──▶ over
 *       ▲  └─────end──────────▶ │                        ▲
 *       │                     lost                       │
 *       └────offer (e + 1)──── lost(e, worker) ───end────┘
 */
export type Ownership =
  | { readonly state: 'offered'; readonly epoch: number }
  | { readonly state: 'held'; readonly epoch: number; readonly worker: string }
  | { readonly state: 'lost'; readonly epoch: number; readonly worker: string }
  | { readonly state: 'over'; readonly epoch: number };

export type OwnershipEvent =
  /** A worker wants the call. */
  | { readonly type: 'claim'; readonly epoch: number; readonly worker: string }
  /** A worker wants something done to the leg. */
  | { readonly type: 'command'; readonly epoch: number; readonly worker: string }
  /** A worker has finished with the call. */
  | { readonly type: 'release'; readonly epoch: number; readonly worker: string }
  /** A worker's connection is gone. */
  | { readonly type: 'lost'; readonly worker: string }
  /** The grace after a loss has passed: the call is offered again. */
  | { readonly type: 'offer' }
  /** The leg is over, or nobody took the call in time. A worker that holds it still has to release it. */
  | { readonly type: 'end' };

/** `ok`: it happened; `ignored`: it no longer means anything; otherwise what the worker is told. */
export type Verdict = 'ok' | 'ignored' | RefusalReason;

/** A call that has just arrived. */
export function firstOffer(epoch: number): Ownership {
  return { state: 'offered', epoch };
}

export function step(current: Ownership, event: OwnershipEvent): readonly [Ownership, Verdict] {
  switch (event.type) {
    case 'claim':
      return claim(current, event.epoch, event.worker);
    case 'command':
      return [current, rightOf(current, event.epoch, event.worker)];
    case 'release': {
      const verdict = rightOf(current, event.epoch, event.worker);
      return [verdict === 'ok' ? over(current) : current, verdict];
    }
    case 'lost':
      if (current.state !== 'held' || current.worker !== event.worker) return [current, 'ignored'];
      return [{ ...current, state: 'lost' }, 'ok'];
    case 'offer':
      if (current.state !== 'lost') return [current, 'ignored'];
      return [firstOffer(current.epoch + 1), 'ok'];
    case 'end':
      if (current.state === 'held' || current.state === 'over') return [current, 'ignored'];
      return [over(current), 'ok'];
  }
}

function claim(current: Ownership, epoch: number, worker: string): readonly [Ownership, Verdict] {
  if (current.state === 'over') return [current, 'gone'];
  if (epoch < current.epoch) return [current, 'superseded'];
  if (epoch > current.epoch) return [current, 'gone']; // never offered
  if (current.state === 'held') return [current, 'taken'];
  if (current.state === 'lost') return [current, 'superseded']; // the next epoch is about to be offered
  return [{ state: 'held', epoch, worker }, 'ok'];
}

/** Whether `worker` may act on the call in `epoch`. */
function rightOf(current: Ownership, epoch: number, worker: string): Verdict {
  if (current.state === 'over') return 'gone';
  if (epoch !== current.epoch || current.state !== 'held') return 'superseded';
  return current.worker === worker ? 'ok' : 'taken';
}

function over(current: Ownership): Ownership {
  return { state: 'over', epoch: current.epoch };
}
