import type { CallFacts } from '../call/facts.ts';
import type { CallChain, OutboundJob } from '../call/job.ts';
import type { OrderedDocument } from '../call/orders.ts';
import type { TimelineSink } from '../call/timeline.ts';
import { type Diagnostic, failure } from '../core/diagnostic.ts';
import { isE164 } from '../core/e164.ts';
import type { Leg } from '../leg/port.ts';
import { parseUri } from '../sip/message/uri.ts';
import type { ChildCall, ChildEnd, Dialer, DialOrder, DialTarget, VerbWorld } from '../twiml/verbs/ports.ts';
import { ApplicationCall } from './application-call.ts';
import type { CallParts } from './call-parts.ts';
import { notedAudio } from './noted-audio.ts';
import { OutgoingCall } from './outgoing-call.ts';
import { patiently } from './patiently.ts';

/** An order to call somebody. */
interface PartyOrder extends DialOrder {
  readonly target: DialTarget;
}

/** The call that dials. */
export interface DiallingCall {
  readonly facts: CallFacts;
  readonly leg: Leg;
  readonly timeline: TimelineSink;
  /** The edge process that holds it. */
  readonly process: string;
  /** The calls it comes from, where its edge said so: the next edge counts on. */
  readonly chain?: CallChain | undefined;
  /** How many applications it is in: each was called by the one around it. Absent: none. */
  readonly depth?: number;
}

export interface DialerOptions {
  readonly parent: DiallingCall;
  readonly parts: CallParts;
  /** Goes on with a child that the API gave a document of its own: to that call's end. */
  readonly goOn: (call: OutgoingCall, document: OrderedDocument, shutdown: AbortSignal) => Promise<void>;
}

/** The dialer of one live call. */
export interface CallDialer extends Dialer {
  /** Ends the children that are still this call's; resolves when all their ends are certain to be stored. */
  close(): Promise<void>;
}

export function createDialer({ parent, parts, goOn }: DialerOptions): CallDialer {
  const children = new Set<DialledCall | ApplicationCall>();

  const call = (from: DiallingCall, order: DialOrder, refused?: Diagnostic): ChildCall => {
    const { target } = order;
    const child =
      target.kind === 'application'
        ? new ApplicationCall({
            order: { ...order, target },
            parent: from,
            parts,
            refused,
            dialerOf: (application) => createDialer({ parent: application, parts, goOn }),
          })
        : called(from, { ...order, target }, refused ?? order.refused);
    children.add(child);
    void child.kept.then(() => children.delete(child)); // it never rejects
    return child;
  };

  const called = (from: DiallingCall, order: PartyOrder, refused: Diagnostic | undefined): DialledCall => {
    const screening: Dialer = { dial: (nested) => call(child.asParent, nested, noDialHere()) };
    const child: DialledCall = new DialledCall({
      call: new OutgoingCall(outgoingOrder(from, order, parts, refused), parts),
      parent: from,
      parts,
      goOn,
      dialer: screening,
    });
    return child;
  };

  return {
    dial: (order) => call(parent, order),
    async close() {
      for (const child of children) {
        child.withdraw('caller-gone');
        child.release(); // whoever had bridged it is gone
      }
      await Promise.all([...children].map((child) => child.kept));
    },
  };
}

/** @see https://www.twilio.com/docs/api/errors/13201 */
function noDialHere(): Diagnostic {
  return failure(13201, 'A document that screens a called party cannot <Dial>: nobody was called.');
}

function outgoingOrder(
  parent: DiallingCall,
  { target, callerId, statusCallback }: PartyOrder,
  parts: CallParts,
  refused: Diagnostic | undefined,
) {
  const { facts } = parent;
  const from = callerId ?? userOf(facts.from);
  const job: Omit<OutboundJob, 'egressEdge'> = {
    callSid: parts.ids.sid('CA'),
    epoch: 1,
    accountSid: facts.accountSid,
    region: parts.region.id,
    direction: 'outbound-dial',
    parentCallSid: facts.callSid,
    from,
    to: target.kind === 'number' ? target.number : target.uri,
    createdAt: parts.clock.now(),
    notes: [],
    ...(parent.chain && { chain: parent.chain }),
  };
  const onBehalfOf = ownNumbers(facts, target);
  return { job, target, fromUser: from, onBehalfOf, near: parent.process, statusCallback, refused };
}

/** A caller with a SIP URI is shown by its user part: only that has room in From beside our host. */
export function userOf(party: string): string {
  return (/^sips?:/i.test(party) ? parseUri(party)?.user : undefined) ?? party;
}

/**
 * The numbers that a call may show when it dials another number: its own two, unless its caller came by SIP and can
 * have claimed any.
 *
 * @see https://www.twilio.com/docs/voice/twiml/dial#callerid
 */
function ownNumbers({ from, to }: CallFacts, target: DialTarget): readonly string[] {
  if (target.kind !== 'number' || !isE164(from)) return [];
  return [from, to].filter(isE164);
}

interface DialledCallOptions {
  readonly call: OutgoingCall;
  readonly parent: DiallingCall;
  readonly parts: CallParts;
  readonly dialer: Dialer;
  readonly goOn: DialerOptions['goOn'];
}

/** A child while it is its parent's: until it is over, or the API gives it a document of its own. */
class DialledCall implements ChildCall {
  readonly callSid: string;
  readonly leg: OutgoingCall['leg'];
  readonly world: VerbWorld;
  readonly end: Promise<ChildEnd>;
  /** Resolves when its end is certain to be stored, or when it has left and been released. Never rejects. */
  readonly kept: Promise<void>;
  readonly #call: OutgoingCall;
  readonly #parts: CallParts;
  readonly #departing = new AbortController();
  readonly #released: Promise<void>;
  #release: () => void = () => {};
  #document: OrderedDocument | undefined;

  constructor({ call, parent, parts, dialer, goOn }: DialledCallOptions) {
    const { clock, choices } = parts;
    const { callSid, leg, facts, webhooks, desk, timeline } = call;
    this.#call = call;
    this.#parts = parts;
    this.callSid = callSid;
    this.leg = leg;
    this.world = {
      facts,
      webhooks,
      dialer,
      clock,
      leg,
      audio: notedAudio(parts.audio, timeline),
      speech: parts.speech,
      choices,
      recordings: desk,
      timeline,
      report: (diagnostic) => timeline.report(diagnostic),
    };
    this.#released = new Promise((resolve) => {
      this.#release = resolve;
    });
    call.onRedirect = (document) => {
      this.#depart(document, goOn);
      return true;
    };
    leg.ended.addEventListener('abort', () => this.#release(), { once: true });
    const orphaned = () => this.#orphaned();
    parent.leg.ended.addEventListener('abort', orphaned, { once: true });
    const over = this.#over().finally(() => parent.leg.ended.removeEventListener('abort', orphaned));
    if (parent.leg.ended.aborted) orphaned();
    this.kept = over
      .then(() => (this.departed.aborted ? this.#released : call.finish()))
      .catch((error: unknown) => {
        parts.logger.error({ CallSid: callSid, error }, 'the end of a call could not be written down');
      });
    this.end = over.then(() => this.#ended());
  }

  /** As the call that dials, in a document that screens it. */
  get asParent(): DiallingCall {
    const { facts, leg, timeline } = this.#call;
    return { facts, leg, timeline, process: '' };
  }

  get departed(): AbortSignal {
    return this.#departing.signal;
  }

  withdraw(why: Parameters<ChildCall['withdraw']>[0]): void {
    if (!this.departed.aborted) this.#call.withdraw(why);
  }

  release(): void {
    if (this.departed.aborted) this.#release();
  }

  leave(document: OrderedDocument): void {
    this.#call.redirect(document);
  }

  /** Nobody is left for whom it rings. What becomes of one that has answered is for the verb that bridged it. */
  #orphaned(): void {
    if (!this.#call.answered) this.withdraw('caller-gone');
  }

  #depart(document: OrderedDocument, goOn: DialerOptions['goOn']): void {
    const first = this.#document === undefined;
    this.#document = document; // until it is released, the newest counts
    if (!first) return;
    this.#parts.adopt(async (shutdown) => {
      await this.#released;
      await goOn(this.#call, this.#document ?? document, shutdown);
    });
    this.#departing.abort();
  }

  /** Resolves when it is over or has left. */
  async #over(): Promise<void> {
    await new Promise<void>((resolve) => {
      for (const signal of [this.leg.ended, this.departed]) {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
      }
    });
  }

  async #ended(): Promise<ChildEnd> {
    const { sipCallId, ended } = this.leg;
    if (this.departed.aborted && !ended.aborted) {
      const { duration } = this.#call;
      return { status: 'completed', sipStatus: undefined, sipCallId, headers: {}, duration };
    }
    await patiently(this.kept, this.#parts.clock);
    const { status, sipStatus } = this.#call.outcome;
    const { headers }: { headers: ChildEnd['headers'] } = ended.reason;
    return { status, sipStatus, sipCallId, headers, duration: this.#call.duration };
  }
}
