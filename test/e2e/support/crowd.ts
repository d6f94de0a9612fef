import { createSocket, type Socket } from 'node:dgram';
import { SystemClock } from '../../../src/core/clock.ts';
import { RandomIds } from '../../../src/core/ids.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { answerOffer, makeOffer } from '../../../src/media/offer-answer.ts';
import { createSipAgent } from '../../../src/sip/agent/agent.ts';
import type { InboundInvite, SipAgent, SipDialog, SipListener } from '../../../src/sip/agent/port.ts';
import { userOf } from '../../../src/sip/message/uri.ts';

const ADDRESS = '127.0.0.1';

/** How a call of the crowd goes, and what its `<Dial>` says. */
interface Course {
  readonly who: 'callee hangs up' | 'caller hangs up' | 'callee refuses' | 'caller gives up';
  readonly attributes: string;
}

const RECORD = 'record="record-from-answer-dual"';
const STAR = 'hangupOnStar="true"';

/** Half of them tapped by a recording or by somebody who listens for keys; four in five are connected. */
const COURSES: readonly Course[] = [
  { who: 'callee hangs up', attributes: '' },
  { who: 'callee hangs up', attributes: RECORD },
  { who: 'caller hangs up', attributes: '' },
  { who: 'caller hangs up', attributes: RECORD },
  { who: 'callee hangs up', attributes: '' },
  { who: 'callee hangs up', attributes: STAR },
  { who: 'caller hangs up', attributes: '' },
  { who: 'caller hangs up', attributes: STAR },
  { who: 'callee refuses', attributes: '' },
  { who: 'caller gives up', attributes: 'record="record-from-ringing"' },
];

interface Address {
  readonly host: string;
  readonly port: number;
}

/** The callee's side of a call. */
interface Called {
  readonly rings: Latch;
  readonly over: Latch;
  dialog?: SipDialog;
}

/**
 * Many callers and the callees that their calls are dialled to, in this process: SIP alone, for their audio is not
 * listened to. Who calls says how the call is to go.
 */
export class Crowd {
  readonly #agent: SipAgent;
  readonly #listener: SipListener;
  readonly #audio: Socket;
  readonly #to: Address;
  readonly #called = new Map<string, Called>();
  #version = 0;
  /** Calls that were connected. */
  bridged = 0;

  private constructor(agent: SipAgent, listener: SipListener, audio: Socket, to: Address) {
    this.#agent = agent;
    this.#listener = listener;
    this.#audio = audio;
    this.#to = to;
    agent.onInvite = (invite) => this.#callee(invite);
  }

  static async start(to: Address): Promise<Crowd> {
    const agent = createSipAgent({ clock: new SystemClock(), ids: new RandomIds(), logger: silentLogger });
    const listener = await agent.listen({ transport: 'udp', host: ADDRESS, port: 0, label: 'crowd' });
    const audio = createSocket('udp4');
    await new Promise<void>((resolve) => audio.bind(0, ADDRESS, resolve));
    return new Crowd(agent, listener, audio, to);
  }

  /** The document of the call from `from`. */
  document(from: string): string {
    const { attributes } = courseOf(from);
    const { address, port } = this.#listener.bound;
    const uri = `sip:${from.slice(1)}@${address}:${port}`;
    return `<Response><Dial answerOnBridge="true" ${attributes}><Sip>${uri}</Sip></Dial></Response>`;
  }

  /** Makes this many calls to `number`, some at once; resolves when the last one is over. */
  async call(number: string, count: number, atOnce: number): Promise<void> {
    let next = 0;
    const one = async () => {
      while (next < count) await this.#pair(number, `+1555${String(next++).padStart(7, '0')}`);
    };
    await Promise.all(Array.from({ length: atOnce }, one));
  }

  async close(): Promise<void> {
    await this.#agent.close();
    this.#audio.close();
  }

  async #pair(number: string, from: string): Promise<void> {
    const { who } = courseOf(from);
    const called: Called = { rings: latch(), over: latch() };
    this.#called.set(from.slice(1), called);
    const { host, port } = this.#to;
    const invite = this.#agent.invite({
      listener: this.#listener,
      uri: `sip:${number}@${host}:${port}`,
      from: `<sip:${from}@${ADDRESS}>`,
      body: makeOffer(this.#media()),
    });
    if (who === 'caller gives up') called.rings.opened.then(() => invite.cancel(), fail);
    const dialog = await invite.answered.then(
      (answered) => answered.dialog,
      () => undefined, // refused, or given up
    );
    if (dialog) await this.#talk(who, dialog, called);
    await called.over.opened;
    this.#called.delete(from.slice(1));
  }

  /** The caller was answered, so both are connected, unless it was to hear that the callee refused. */
  async #talk(who: Course['who'], dialog: SipDialog, called: Called): Promise<void> {
    if (called.dialog) this.bridged += 1;
    if (who === 'caller hangs up') await dialog.bye();
    else if (who === 'callee hangs up') await called.dialog?.bye();
    await over(dialog.ended);
  }

  #callee(invite: InboundInvite): void {
    const user = userOf(invite.request.uri) ?? '';
    const called = this.#called.get(user);
    const agreed = answerOffer(invite.request.body, this.#media());
    if (!called || !agreed.ok) {
      invite.respond(404);
      return;
    }
    over(invite.ended).then(called.over.open, fail);
    invite.respond(180);
    called.rings.open();
    const { who } = courseOf(`+${user}`);
    if (who === 'callee refuses') invite.respond(486);
    else if (who !== 'caller gives up') called.dialog = invite.accept(agreed.sdp);
  }

  #media() {
    return { address: ADDRESS, port: this.#audio.address().port, sessionId: 1, version: ++this.#version };
  }
}

function courseOf(from: string): Course {
  const course = COURSES[Number(from.slice(1)) % COURSES.length];
  if (!course) throw new Error(`${from} is no caller of the crowd`);
  return course;
}

function over(ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (ended.aborted) resolve();
    else ended.addEventListener('abort', () => resolve(), { once: true });
  });
}

interface Latch {
  readonly opened: Promise<void>;
  open(): void;
}

function latch(): Latch {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Ends the run. */
function fail(error: unknown): never {
  throw error;
}
