import type { CallJob, InboundJob, OutboundJob } from '../call/job.ts';
import { KeptEvent } from '../core/kept-event.ts';
import { LegEnded } from '../leg/port.ts';
import type { MediaFormat } from '../media/format.ts';
import { legIdOf } from './leg-id.ts';
import {
  type CallLink,
  CommandFailed,
  type CommandResult,
  type InboundLink,
  type OutgoingLink,
} from './link.ts';
import type { DialRequest, EdgeMessage, LegCommand, LegGrant } from './protocol.ts';

/** What a held call needs of its connection. */
export interface CallConnection {
  /** The edge process it leads to. */
  readonly process: string;
  command(callSid: string, epoch: number, command: LegCommand): Promise<CommandResult>;
  release(callSid: string, epoch: number): Promise<void>;
}

/** What an edge says of a call. */
export type CallEvent = Extract<
  EdgeMessage,
  { readonly type: 'ended' | 'format' | 'progress' | 'answered' | 'refer' | 'referred' }
>;

/** A call held through a connection: keeps what happened until somebody listens. */
export class HeldCall<Job extends CallJob = CallJob> implements CallLink {
  readonly job: Job;
  readonly id: string;
  readonly leg: LegGrant;
  readonly #refer = new KeptEvent<[referTo: string]>();
  readonly #referred = new KeptEvent<[status: number, final: boolean]>();
  readonly #format = new KeptEvent<[format: MediaFormat]>();
  readonly #connection: CallConnection;
  readonly #epoch: number;
  readonly #losing = new AbortController();
  #released: Promise<void> | undefined;
  #end: LegEnded | undefined;
  #onEnded: ((end: LegEnded) => void) | undefined;

  /** `epoch` is the one it is held in. */
  constructor(connection: CallConnection, epoch: number, job: Job, leg: LegGrant, id = job.callSid) {
    this.#connection = connection;
    this.#epoch = epoch;
    this.id = id;
    this.job = job;
    this.leg = leg;
  }

  get process(): string {
    return this.#connection.process;
  }

  get lost(): AbortSignal {
    return this.#losing.signal;
  }

  command(command: LegCommand): Promise<CommandResult> {
    if (this.lost.aborted) return Promise.reject(this.lost.reason);
    if (this.#released !== undefined)
      return Promise.reject(new CommandFailed(`${this.id} has been released`));
    return this.#connection.command(this.id, this.#epoch, command);
  }

  release(): Promise<void> {
    if (this.lost.aborted) return Promise.resolve();
    this.#released ??= this.#connection.release(this.id, this.#epoch);
    return this.#released;
  }

  get onEnded(): ((end: LegEnded) => void) | undefined {
    return this.#onEnded;
  }

  set onEnded(listener: ((end: LegEnded) => void) | undefined) {
    this.#onEnded = listener;
    if (this.#end) listener?.(this.#end);
  }

  get onFormat(): CallLink['onFormat'] {
    return this.#format.listener;
  }

  set onFormat(listener: CallLink['onFormat']) {
    this.#format.listener = listener;
  }

  get onRefer(): CallLink['onRefer'] {
    return this.#refer.listener;
  }

  set onRefer(listener: CallLink['onRefer']) {
    this.#refer.listener = listener;
  }

  get onReferred(): CallLink['onReferred'] {
    return this.#referred.listener;
  }

  set onReferred(listener: CallLink['onReferred']) {
    this.#referred.listener = listener;
  }

  happened(event: CallEvent): void {
    switch (event.type) {
      case 'ended': {
        const { cause, sipStatus, headers, diagnostic } = event;
        this.#over(new LegEnded(cause, sipStatus, undefined, headers, diagnostic));
        break;
      }
      case 'format':
        this.#format.tell(event.format);
        break;
      case 'refer':
        this.#refer.tell(event.referTo);
        break;
      case 'referred':
        this.#referred.tell(event.status, event.final);
        break;
    }
  }

  #over(end: LegEnded): void {
    if (this.#end) return;
    this.#end = end;
    this.#onEnded?.(end);
  }

  lose(end: LegEnded): void {
    this.#over(end);
    this.#losing.abort(end);
  }
}

/** A call that was granted. */
export class ClaimedCall extends HeldCall<InboundJob> implements InboundLink {}

/** A call that the edge makes. */
export class DialledCall extends HeldCall<OutboundJob> implements OutgoingLink {
  readonly sipCallId: string;
  readonly #progress = new KeptEvent<[status: number, early: boolean]>();
  readonly #answered = new KeptEvent<[headers: Readonly<Record<string, string>>]>();

  constructor(
    connection: CallConnection,
    request: Pick<DialRequest, 'job' | 'fork'>,
    leg: LegGrant,
    sipCallId: string,
  ) {
    super(connection, request.job.epoch, request.job, leg, legIdOf(request));
    this.sipCallId = sipCallId;
  }

  override happened(event: CallEvent): void {
    if (event.type === 'progress') this.#progress.tell(event.status, event.early);
    else if (event.type === 'answered') this.#answered.tell(event.headers);
    else super.happened(event);
  }

  get onProgress(): OutgoingLink['onProgress'] {
    return this.#progress.listener;
  }

  set onProgress(listener: OutgoingLink['onProgress']) {
    this.#progress.listener = listener;
  }

  get onAnswered(): OutgoingLink['onAnswered'] {
    return this.#answered.listener;
  }

  set onAnswered(listener: OutgoingLink['onAnswered']) {
    this.#answered.listener = listener;
  }
}
