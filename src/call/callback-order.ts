import { type Clock, sleep } from '../core/clock.ts';

/**
 * Our choice: how long the later callbacks of a call wait for one that cannot be delivered. An application that is
 * restarted is back by then; one that is gone costs the others no more than this.
 */
const PATIENCE_MS = 30_000;

interface Turn {
  readonly id: string;
  /** Resolves when its callback has been delivered, given up, or waited for long enough. */
  readonly over: Promise<void>;
  readonly end: () => void;
}

/**
 * Delivers what belongs together one after the other: the status callbacks of one call. Tasks begin in the order in
 * which they were queued; one that is tried again keeps its place.
 */
export class CallbackOrder {
  readonly #clock: Clock;
  /** Per call: its turns that are not over, in order. */
  readonly #turns = new Map<string, Turn[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls that wait or are being told: a leak test compares it. */
  get size(): number {
    return this.#turns.size;
  }

  /**
   * Runs `deliver` when those before it are over. When it rejects and is not the `last` attempt, those behind it wait
   * for the next one, which comes under the same `id`; but not for ever.
   */
  async deliver(callSid: string, id: string, last: boolean, deliver: () => Promise<void>): Promise<void> {
    const turns = this.#turns.get(callSid) ?? [];
    let turn = turns.find((mine) => mine.id === id);
    if (!turn) {
      const before = turns.map(({ over }) => over);
      turn = this.#enter(callSid, id, turns);
      await Promise.all(before);
    }
    try {
      await deliver();
      turn.end();
    } catch (error) {
      if (last) turn.end();
      else this.#giveUpLater(turn);
      throw error;
    }
  }

  #enter(callSid: string, id: string, turns: Turn[]): Turn {
    let end = () => {};
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    const turn = { id, over, end };
    turns.push(turn);
    this.#turns.set(callSid, turns);
    void over.then(() => {
      // a turn never rejects
      turns.splice(turns.indexOf(turn), 1);
      if (turns.length === 0) this.#turns.delete(callSid);
    });
    return turn;
  }

  #giveUpLater(turn: Turn): void {
    const delivered = new AbortController();
    void turn.over.then(() => delivered.abort(turn)); // a turn never rejects
    sleep(this.#clock, PATIENCE_MS, delivered.signal).then(turn.end, () => {}); // delivered in time
  }
}
