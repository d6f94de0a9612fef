import { createSocket, type Socket } from 'node:dgram';
import { SystemClock } from '../../../src/core/clock.ts';
import { RandomIds } from '../../../src/core/ids.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { createSipAgent } from '../../../src/sip/agent/agent.ts';
import {
  type OutboundInvite,
  type SipAgent,
  type SipDialog,
  SipEnded,
  type SipListener,
  type TransportName,
} from '../../../src/sip/agent/port.ts';
import type { SipResponse } from '../../../src/sip/message/message.ts';
import { until } from '../../support/until.ts';
import { offerOf } from './raw-sip.ts';
import { speakTo } from './rtp-voice.ts';

const ADDRESS = '127.0.0.1';

export interface PhoneCallOptions {
  readonly uri: string;
  /** The port of the edge it goes to. */
  readonly port: number;
  /** Who it says it is, when it is asked. */
  readonly username?: string;
  readonly password?: string;
  readonly from?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A telephone that calls: SIP and RTP over sockets of its own. */
export class SipPhone {
  readonly #agent: SipAgent;
  readonly #listener: SipListener;
  readonly #calls: SipPhoneCall[] = [];

  private constructor(agent: SipAgent, listener: SipListener) {
    this.#agent = agent;
    this.#listener = listener;
  }

  static async open(transport: TransportName = 'udp'): Promise<SipPhone> {
    const agent = createSipAgent({ clock: new SystemClock(), ids: new RandomIds(), logger: silentLogger });
    const listener = await agent.listen({ transport, host: ADDRESS, port: 0, label: 'phone' });
    return new SipPhone(agent, listener);
  }

  async call(options: PhoneCallOptions): Promise<SipPhoneCall> {
    const { uri, port, username, password = '', headers = {} } = options;
    const rtp = createSocket('udp4');
    await new Promise<void>((resolve) => rtp.bind(0, ADDRESS, resolve));
    const invite = this.#agent.invite({
      listener: this.#listener,
      uri,
      destination: { address: ADDRESS, port },
      from: options.from ?? `<sip:${username ?? 'caller'}@${ADDRESS}>`,
      headers,
      body: offerOf(rtp.address().port, '0 101', 'a=rtpmap:0 PCMU/8000', 'a=rtpmap:101 telephone-event/8000'),
      ...(username !== undefined && { credentials: { username, password } }),
    });
    const call = new SipPhoneCall(invite, rtp);
    this.#calls.push(call);
    return call;
  }

  async close(): Promise<void> {
    await this.#agent.close();
    for (const call of this.#calls) call.close();
  }
}

/** One call of such a telephone. */
export class SipPhoneCall {
  readonly callId: string;
  /** Packets that were heard, and where each came from. */
  readonly heard: { readonly address: string; readonly port: number }[] = [];
  readonly #invite: OutboundInvite;
  readonly #rtp: Socket;
  #rings = false;
  #dialog: SipDialog | undefined;
  #answer: SipResponse | undefined;
  #end: SipEnded | undefined;
  #silence = () => {};

  constructor(invite: OutboundInvite, rtp: Socket) {
    this.#invite = invite;
    this.#rtp = rtp;
    this.callId = invite.callId;
    invite.onProgress = ({ status }) => {
      this.#rings ||= status === 180;
    };
    rtp.on('message', (_, { address, port }) => this.heard.push({ address, port }));
    invite.answered.then(
      ({ dialog, response }) => {
        this.#dialog = dialog;
        this.#answer = response;
      },
      (error: unknown) => {
        if (!(error instanceof SipEnded)) throw error;
        this.#end = error;
      },
    );
  }

  /** 180 once it rings, 200 once it is answered without ringing, or what it was refused with. */
  async outcome(): Promise<number> {
    return until(`an answer to the INVITE ${this.callId}`, () => {
      if (this.#rings) return 180;
      return this.#dialog ? 200 : this.#end && (this.#end.status ?? 408);
    });
  }

  /** Waits for the answer; its SDP. */
  async answered(): Promise<string> {
    await until(`the answer to ${this.callId}`, () => {
      if (this.#end) throw new Error(`${this.callId} was not answered: ${this.#end.message}`);
      return this.#dialog;
    });
    return this.#answer?.body.toString() ?? '';
  }

  /** Speaks from now on. */
  async speak(): Promise<void> {
    this.#silence = speakTo(this.#rtp, await this.answered());
  }

  get isUp(): boolean {
    return this.#dialog?.ended.aborted === false;
  }

  /** Waits until the other side has hung up. */
  async over(): Promise<void> {
    await until(`the end of ${this.callId}`, () => this.#dialog?.ended.aborted === true);
  }

  async hangUp(): Promise<void> {
    if (this.#dialog) await this.#dialog.bye();
    else this.#invite.cancel();
  }

  close(): void {
    this.#silence();
    this.#rtp.close();
  }
}
