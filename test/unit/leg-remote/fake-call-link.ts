import type { CallLink, CommandResult, OutgoingLink } from '../../../src/control/link.ts';
import type { LegCommand, LegGrant } from '../../../src/control/protocol.ts';
import { LegEnded } from '../../../src/leg/port.ts';
import type { MediaFormat } from '../../../src/media/format.ts';
import { callJob } from '../../support/call-job.ts';

/** A held call whose edge is the test. */
export class FakeLink implements CallLink {
  readonly job = callJob();
  readonly id = this.job.callSid;
  readonly leg: LegGrant;
  readonly commands: LegCommand[] = [];
  /** What the edge does with a command. */
  carryOut: (command: LegCommand) => Promise<CommandResult> = async () => ({});
  readonly process = 'edge-1';
  onRefer: CallLink['onRefer'];
  onReferred: CallLink['onReferred'];
  onFormat: ((format: MediaFormat) => void) | undefined;
  readonly #losing = new AbortController();
  #onEnded: ((end: LegEnded) => void) | undefined;
  #end: LegEnded | undefined;

  constructor(state: LegGrant['state']) {
    this.leg = {
      state,
      media: {
        handle: 7,
        edge: { address: '127.0.0.1', port: 40_000 },
        format: { codec: 'PCMU', payloadType: 0, dtmfPayloadType: 101 },
      },
    };
  }

  get lost(): AbortSignal {
    return this.#losing.signal;
  }

  command(command: LegCommand): Promise<CommandResult> {
    this.commands.push(command);
    return this.carryOut(command);
  }

  async release(): Promise<void> {}

  get onEnded(): ((end: LegEnded) => void) | undefined {
    return this.#onEnded;
  }

  set onEnded(listener: ((end: LegEnded) => void) | undefined) {
    this.#onEnded = listener;
    if (this.#end) listener?.(this.#end);
  }

  /** The leg ends at the edge. */
  end(end: LegEnded): void {
    this.#end ??= end;
    this.#onEnded?.(this.#end);
  }

  /** The connection to the edge is lost. */
  lose(): void {
    const end = new LegEnded('edge-lost');
    this.end(end);
    this.#losing.abort(end);
  }

  /** The edge keeps the next commands waiting until the test settles them. */
  hold(): { resolve(): void; reject(error: Error): void } {
    let resolve = (_: CommandResult) => {};
    let reject = (_: Error) => {};
    const answer = new Promise<CommandResult>((res, rej) => {
      resolve = res;
      reject = rej;
    });
    this.carryOut = () => answer;
    return { resolve: () => resolve({}), reject };
  }
}

/** A call that the edge makes, until its peer has answered. */
export class FakeOutgoingLink extends FakeLink implements OutgoingLink {
  readonly sipCallId = 'abc@dublin';
  onProgress: OutgoingLink['onProgress'];
  onAnswered: OutgoingLink['onAnswered'];

  constructor() {
    super('ringing');
  }
}
