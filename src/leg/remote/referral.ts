import { abortable } from '../../core/abort.ts';
import type { Clock } from '../../core/clock.ts';
import { Mailbox } from '../../core/mailbox.ts';
import type { ReferOutcome } from '../port.ts';

/** A peer of whose referral nothing is heard for this long is not waited for (port.ts). */
const SILENCE_MS = 60_000;

interface Heard {
  /** Of the NOTIFY; undefined: nothing was heard for too long. */
  readonly status: number | undefined;
  readonly final: boolean;
}

/** A REFER that we sent, RFC 3515: the peer's answer, then the NOTIFYs that tell how far it has come. */
export class Referral {
  readonly #clock: Clock;
  readonly #heard = new Mailbox<Heard>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  notified(status: number, final: boolean): void {
    this.#heard.put({ status, final });
  }

  /** `asked` resolves with the peer's answer. Rejects with the signal's reason only. */
  async outcome(asked: Promise<number>, signal: AbortSignal): Promise<ReferOutcome> {
    const status = await abortable(asked, signal);
    if (status < 200 || status >= 300) return { status, notified: undefined };
    let notified: number | undefined;
    for (;;) {
      const heard = await this.#next(signal);
      notified = heard.status ?? notified;
      if (heard.final || (notified !== undefined && notified >= 200)) return { status, notified };
    }
  }

  async #next(signal: AbortSignal): Promise<Heard> {
    const patience = this.#clock.after(SILENCE_MS, () => this.#heard.put({ status: undefined, final: true }));
    try {
      return await this.#heard.take(signal);
    } finally {
      patience.cancel();
    }
  }
}
