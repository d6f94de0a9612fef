import type { CommandResult, OutgoingLink } from '../../control/link.ts';
import type { LegCommand } from '../../control/protocol.ts';
import type { Clock } from '../../core/clock.ts';
import { type Diagnostic, failure } from '../../core/diagnostic.ts';
import { KeptEvent } from '../../core/kept-event.ts';
import type { MediaHost } from '../../media/threads/port.ts';
import { LegEnded, type OutgoingLeg, type PeerAnswer, type PeerProgress } from '../port.ts';
import { LinkedLeg, type RemoteLeg } from './linked-leg.ts';

export interface OutgoingLegOptions {
  /** What the control channel's `dial` returns. A rejection ends the leg as not placed. */
  readonly link: Promise<OutgoingLink | { readonly notDialled: Diagnostic }>;
  readonly media: MediaHost;
  readonly clock: Clock;
}

/** A leg that an edge calls for this worker. */
export interface RemoteOutgoingLeg extends OutgoingLeg, RemoteLeg {}

/**
 * The leg exists at once; its call follows when the edge has answered the dial. What is asked of it before that (to be
 * recorded, bridged, played to, hung up) is done then. The call stays to be released by whoever dialled it.
 */
export function createOutgoingLeg(options: OutgoingLegOptions): RemoteOutgoingLeg {
  return new DialledLeg(options);
}

class DialledLeg extends LinkedLeg implements RemoteOutgoingLeg {
  readonly answered: Promise<PeerAnswer>;
  readonly #link: OutgoingLegOptions['link'];
  readonly #progress = new KeptEvent<[PeerProgress]>();
  #dialledLink: OutgoingLink | undefined;
  #resolveAnswered: (answer: PeerAnswer) => void = () => {};

  constructor({ link, media, clock }: OutgoingLegOptions) {
    super(clock);
    this.#link = link;
    this.answered = new Promise((resolve, reject) => {
      this.#resolveAnswered = resolve;
      this.ended.addEventListener('abort', () => reject(this.ended.reason), { once: true });
    });
    this.answered.catch(() => {}); // whoever waits hears of it; nobody has to
    link.then(
      (dialled) => this.#dialled(dialled, media),
      (error: unknown) =>
        this.#notPlaced(failure(12400, `This call could not be placed: ${messageOf(error)}`)),
    );
  }

  get sipCallId(): string {
    return this.#dialledLink?.sipCallId ?? '';
  }

  get onProgress(): OutgoingLeg['onProgress'] {
    return this.#progress.listener;
  }

  set onProgress(listener: OutgoingLeg['onProgress']) {
    this.#progress.listener = listener;
  }

  /** Does nothing once its peer has answered it; nobody else can. */
  async answer(): Promise<void> {
    this.ended.throwIfAborted();
    if (!this.line.answered) throw new Error('a leg that we call is answered by its peer');
  }

  /** There is nobody to refuse: it is hung up. */
  async reject(): Promise<void> {
    this.ended.throwIfAborted();
    await this.hangup();
  }

  /** It is its peer who lets us hear something. */
  async progress(): Promise<void> {
    this.ended.throwIfAborted();
  }

  protected override async command(command: LegCommand): Promise<CommandResult> {
    const link = await this.#link;
    return 'notDialled' in link ? {} : link.command(command);
  }

  #dialled(dialled: Awaited<OutgoingLegOptions['link']>, host: MediaHost): void {
    if ('notDialled' in dialled) return this.#notPlaced(dialled.notDialled);
    this.#dialledLink = dialled;
    if (this.ended.aborted) return; // hung up meanwhile: the command follows on the heels of the dial
    if (!dialled.chosen) this.#hear(dialled, host);
    else void dialled.chosen.then(() => this.#hear(dialled, host)); // never rejects
    if (this.ended.aborted) return;
    dialled.onProgress = (status, early) => this.#progress.tell({ status, early });
    dialled.onAnswered = (headers) => {
      this.line.markAnswered();
      this.#resolveAnswered({ headers });
    };
    dialled.onEnded = (end) => this.end(end);
  }

  /** From here on there is audio. */
  #hear(dialled: OutgoingLink, host: MediaHost): void {
    if (this.ended.aborted) return;
    try {
      this.follow(dialled, host);
    } catch (error) {
      dialled.command({ verb: 'hangup' }).catch(() => {}); // over as well
      this.end(new LegEnded('transport-failed', undefined, `no media for the leg: ${messageOf(error)}`));
    }
  }

  #notPlaced(diagnostic: Diagnostic): void {
    this.end(new LegEnded('not-placed', undefined, diagnostic.message, {}, diagnostic));
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
