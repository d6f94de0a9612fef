import type { LegEnded } from '../leg/port.ts';

/** How one branch of a forked call ended. */
export type BranchEnd = Pick<LegEnded, 'cause' | 'sipStatus'>;

/**
 * A call that rings at several devices at once, until one has answered or all have refused: the response context of a
 * forking proxy, RFC 3261 §16.7.
 *
 *   ringing ──answered──▶ answered       the other branches are let go
 *      │
 *      └──6xx, or the last branch ended──▶ over    with the best response; or given up
 */
export interface Fork<End extends BranchEnd> {
  readonly state: 'ringing' | 'answered' | 'over';
  /** By branch: how it ended, undefined while it rings. */
  readonly branches: readonly (End | undefined)[];
}

export type ForkEvent<End extends BranchEnd> =
  | { readonly type: 'answered'; readonly branch: number }
  | { readonly type: 'ended'; readonly branch: number; readonly end: End }
  /** Whoever calls has given up. */
  | { readonly type: 'withdrawn' };

export type ForkEffect<End extends BranchEnd> =
  /** The call is this branch's from now on. */
  | { readonly type: 'choose'; readonly branch: number }
  /** CANCEL, or BYE where an answer is on its way. */
  | { readonly type: 'let-go'; readonly branch: number }
  /** The call is over. */
  | { readonly type: 'end'; readonly end: End };

export function newFork<End extends BranchEnd>(branches: number): Fork<End> {
  return { state: 'ringing', branches: Array.from({ length: branches }, () => undefined) };
}

export function step<End extends BranchEnd>(
  fork: Fork<End>,
  event: ForkEvent<End>,
): readonly [Fork<End>, readonly ForkEffect<End>[]] {
  const { state, branches } = fork;
  if (state !== 'ringing') return [fork, []];
  if (event.type === 'withdrawn') return [{ ...fork, state: 'over' }, lettingGo(branches)];
  if (branches[event.branch] !== undefined) return [fork, []];
  if (event.type === 'answered') {
    const choice = { type: 'choose', branch: event.branch } as const;
    return [{ ...fork, state: 'answered' }, [choice, ...lettingGo(branches, event.branch)]];
  }
  const after = branches.map((end, branch) => (branch === event.branch ? event.end : end));
  // §16.7 step 5. Our choice: it counts at once, an answer that crosses it is acknowledged and ended.
  const refusedByAll = isGlobalFailure(event.end);
  if (!refusedByAll && after.includes(undefined)) return [{ state, branches: after }, []];
  const end = refusedByAll ? event.end : bestOf(after, event.end);
  return [{ state: 'over', branches: after }, [...lettingGo(after, event.branch), { type: 'end', end }]];
}

function lettingGo<End extends BranchEnd>(branches: Fork<End>['branches'], but?: number): ForkEffect<End>[] {
  return branches.flatMap((end, branch) =>
    end === undefined && branch !== but ? [{ type: 'let-go', branch } as const] : [],
  );
}

function isGlobalFailure({ cause, sipStatus = 0 }: BranchEnd): boolean {
  return cause === 'rejected' && sipStatus >= 600;
}

/** The first of the best; branches stand in the order in which devices registered. */
function bestOf<End extends BranchEnd>(ends: Fork<End>['branches'], last: End): End {
  const found = ends.filter((end) => end !== undefined);
  return found.reduce((best, end) => (rankOf(end) < rankOf(best) ? end : best), found[0] ?? last);
}

/** §16.7 step 6: in these the caller learns how to try again. */
const TELLING: readonly number[] = [401, 407, 415, 420, 484];

/** Our choice among the other responses of 4xx: those first that say most of the person who is called. */
const PERSONAL: readonly number[] = [486, 480, 408, 487];

/**
 * The lower the better: responses of a lower class, within 4xx those that tell most (§16.7 step 6). A branch that has
 * not sent any comes last: it says nothing of the callee, and would be 408 or 503 if it had to be something.
 */
function rankOf({ cause, sipStatus }: BranchEnd): number {
  if (cause !== 'rejected' || sipStatus === undefined) return 10_000;
  const preferred = [...TELLING, ...PERSONAL].indexOf(sipStatus);
  const within = preferred < 0 ? 99 : TELLING.includes(sipStatus) ? 0 : preferred;
  return Math.floor(sipStatus / 100) * 100 + within;
}
