import { type Fork, type ForkEvent, newFork, step } from '../call/fork.ts';
import { CommandFailed, type CommandResult, type OutgoingLink } from '../control/link.ts';
import type { LegCommand } from '../control/protocol.ts';
import { KeptEvent } from '../core/kept-event.ts';
import { LegEnded } from '../leg/port.ts';
import type { Placement } from './call-parts.ts';
import { PassedLink } from './passed-link.ts';

/** Hears how single devices end while the call goes on; nothing of those that are let go. */
export type OnBranchEnd = (branch: number, end: LegEnded) => void;

/**
 * Becomes the link of a call that rings at several devices, as soon as one of them is being called; when none can be,
 * it says why not, as the first of them does.
 */
export async function fork(
  placements: readonly Promise<Placement>[],
  onBranchEnd: OnBranchEnd,
): Promise<Placement> {
  const called = placements.map(async (placement) => {
    const link = await placement;
    if ('notDialled' in link) throw link; // for `any`: one that is not called is no success
    return link;
  });
  const first = await Promise.any(called).catch(() => placements[0]);
  if (!first) throw new Error('a call was to ring at no device at all');
  return 'notDialled' in first ? first : new ForkedLink(first, placements, onBranchEnd);
}

/**
 * One call with a leg at the edge for each device it rings at, seen as one link. `src/call/fork.ts` decides what
 * becomes of the call until one has answered; from then on this is that leg's link. Early media is not heard: several
 * devices cannot be heard at once (our choice, as for a `<Dial>` of several parties).
 */
class ForkedLink extends PassedLink {
  readonly #chosen: Promise<void>;
  readonly #links = new Map<number, OutgoingLink>();
  readonly #onBranchEnd: OnBranchEnd;
  readonly #progress = new KeptEvent<[status: number, early: boolean]>();
  readonly #answered = new KeptEvent<[headers: Readonly<Record<string, string>>]>();
  readonly #losing = new AbortController();
  #fork: Fork<LegEnded>;
  /** The first that was called, then the one that answered: before that nobody sends REFER or another format. */
  protected link: OutgoingLink;
  #choose: () => void = () => {};
  #released = false;
  #end: LegEnded | undefined;
  #onEnded: OutgoingLink['onEnded'];

  constructor(first: OutgoingLink, placements: readonly Promise<Placement>[], onBranchEnd: OnBranchEnd) {
    super();
    this.link = first;
    this.#onBranchEnd = onBranchEnd;
    this.#fork = newFork(placements.length);
    this.#chosen = new Promise((resolve) => {
      this.#choose = resolve;
    });
    for (const [branch, placement] of placements.entries()) {
      placement.then(
        (placed) => this.#placed(branch, placed),
        (error: unknown) => this.#branchEnded(branch, new LegEnded('not-placed', undefined, `${error}`)),
      );
    }
  }

  override get chosen(): Promise<void> {
    return this.#chosen;
  }

  override get lost(): AbortSignal {
    return this.#losing.signal;
  }

  override async command(command: LegCommand): Promise<CommandResult> {
    if (this.#fork.state === 'answered') return await this.link.command(command);
    if (command.verb !== 'hangup') throw new CommandFailed(`${command.verb}: no device has answered yet`);
    const [after, effects] = step(this.#fork, { type: 'withdrawn' });
    this.#fork = after;
    // They stay held: when this worker is lost, their edges say how the call ended.
    const given = effects.map((effect) =>
      effect.type === 'let-go' ? this.#links.get(effect.branch)?.command(command) : undefined,
    );
    await Promise.all(given);
    return {};
  }

  override async release(): Promise<void> {
    this.#released = true;
    await Promise.all([...this.#links.values()].map((link) => link.release()));
  }

  override get onEnded() {
    return this.#onEnded;
  }

  override set onEnded(listener) {
    this.#onEnded = listener;
    if (this.#end) listener?.(this.#end);
  }

  override get onProgress() {
    return this.#progress.listener;
  }

  override set onProgress(listener) {
    this.#progress.listener = listener;
  }

  override get onAnswered() {
    return this.#answered.listener;
  }

  override set onAnswered(listener) {
    this.#answered.listener = listener;
  }

  #placed(branch: number, placed: Placement): void {
    if ('notDialled' in placed) {
      const { notDialled } = placed;
      this.#branchEnded(branch, new LegEnded('not-placed', undefined, notDialled.message, {}, notDialled));
      return;
    }
    this.#links.set(branch, placed);
    if (this.#fork.state !== 'ringing' || this.#released) {
      this.#letGo(branch);
      return;
    }
    placed.onProgress = (status) => {
      if (this.#fork.state === 'ringing') this.#progress.tell(status, false);
    };
    placed.onAnswered = (headers) => {
      if (this.#fork.state !== 'ringing') return;
      this.#apply({ type: 'answered', branch });
      this.#answered.tell(headers);
    };
    placed.onEnded = (end) => this.#branchEnded(branch, end);
  }

  #branchEnded(branch: number, end: LegEnded): void {
    if (this.#fork.state === 'answered') {
      if (this.#links.get(branch) === this.link) this.#over(end);
      return;
    }
    if (this.#fork.state === 'over') return;
    this.#apply({ type: 'ended', branch, end });
    if (this.#end) return;
    this.#onBranchEnd(branch, end);
    this.#letGo(branch); // the last one stays: when this worker is lost, its edge says how the call ended
  }

  #apply(event: ForkEvent<LegEnded>): void {
    const [after, effects] = step(this.#fork, event);
    this.#fork = after;
    for (const effect of effects) {
      if (effect.type === 'choose') this.#chose(effect.branch);
      else if (effect.type === 'let-go') this.#letGo(effect.branch);
      else this.#over(effect.end);
    }
  }

  #chose(branch: number): void {
    const link = this.#links.get(branch);
    if (!link) throw new Error(`branch ${branch} answered and was never called`);
    this.link = link;
    const lost = () => this.#losing.abort(link.lost.reason);
    if (link.lost.aborted) lost();
    else link.lost.addEventListener('abort', lost, { once: true });
    this.#choose();
  }

  /** Its edge sends CANCEL, or BYE to an answer that crosses it, and forgets it. */
  #letGo(branch: number): void {
    const link = this.#links.get(branch);
    this.#links.delete(branch);
    link?.release().catch(() => {}); // it never rejects: nobody is left to be told
  }

  #over(end: LegEnded): void {
    if (this.#end) return;
    this.#end = end;
    this.#onEnded?.(end);
  }
}
