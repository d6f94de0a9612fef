import type { CallLink, CommandResult } from '../../control/link.ts';
import type { LegCommand } from '../../control/protocol.ts';
import { abortable } from '../../core/abort.ts';
import type { Clock } from '../../core/clock.ts';
import type { MediaHost } from '../../media/threads/port.ts';
import { LegEnded } from '../port.ts';
import { LinkedLeg, type RemoteLeg } from './linked-leg.ts';

export type { RemoteLeg } from './linked-leg.ts';

export interface RemoteLegOptions {
  /** The call this worker was granted. */
  readonly link: CallLink;
  readonly media: MediaHost;
  readonly clock: Clock;
}

/** Takes over the leg as it was granted: ringing, or answered when another worker had it before. */
export function createRemoteLeg(options: RemoteLegOptions): RemoteLeg {
  return new InboundLeg(options);
}

class InboundLeg extends LinkedLeg {
  readonly #link: CallLink;
  #answering: Promise<CommandResult> | undefined;
  #progressing: Promise<CommandResult> | undefined;

  constructor({ link, media, clock }: RemoteLegOptions) {
    super(clock);
    this.#link = link;
    if (link.leg.state === 'answered') this.line.markAnswered();
    this.follow(link, media);
    link.onEnded = (end) => {
      // The confirmation of an answer may have been read together with the end: it came first and counts.
      if (this.#answering !== undefined && !this.line.answered) queueMicrotask(() => this.end(end));
      else this.end(end);
    };
  }

  async answer(): Promise<void> {
    this.ended.throwIfAborted();
    if (this.line.answered) return;
    this.#answering ??= this.command({ verb: 'answer' });
    await abortable(this.#answering, this.ended);
    this.line.markAnswered();
  }

  async reject(status: number, phrase?: string): Promise<void> {
    this.ended.throwIfAborted();
    if (this.line.answered) return this.hangup();
    const wording = phrase === undefined ? {} : { phrase };
    await this.endWith({ verb: 'reject', status, ...wording }, new LegEnded('rejected', status));
  }

  async progress(): Promise<void> {
    this.ended.throwIfAborted();
    if (this.line.answered) return;
    this.#progressing ??= this.command({ verb: 'progress' });
    await abortable(this.#progressing, this.ended);
  }

  protected override command(command: LegCommand): Promise<CommandResult> {
    return this.#link.command(command);
  }
}
