import type { CommandResult, OutgoingLink } from '../control/link.ts';
import type { LegCommand } from '../control/protocol.ts';

/** A link that is another one in all that a subclass does not say otherwise. */
export abstract class PassedLink implements OutgoingLink {
  /** The other one: as of now. */
  protected abstract get link(): OutgoingLink;

  get job() {
    return this.link.job;
  }

  get id() {
    return this.link.id;
  }

  get process() {
    return this.link.process;
  }

  get leg() {
    return this.link.leg;
  }

  get sipCallId() {
    return this.link.sipCallId;
  }

  get chosen(): OutgoingLink['chosen'] {
    return this.link.chosen;
  }

  get lost(): AbortSignal {
    return this.link.lost;
  }

  command(command: LegCommand): Promise<CommandResult> {
    return this.link.command(command);
  }

  release(): Promise<void> {
    return this.link.release();
  }

  get onEnded() {
    return this.link.onEnded;
  }

  set onEnded(listener) {
    this.link.onEnded = listener;
  }

  get onRefer() {
    return this.link.onRefer;
  }

  set onRefer(listener) {
    this.link.onRefer = listener;
  }

  get onReferred() {
    return this.link.onReferred;
  }

  set onReferred(listener) {
    this.link.onReferred = listener;
  }

  get onFormat() {
    return this.link.onFormat;
  }

  set onFormat(listener) {
    this.link.onFormat = listener;
  }

  abstract onProgress: OutgoingLink['onProgress'];
  abstract onAnswered: OutgoingLink['onAnswered'];
}
