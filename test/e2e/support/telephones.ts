import { HeardAudio } from '../../../src/bin/phone/heard-audio.ts';
import { RtpLine } from '../../../src/bin/phone/rtp-line.ts';
import { SystemClock } from '../../../src/core/clock.ts';
import { RandomIds } from '../../../src/core/ids.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { answerOffer } from '../../../src/media/offer-answer.ts';
import { clipFrames } from '../../../src/media/stream/clip-frames.ts';
import { digitFrames } from '../../../src/media/stream/digit-frames.ts';
import type { FrameSource } from '../../../src/media/stream/outgoing-frame.ts';
import { createSipAgent } from '../../../src/sip/agent/agent.ts';
import { type InboundInvite, type SipAgent, type SipDialog, SipEnded } from '../../../src/sip/agent/port.ts';
import type { SipRequest } from '../../../src/sip/message/message.ts';
import { userOf } from '../../../src/sip/message/uri.ts';
import { until } from '../../support/until.ts';

const ADDRESS = '127.0.0.1';
const LONGEST_MS = 300_000;

/** Telephones behind one SIP address of this process, told apart by the user of the Request-URI. */
export class Telephones {
  readonly #agent: SipAgent;
  readonly #port: number;
  readonly #telephones = new Map<string, Telephone>();

  private constructor(agent: SipAgent, port: number) {
    this.#agent = agent;
    this.#port = port;
    agent.onInvite = (invite) => {
      const telephone = this.#telephones.get(userOf(invite.request.uri) ?? '');
      if (telephone) telephone.ring(new IncomingCall(invite));
      else invite.respond(404);
    };
  }

  static async start(): Promise<Telephones> {
    const agent = createSipAgent({ clock: new SystemClock(), ids: new RandomIds(), logger: silentLogger });
    const listener = await agent.listen({ transport: 'udp', host: ADDRESS, port: 0, label: 'telephones' });
    return new Telephones(agent, listener.bound.port);
  }

  /** Where they are, as `host:port`. */
  get address(): string {
    return `${ADDRESS}:${this.#port}`;
  }

  /** The telephone of this user; it rings until the test does something with the call. */
  of(user: string): Telephone {
    const known = this.#telephones.get(user);
    if (known) return known;
    const telephone = new Telephone(`sip:${user}@${this.address}`);
    this.#telephones.set(user, telephone);
    return telephone;
  }

  close(): Promise<void> {
    return this.#agent.close();
  }
}

/** A telephone that can be called. */
export class Telephone {
  readonly uri: string;
  /** Every INVITE that reached it, in order. */
  readonly calls: IncomingCall[] = [];
  /** What it does by itself with a call. */
  onCall: ((call: IncomingCall) => void | Promise<void>) | undefined;
  #taken = 0;

  constructor(uri: string) {
    this.uri = uri;
  }

  ring(call: IncomingCall): void {
    this.calls.push(call);
    Promise.resolve(this.onCall?.(call)).catch((error: unknown) => {
      throw error; // fails the run
    });
  }

  /** The next call, one after the other. */
  async called(): Promise<IncomingCall> {
    const turn = this.#taken++;
    return await until(`call ${turn + 1} to ${this.uri}`, () => this.calls[turn]);
  }
}

/** A call at a telephone, from the INVITE to its end. */
export class IncomingCall {
  readonly invite: InboundInvite;
  /** Keys that were pressed to it. */
  readonly keys: string[] = [];
  /** Requests within the dialog other than INVITE and BYE. */
  readonly requests: SipRequest[] = [];
  /** How a REFER is answered. */
  referStatus = 202;
  /** When it arrived, beside the other calls of this process. */
  readonly arrivedAt = performance.now();
  #dialog: SipDialog | undefined;
  #line: RtpLine | undefined;
  #sounds = 0;
  #saying = false;
  readonly #heard = new HeardAudio(LONGEST_MS);

  constructor(invite: InboundInvite) {
    this.invite = invite;
  }

  /** A header of the INVITE; '' when it has none of this name. */
  header(name: string): string {
    return this.invite.request.headers.get(name) ?? '';
  }

  /** The CallSid of the call at Trunkline. */
  get callSid(): string {
    return this.header('X-Twilio-CallSid');
  }

  get dialog(): SipDialog {
    if (!this.#dialog) throw new Error('this call was not answered');
    return this.#dialog;
  }

  ring(): void {
    this.invite.respond(180);
  }

  refuse(status: number, headers: Readonly<Record<string, string>> = {}): void {
    this.invite.respond(status, { headers });
  }

  /** Picks up. */
  async answer(headers: Readonly<Record<string, string>> = {}): Promise<this> {
    const clock = new SystemClock();
    const line = await RtpLine.open({
      address: ADDRESS,
      clock,
      ids: new RandomIds(),
      heard: this.#heard,
      onSound: () => {
        this.#sounds += 1;
      },
      onKey: (key) => this.keys.push(key),
    });
    const media = { address: ADDRESS, port: line.port, sessionId: 1, version: 1 };
    const agreed = answerOffer(this.invite.request.body, media);
    if (!agreed.ok) throw new Error(agreed.reason);
    const dialog = this.invite.accept(agreed.sdp, { headers });
    this.#dialog = dialog;
    this.#line = line;
    dialog.onRequest = (request) => {
      this.requests.push(request);
      return { status: request.method === 'REFER' ? this.referStatus : 200 };
    };
    dialog.ended.addEventListener('abort', () => void line.close()); // a socket closes without failing
    line.start(agreed);
    return this;
  }

  say(pcm: Int16Array): void {
    const clip = clipFrames(pcm);
    this.#saying = true;
    const next: FrameSource['next'] = (frame) => {
      const state = clip.next(frame);
      if (state === 'last') this.#saying = false;
      return state;
    };
    this.#line?.perform([{ next }]);
  }

  /** Presses keys, one after the other. */
  press(digits: string): void {
    this.#line?.perform([...digits].map((digit) => digitFrames(digit, true)));
  }

  /** Waits until it has said everything. */
  async said(): Promise<void> {
    await until('the end of what a telephone says', () => !this.#saying);
  }

  /** Everything heard so far. */
  heard(): Int16Array {
    return this.#heard.pcm(this.#line?.elapsedMs ?? 0);
  }

  /** Waits until something louder than silence was heard. */
  async hears(): Promise<void> {
    await until('sound at a telephone', () => this.#sounds > 0);
  }

  async hangUp(headers?: Readonly<Record<string, string>>): Promise<void> {
    await this.dialog.bye(headers);
  }

  /** Asks to be replaced by `target`; the status of the answer. */
  async refer(target: string): Promise<number> {
    const { status } = await this.dialog.request('REFER', { headers: { 'Refer-To': target } });
    return status;
  }

  /** Waits for its end and says how it came. */
  async over(): Promise<SipEnded> {
    const { ended } = this.invite;
    await until('the end of a call', () => ended.aborted);
    const reason: unknown = ended.reason;
    if (!(reason instanceof SipEnded)) throw new Error(`it ended with ${String(reason)}`);
    return reason;
  }

  /** Waits for a request within the dialog. */
  async request(method: string): Promise<SipRequest> {
    return await until(`${method} at a telephone`, () => this.requests.find((one) => one.method === method));
  }
}
