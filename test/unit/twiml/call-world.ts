import { STANDARD_CHOICES } from '../../../src/call/choices.ts';
import type { OrderedDocument } from '../../../src/call/orders.ts';
import type { Withdrawal } from '../../../src/call/outcomes.ts';
import type { TimelineEntry } from '../../../src/call/timeline.ts';
import { type Clock, VirtualClock } from '../../../src/core/clock.ts';
import type { Diagnostic } from '../../../src/core/diagnostic.ts';
import { SimulatedLeg } from '../../../src/leg/simulated/simulated-leg.ts';
import { SimulatedOutgoingLeg } from '../../../src/leg/simulated/simulated-outgoing-leg.ts';
import type { CallWorld, Checkpoint } from '../../../src/twiml/interpreter/world.ts';
import type { ChildCall, ChildEnd, DialOrder } from '../../../src/twiml/verbs/ports.ts';
import type { WebhookRequest, WebhookSession } from '../../../src/webhook/port.ts';

/** A call that the world's dialer made: its leg's peer does what the test says. */
export class TestChild implements ChildCall {
  readonly callSid: string;
  readonly leg: SimulatedOutgoingLeg;
  readonly world: CallWorld;
  readonly end: Promise<ChildEnd>;
  readonly order: DialOrder;
  readonly #departed = new AbortController();
  withdrawn: Withdrawal | undefined;
  released = 0;
  left: OrderedDocument | undefined;

  constructor(callSid: string, order: DialOrder, parent: CallWorld, clock: Clock) {
    this.callSid = callSid;
    this.order = order;
    this.leg = new SimulatedOutgoingLeg(clock, `${callSid}@test`);
    const facts = { ...parent.facts, callSid, direction: 'outbound-dial', parentCallSid: 'CA1' } as const;
    this.world = { ...parent, facts, leg: this.leg, onRedirect: undefined };
    let answered = false;
    this.leg.answered.then(
      () => {
        answered = true;
      },
      () => {},
    );
    this.end = new Promise((resolve) => {
      const over = () => {
        const status = answered ? 'completed' : 'canceled';
        const sipCallId = this.leg.sipCallId;
        resolve({ status, sipStatus: undefined, sipCallId, headers: {}, duration: 0 });
      };
      this.leg.ended.addEventListener('abort', over, { once: true });
      this.departed.addEventListener('abort', over, { once: true });
    });
  }

  get departed(): AbortSignal {
    return this.#departed.signal;
  }

  withdraw(why: Withdrawal): void {
    if (this.leg.state === 'ended') return;
    this.withdrawn ??= why;
    void this.leg.hangup(); // a simulated leg never fails to
  }

  release(): void {
    this.released++;
    void this.leg.hangup(); // its own document would end it some time
  }

  leave(document: OrderedDocument): void {
    this.left = document;
    this.#departed.abort();
  }
}

/** Documents by path; any other is a mistake of the test. */
function application(documents: Record<string, string>, seen: WebhookRequest[]): WebhookSession {
  return {
    async fetch(request, signal) {
      signal.throwIfAborted();
      seen.push(request);
      const url = new URL(request.url);
      const body = documents[url.pathname];
      if (body === undefined) throw new Error(`no document at ${url.pathname}`);
      const bare = `${url.origin}${url.pathname}`;
      return {
        ok: true,
        attempts: [],
        response: { url: bare, status: 200, contentType: 'text/xml', body: Buffer.from(body) },
      };
    },
  };
}

export function setUp(
  documents: Record<string, string>,
  voiceUrl = 'http://app.test/voice',
  onDial: (child: TestChild, index: number) => void = () => {},
) {
  const clock = new VirtualClock();
  const leg = new SimulatedLeg(clock);
  const requests: WebhookRequest[] = [];
  const checkpoints: Checkpoint[] = [];
  const diagnostics: Diagnostic[] = [];
  const timeline: TimelineEntry[] = [];
  const begun: string[] = [];
  const finished: string[] = [];
  const children: TestChild[] = [];
  const world: CallWorld = {
    clock,
    choices: STANDARD_CHOICES,
    leg,
    facts: {
      callSid: 'CA1',
      accountSid: 'AC1',
      from: '+15005550001',
      to: '+15005550006',
      direction: 'inbound',
      parentCallSid: null,
      callerName: null,
      forwardedFrom: null,
      sip: null,
      domain: null,
    },
    config: { voiceUrl, voiceMethod: 'POST', voiceFallbackUrl: '', voiceFallbackMethod: 'POST' },
    webhooks: application(documents, requests),
    audio: {
      speech: async (text) => ({ clip: { id: text, pcm: new Int16Array(16_000) }, diagnostics: [] }),
      media: async (url) => ({ id: url, pcm: new Int16Array(32_000) }),
      decode: async () => ({ id: 'decoded', pcm: new Int16Array(8_000) }),
    },
    recordings: {
      begin: async () => {
        const sid = `RE${begun.length + 1}`;
        begun.push(sid);
        return { sid, url: `http://api.test/${sid}` };
      },
      finish: async (sid) => {
        finished.push(sid);
      },
      follow: (sid, start) => {
        void start().ended.then(() => finished.push(sid)); // a simulated one never fails
      },
      followed: [],
      ended: async () => {},
    },
    timeline: { add: (entry) => timeline.push(entry) },
    report: (diagnostic) => diagnostics.push(diagnostic),
    dialer: {
      dial: (order) => {
        const child = new TestChild(`CA${children.length + 2}`, order, world, clock);
        children.push(child);
        onDial(child, children.length - 1);
        return child;
      },
    },
    onRedirect: undefined,
    checkpoint: async (point) => {
      checkpoints.push(point);
    },
  };
  return { clock, leg, world, requests, checkpoints, diagnostics, timeline, begun, finished, children };
}
