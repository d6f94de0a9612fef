import type { Diagnostic } from '../../../core/diagnostic.ts';
import { diagnose } from '../../../core/error-catalogue.ts';
import type { ReceivedRefer } from '../../../leg/port.ts';
import { type CallScope, type DocumentRequest, type Outcome, proceed } from '../call-scope.ts';
import { type Candidate, callParties } from './calling.ts';
import { Conversation, type Happening } from './conversation.ts';
import { DialRecording } from './dial-recording.ts';
import type { DialNode, Invitation } from './plan.ts';
import { actionParameters } from './result.ts';
import { Ringback } from './ringback.ts';
import { attendedTransfer, blindTransfer } from './transfers.ts';

/** What is passed on of Refer-To. @see https://www.twilio.com/docs/voice/twiml/dial#referurl */
const LONGEST_REFER_TO = 256;

/** One run of a `<Dial>`: calls, connects, and says how the call goes on. */
export class Dialling {
  readonly #node: DialNode;
  readonly #call: CallScope;
  readonly #ringback: Ringback;
  readonly #recording: DialRecording;
  readonly #candidates = new Set<Candidate>();
  /** Resolved at the start: another document may run when it is asked for. */
  readonly #actionUrl: string | Diagnostic | undefined;
  #connected: Candidate | undefined;
  #conversation: Conversation | undefined;

  constructor(node: DialNode, call: CallScope) {
    this.#node = node;
    this.#call = call;
    this.#ringback = new Ringback(call.world.leg, node.attributes.ringTone, ringsAnywhere(node));
    this.#recording = new DialRecording(node.attributes, node.element, call);
    const { action } = node.attributes;
    this.#actionUrl = action ? call.resolve(action, node.element.position) : undefined;
  }

  run(invitations: readonly Invitation[], signal: AbortSignal): Promise<Outcome> {
    return this.#guarded(async () => {
      if (invitations.length > 0) {
        await this.#recording.begin('ringing');
        await this.#ringback.ring();
      }
      const { sequential, timeout } = this.#node.attributes;
      const timeoutMs = timeout + this.#call.world.choices.dialBufferMs;
      const called = await callParties(invitations, {
        rules: { sequential, timeoutMs },
        call: this.#call,
        ringback: this.#ringback,
        candidates: this.#candidates,
        signal,
      });
      if (called.kind === 'nobody') {
        await this.#ringback.end();
        return await this.#finish(called.last, signal);
      }
      const conversation = await this.#connect(called.candidate, signal);
      return await this.#talk(called.candidate, conversation, signal);
    });
  }

  async #connect(candidate: Candidate, signal: AbortSignal): Promise<Conversation> {
    const { timeLimit: timeLimitMs, hangupOnStar } = this.#node.attributes;
    const early = await this.#ringback.release();
    await this.#call.answer();
    await this.#recording.begin('answer'); // before the bridge, so that nothing said is missing
    signal.throwIfAborted();
    const { child } = candidate;
    const bridge = child.join?.('connected') ?? early ?? this.#call.world.leg.bridge(child.leg);
    this.#connected = candidate;
    this.#conversation = new Conversation(this.#call, child, bridge, { timeLimitMs, hangupOnStar });
    await this.#call.connected();
    return this.#conversation;
  }

  /** Until the conversation is over, or somebody is to replace the called party: how the call goes on. */
  async #talk(candidate: Candidate, conversation: Conversation, signal: AbortSignal): Promise<Outcome> {
    for (;;) {
      const happening = await conversation.next(signal);
      if (happening.kind === 'refer') {
        const outcome = await this.#refer(happening, candidate, conversation);
        if (outcome) return outcome;
      } else {
        await conversation.end();
        if (happening.kind === 'departed') candidate.child.release();
        return await this.#finish(candidate, signal);
      }
    }
  }

  /** The document that brings the successor; undefined when there is none: the conversation goes on. */
  async #refer(
    { by, refer }: Extract<Happening, { readonly kind: 'refer' }>,
    candidate: Candidate,
    conversation: Conversation,
  ): Promise<Outcome | undefined> {
    const { attributes, element } = this.#node;
    const target = refer.referTo.slice(0, LONGEST_REFER_TO);
    this.#call.world.timeline.add({ type: 'referred', by: 'peer', target });
    const url = attributes.referUrl ? this.#call.resolve(attributes.referUrl, element.position) : undefined;
    if (typeof url !== 'string') {
      this.#call.world.report(url ?? this.#noReferUrl(target));
      await refer.notify(603);
      return undefined;
    }
    const request = { url, method: attributes.referMethod, params: { ReferTransferTarget: target } };
    if (by === 'caller') return await this.#replaceCaller(refer, request, candidate, conversation);
    const waiting = {
      refer,
      child: candidate.child,
      conversation,
      finish: async () => {
        await this.#recording.finish();
      },
      goOn: (signal: AbortSignal) => this.#guarded(() => this.#talk(candidate, conversation, signal)),
      abandon: () => this.#abandon(),
    };
    const kept = attributes.answerOnBridge ? attendedTransfer(waiting) : blindTransfer(waiting);
    return { kind: 'redirect', request, transfer: kept };
  }

  #noReferUrl(target: string): Diagnostic {
    const message = `a party asked to be replaced by ${target} and <Dial> has no referUrl; the conversation goes on.`;
    const { position } = this.#node.element;
    const about = { url: this.#call.baseUrl, ...position, actual: target, expected: 'referUrl' };
    return diagnose(13802, message, about);
  }

  /**
   * The peer of this call asked to be replaced: the document runs on the called party, whose call goes on by itself,
   * and this call ends. Our choice: so it does with `answerOnBridge` too, there is nothing it could come back to.
   */
  async #replaceCaller(
    refer: ReceivedRefer,
    request: DocumentRequest,
    { child }: Candidate,
    conversation: Conversation,
  ): Promise<Outcome | undefined> {
    if (!child.leave) {
      await refer.notify(603);
      return undefined;
    }
    child.leave({ kind: 'url', ...request, fallbackUrl: '', fallbackMethod: 'POST' });
    await conversation.end();
    await this.#recording.finish();
    await refer.notify(200);
    child.release();
    return { kind: 'hangup' };
  }

  /** The outcome when everybody is gone. */
  async #finish(candidate: Candidate | undefined, signal: AbortSignal): Promise<Outcome> {
    const params = await this.#parameters(candidate);
    signal.throwIfAborted();
    return this.#action(params) ?? proceed;
  }

  async #parameters(candidate: Candidate | undefined): Promise<Readonly<Record<string, string>>> {
    const end = await candidate?.child.end;
    const { screenedOut } = this.#call.world.choices;
    const result = actionParameters(candidate, end, this.#connected !== undefined, screenedOut);
    return { ...result, ...(await this.#recording.finish()) };
  }

  #action(params: Readonly<Record<string, string>>): Outcome | undefined {
    const url = this.#actionUrl;
    if (url === undefined) return undefined;
    if (typeof url !== 'string') return { kind: 'failure', diagnostic: url };
    return { kind: 'redirect', request: { url, method: this.#node.attributes.method, params } };
  }

  async #guarded(work: () => Promise<Outcome>): Promise<Outcome> {
    try {
      return await work();
    } catch (error) {
      await this.#abandon();
      throw error;
    }
  }

  /** The call is over, or goes on elsewhere: nobody is left behind. Who hung up is told to `action`. */
  async #abandon(): Promise<void> {
    for (const { child } of this.#candidates) {
      if (child.departed.aborted) child.release();
      else child.withdraw('caller-gone');
    }
    await this.#ringback.end();
    await this.#conversation?.end();
    if (!this.#call.world.leg.ended.aborted) {
      await this.#recording.finish();
      return;
    }
    if (this.#call.world.choices.dialHangup === 'skip') {
      await this.#recording.finish();
      return;
    }
    const params = await this.#parameters(this.#connected ?? [...this.#candidates].at(-1));
    const outcome = this.#action(params);
    if (outcome?.kind === 'redirect') await this.#call.notify(outcome.request);
    if (outcome?.kind === 'failure') this.#call.world.report(outcome.diagnostic);
  }
}

/** An application has nothing that rings, and who cannot be reached does not either. */
function ringsAnywhere({ body }: DialNode): boolean {
  return body.called.some(({ target, refused }) => target.kind !== 'application' && !refused);
}
