import type { Clock } from '../../core/clock.ts';
import type { Ids } from '../../core/ids.ts';
import { type Agreement, acceptAnswer, answerOffer, makeOffer } from '../../media/offer-answer.ts';
import { type InboundInvite, type SipDialog, SipEnded } from '../../sip/agent/port.ts';
import { reasonPhrase } from '../../sip/message/reason-phrases.ts';
import { type Conversation, converse, FAREWELL_MS, SILENCE_MS } from '../phone/conversation.ts';
import { HeardAudio } from '../phone/heard-audio.ts';
import { RtpLine } from '../phone/rtp-line.ts';
import { scriptFrames } from '../phone/script.ts';
import type { AnswerPlan } from './answer-plan.ts';

export interface CalleeOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly report: (text: string) => void;
  /** Aborted when the person wants to hang up. */
  readonly interrupt: AbortSignal;
}

/** Takes one call and stays until it is over; undefined when it was not answered. */
export async function answerCall(
  plan: AnswerPlan,
  invite: InboundInvite,
  options: CalleeOptions,
): Promise<Conversation | undefined> {
  const heard = new HeardAudio(plan.ringMs + plan.maxMs + FAREWELL_MS);
  const local = invite.source.listener.bound.address;
  const line = await RtpLine.open({
    ...options,
    address: local,
    heard,
    onSound: () => options.report('hears sound'),
    onKey: (key) => options.report(`hears key ${key}`),
  });
  try {
    return await new Callee(plan, invite, options, { line, heard, local }).answer();
  } finally {
    await line.close();
  }
}

interface Equipment {
  readonly line: RtpLine;
  readonly heard: HeardAudio;
  readonly local: string;
}

/** Our side of the SDP: an answer to the INVITE's offer, or an offer where it has none. */
type Description = { readonly sdp: string; readonly agreed: Agreement | undefined };

class Callee {
  readonly #plan: AnswerPlan;
  readonly #invite: InboundInvite;
  readonly #o: CalleeOptions;
  readonly #e: Equipment;
  #started = false;

  constructor(plan: AnswerPlan, invite: InboundInvite, options: CalleeOptions, equipment: Equipment) {
    this.#plan = plan;
    this.#invite = invite;
    this.#o = options;
    this.#e = equipment;
  }

  async answer(): Promise<Conversation | undefined> {
    const { status } = this.#plan;
    const description = status === undefined || this.#plan.early ? this.#describe() : undefined;
    if (description && 'reason' in description) {
      this.#o.report(`the SDP of the INVITE cannot be used: ${description.reason}`);
      this.#refuse(description.status);
      return undefined;
    }
    this.#ring(description);
    if (!(await this.#patience())) return undefined;
    if (status !== undefined) this.#refuse(status);
    return status !== undefined || !description ? undefined : this.#talk(description);
  }

  #describe(): Description | { readonly status: number; readonly reason: string } {
    const { line, local } = this.#e;
    const media = { address: local, port: line.port, sessionId: this.#o.ids.uint32(), version: 1 };
    const { body } = this.#invite.request;
    if (body === '') return { sdp: makeOffer(media), agreed: undefined };
    const agreed = answerOffer(body, media);
    return agreed.ok ? { sdp: agreed.sdp, agreed } : agreed;
  }

  #ring(description: Description | undefined): void {
    const { headers, early, ringMs } = this.#plan;
    if (early && description) {
      this.#invite.respond(183, { headers, body: description.sdp, contentType: 'application/sdp' });
      this.#o.report('183 Session Progress sent, with audio');
      if (description.agreed) this.#start(description.agreed);
    } else if (ringMs > 0) {
      this.#invite.respond(180, { headers });
      this.#o.report('180 Ringing sent');
    }
  }

  /** Rings; claims that the call is still there after it. */
  async #patience(): Promise<boolean> {
    const { clock, interrupt } = this.#o;
    const { ended } = this.#invite;
    await new Promise<void>((resolve) => {
      const timer = clock.after(this.#plan.ringMs, over);
      function over() {
        timer.cancel();
        ended.removeEventListener('abort', over);
        interrupt.removeEventListener('abort', over);
        resolve();
      }
      ended.addEventListener('abort', over);
      interrupt.addEventListener('abort', over);
      if (ended.aborted || interrupt.aborted) over();
    });
    if (ended.aborted) {
      const reason: unknown = ended.reason;
      const cause = reason instanceof SipEnded ? reason.cause : 'ended';
      this.#o.report(
        cause === 'cancel' ? 'CANCEL received: the caller hung up before the answer' : `over: ${cause}`,
      );
    } else if (interrupt.aborted) this.#refuse(480);
    return !ended.aborted;
  }

  #refuse(status: number): void {
    this.#invite.respond(status, { headers: this.#plan.headers });
    this.#o.report(`${status} ${reasonPhrase(status)} sent`);
  }

  async #talk({ sdp, agreed }: Description): Promise<Conversation> {
    const { headers, maxMs } = this.#plan;
    const dialog = this.#invite.accept(sdp, { headers });
    this.#o.report('200 OK sent');
    if (agreed) this.#start(agreed);
    else await this.#answerInAck(dialog, sdp);
    return converse(dialog, { ...this.#o, ...this.#e, description: sdp, peer: 'The caller', maxMs });
  }

  /**
   * Where the INVITE had no offer the ACK has the answer to ours (RFC 3261 §13.3.1.4). One that never brings it is a
   * call without audio, until somebody ends it.
   */
  #answerInAck(dialog: SipDialog, offer: string): Promise<void> {
    const { clock, interrupt, report } = this.#o;
    return new Promise((resolve) => {
      const patience = clock.after(this.#plan.maxMs, over);
      function over() {
        patience.cancel();
        dialog.ended.removeEventListener('abort', over);
        interrupt.removeEventListener('abort', over);
        resolve();
      }
      dialog.ended.addEventListener('abort', over);
      interrupt.addEventListener('abort', over);
      dialog.onAnswer = (answer) => {
        const agreed = acceptAnswer(offer, answer);
        if (agreed.ok) this.#start(agreed);
        else report(`the SDP of the ACK cannot be used: ${agreed.reason}`);
        over();
      };
    });
  }

  /** Begins to hear, to press and to play. */
  #start(agreed: Agreement): void {
    if (this.#started) return;
    this.#started = true;
    const { line } = this.#e;
    const { report } = this.#o;
    const { address, port } = agreed.remote;
    report(`${agreed.format.codec}, audio at ${address}:${port}`);
    line.perform(
      scriptFrames({
        start: { afterMs: 0 },
        actions: this.#plan.actions,
        peer: 'caller',
        asEvents: agreed.format.dtmfPayloadType !== undefined,
        isPeerSilent: () => line.isSilentFor(SILENCE_MS),
        report,
      }),
    );
    line.start(agreed);
  }
}
