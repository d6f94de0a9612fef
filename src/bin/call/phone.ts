import { type Clock, sleep } from '../../core/clock.ts';
import type { Ids } from '../../core/ids.ts';
import { silentLogger } from '../../core/logger.ts';
import type { Endpoint } from '../../media/format.ts';
import { acceptAnswer, makeOffer } from '../../media/offer-answer.ts';
import { createSipAgent } from '../../sip/agent/agent.ts';
import { type OutboundInvite, type SipAgent, type SipDialog, SipEnded } from '../../sip/agent/port.ts';
import { bracketHost } from '../../sip/message/grammar.ts';
import { codeOf } from '../phone/arguments.ts';
import { type Conversation, converse, FAREWELL_MS, farewell, SILENCE_MS } from '../phone/conversation.ts';
import { HeardAudio } from '../phone/heard-audio.ts';
import { addressOf, isRefused, localAddressTowards } from '../phone/reach.ts';
import { RtpLine } from '../phone/rtp-line.ts';
import { scriptFrames } from '../phone/script.ts';
import { plain } from '../phone/terminal.ts';
import { nobodyListens, refusalSentence } from './advice.ts';
import type { CallPlan } from './call-plan.ts';

/** No response after this long: is anybody there? RFC 3261 §17.1.1.1, T1: the first retransmission. */
const FIRST_DOUBT_MS = 500;

export interface PhoneOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  /** A line of progress, as it happens. */
  readonly report: (text: string) => void;
  /** Aborted when the person wants to hang up. */
  readonly interrupt: AbortSignal;
}

export type CallResult =
  | ({ readonly answered: true } & Conversation)
  | { readonly answered: false; readonly why: string };

/** Places one call and stays until it is over. */
export async function placeCall(plan: CallPlan, options: PhoneOptions): Promise<CallResult> {
  const { host, port } = plan.destination;
  let destination: Endpoint;
  let local: string;
  try {
    destination = { address: await addressOf(host), port };
    local = await localAddressTowards(destination);
  } catch (error) {
    return {
      answered: false,
      why: `${host} cannot be reached (${codeOf(error)}): check the host name, or name an address with --sip host:port.`,
    };
  }
  const heard = new HeardAudio(plan.maxMs + FAREWELL_MS);
  const line = await RtpLine.open({
    ...options,
    address: local,
    heard,
    onSound: () => options.report('hears sound'),
    onKey: (key) => options.report(`hears key ${key}`),
  });
  const agent = createSipAgent({ ...options, logger: silentLogger, userAgent: 'Trunkline call' });
  try {
    return await new Phone(plan, options, { agent, line, heard, destination, local }).call();
  } finally {
    await line.close();
    await agent.close();
  }
}

interface Equipment {
  readonly agent: SipAgent;
  readonly line: RtpLine;
  readonly heard: HeardAudio;
  readonly destination: Endpoint;
  readonly local: string;
}

class Phone {
  readonly #plan: CallPlan;
  readonly #o: PhoneOptions;
  readonly #e: Equipment;
  readonly #offer: string;

  constructor(plan: CallPlan, options: PhoneOptions, equipment: Equipment) {
    this.#plan = plan;
    this.#o = options;
    this.#e = equipment;
    this.#offer = makeOffer({
      address: equipment.local,
      port: equipment.line.port,
      sessionId: options.ids.uint32(),
      version: 1,
    });
  }

  async call(): Promise<CallResult> {
    const { agent, local, destination } = this.#e;
    const listener = await agent.listen({ transport: 'udp', host: local, port: 0, label: 'caller' });
    const { from } = this.#plan;
    const me = `${bracketHost(listener.advertised.address)}:${listener.advertised.port}`;
    const sentAt = this.#o.clock.monotonic();
    const invite = agent.invite({
      listener,
      uri: this.#plan.uri,
      destination,
      from: 'uri' in from ? `<${from.uri}>` : `<sip:${from.user}@${me}>`,
      body: this.#offer,
    });
    const to = `${bracketHost(destination.address)}:${destination.port}`;
    this.#o.report(`INVITE sent to ${this.#plan.edge ? `edge ${this.#plan.edge}, ` : ''}${to}`);
    const answer = await this.#ring(invite, to);
    if ('why' in answer) return { answered: false, why: answer.why };
    const { dialog, response } = answer;
    const agreed = acceptAnswer(this.#offer, response.body);
    if (!agreed.ok) {
      await farewell(this.#o.clock, dialog.bye());
      return {
        answered: false,
        why: `${this.#plan.callee} answered with an SDP that cannot be used: ${agreed.reason}.`,
      };
    }
    const ms = Math.round(this.#o.clock.monotonic() - sentAt);
    const { address, port } = agreed.remote;
    this.#o.report(
      `${response.status} ${plain(response.phrase)}: answered after ${ms} ms, ${agreed.format.codec}, audio at ${address}:${port}`,
    );
    return await this.#talk(dialog, agreed);
  }

  /** Until there is a dialog, or a sentence that says why there is none. */
  async #ring(
    invite: OutboundInvite,
    to: string,
  ): Promise<Awaited<OutboundInvite['answered']> | { readonly why: string }> {
    const { clock, interrupt, report } = this.#o;
    let gaveUp: { readonly why: string; readonly farewellMs: number } | undefined;
    let responded = false;
    let over = false;
    const giveUp = (said: string, why: string, farewellMs: number) => {
      if (gaveUp || over) return;
      gaveUp = { why, farewellMs };
      report(said);
      invite.cancel();
    };
    const cancel = (why: string) => giveUp('CANCEL sent', why, FIRST_DOUBT_MS);
    const onInterrupt = () => cancel('Hung up before the call was answered.');
    interrupt.addEventListener('abort', onInterrupt, { once: true });
    if (interrupt.aborted) onInterrupt();
    const patience = clock.after(this.#plan.maxMs, () => {
      cancel(`${this.#plan.callee} did not answer within ${this.#plan.maxMs / 1_000} s; --max allows more.`);
    });
    invite.onProgress = (response) => {
      responded = true;
      report(`${response.status} ${plain(response.phrase)}`);
    };
    const doubt = clock.after(FIRST_DOUBT_MS, () => {
      if (responded) return;
      isRefused(this.#e.destination, clock).then(
        (refused) => refused && giveUp('port unreachable', nobodyListens(to, this.#plan), 0),
        () => {}, // no way to ask: the INVITE's own timer decides
      );
    });
    try {
      return await invite.answered;
    } catch (error) {
      if (!(error instanceof SipEnded)) throw error;
      if (gaveUp) {
        await sleep(clock, gaveUp.farewellMs); // lets the CANCEL out and its 487 in
        return { why: gaveUp.why };
      }
      return { why: this.#whyNot(error, to) };
    } finally {
      over = true;
      patience.cancel();
      doubt.cancel();
      interrupt.removeEventListener('abort', onInterrupt);
    }
  }

  #whyNot(ended: SipEnded, to: string): string {
    const response = ended.message_?.kind === 'response' ? ended.message_ : undefined;
    if (ended.cause === 'rejected') {
      this.#o.report(`${ended.status} ${plain(response?.phrase ?? '')}`);
      return refusalSentence(ended.status ?? 500, response, this.#plan);
    }
    if (ended.cause === 'timeout') {
      return `${to} did not respond: is that a SIP address, and does it take calls from here over UDP?`;
    }
    return `The INVITE to ${to} could not be sent: check the address and this machine's network.`;
  }

  async #talk(
    dialog: SipDialog,
    agreed: Extract<ReturnType<typeof acceptAnswer>, { ok: true }>,
  ): Promise<CallResult> {
    const { line } = this.#e;
    line.perform(
      scriptFrames({
        ...this.#plan,
        asEvents: agreed.format.dtmfPayloadType !== undefined,
        peer: 'callee',
        isPeerSilent: () => line.isSilentFor(SILENCE_MS),
        report: this.#o.report,
      }),
    );
    line.start(agreed);
    const conversation = await converse(dialog, {
      ...this.#o,
      ...this.#e,
      description: this.#offer,
      peer: this.#plan.callee,
      maxMs: this.#plan.maxMs,
    });
    return { answered: true, ...conversation };
  }
}
