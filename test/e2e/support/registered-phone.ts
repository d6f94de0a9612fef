import { createSocket, type Socket } from 'node:dgram';
import type { SipRequest } from '../../../src/sip/message/message.ts';
import { parseMessage } from '../../../src/sip/message/parse.ts';
import { Device, type RegisterOptions } from '../../peers/support/device.ts';
import { until } from '../../support/until.ts';
import { offerOf } from './raw-sip.ts';
import { speakTo } from './rtp-voice.ts';

/** How often it looks whether somebody called, milliseconds. */
const LOOK_MS = 5;

/** What a phone does with an INVITE. */
export type Habit = 'rings' | 'answers' | number;

/**
 * A telephone behind NAT that registers and is called over the same flow. By itself it answers BYE and CANCEL, and
 * everything again that is repeated.
 */
export class RegisteredPhone {
  /** Requests, each once, in their order. */
  readonly requests: SipRequest[] = [];
  /** Where audio came from. */
  readonly media: { readonly address: string; readonly port: number }[] = [];
  readonly #device: Device;
  readonly #rtp: Socket;
  readonly #habit: Habit;
  readonly #said = new Map<string, string>();
  readonly #timer: NodeJS.Timeout;
  #read = 0;
  #silence = () => {};

  private constructor(device: Device, rtp: Socket, habit: Habit) {
    this.#device = device;
    this.#rtp = rtp;
    this.#habit = habit;
    rtp.on('message', (_, { address, port }) => this.media.push({ address, port }));
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  static async open(transport: 'udp' | 'tcp', edgePort: number, habit: Habit): Promise<RegisteredPhone> {
    const device = await Device[transport](edgePort);
    const rtp = createSocket('udp4');
    await new Promise<void>((resolve) => rtp.bind(0, '127.0.0.1', resolve));
    return new RegisteredPhone(device, rtp, habit);
  }

  /** Registers; fails unless it is let in. */
  async register(options: RegisterOptions): Promise<void> {
    const { status } = await this.#device.register(options);
    if (status !== 200) throw new Error(`${options.user} could not register: ${status}`);
  }

  get methods(): string[] {
    return this.requests.map(({ method }) => method);
  }

  /** Waits for the first request of a method. */
  waitFor(method: string): Promise<SipRequest> {
    return until(`${method} at a registered phone, which heard ${this.methods}`, () =>
      this.requests.find((one) => one.method === method),
    );
  }

  /** Answers the call that rings. */
  async answer(): Promise<void> {
    this.#reply(await this.waitFor('INVITE'), 200);
  }

  /** Speaks from now on. */
  async speak(): Promise<void> {
    this.#silence = speakTo(this.#rtp, (await this.waitFor('INVITE')).body.toString());
  }

  /** Ends the call that it answered. */
  async hangUp(): Promise<void> {
    const { headers } = await this.waitFor('INVITE');
    const target = /<([^>]+)>/.exec(headers.get('Contact') ?? '')?.[1] ?? '';
    const via = (await this.waitFor('INVITE')).headers.get('Via') ?? '';
    const transport = /^SIP\/2\.0\/(\w+)/.exec(via)?.[1];
    this.#send([
      `BYE ${target} SIP/2.0`,
      `Via: SIP/2.0/${transport} 192.168.1.20:5062;branch=z9hG4bKbye${this.#device.port};rport`,
      `From: ${headers.get('To')};tag=phone`,
      `To: ${headers.get('From')}`,
      `Call-ID: ${headers.get('Call-ID')}`,
      'CSeq: 1 BYE',
      'Max-Forwards: 70',
    ]);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#silence();
    this.#rtp.close();
    await this.#device.close();
  }

  #look(): void {
    for (; this.#read < this.#device.other.length; this.#read++) {
      const parsed = parseMessage(this.#device.other[this.#read] ?? Buffer.alloc(0));
      if (parsed.ok && parsed.message.kind === 'request') this.#receive(parsed.message);
    }
  }

  #receive(request: SipRequest): void {
    const said = this.#said.get(idOf(request));
    if (said !== undefined) return this.#device.raw(Buffer.from(said, 'latin1'));
    const repeated = this.requests.some((one) => idOf(one) === idOf(request));
    if (repeated) return;
    this.requests.push(request);
    if (request.method === 'INVITE') this.#ring(request);
    else if (request.method === 'CANCEL') this.#giveUp(request);
    else if (request.method !== 'ACK') this.#reply(request, 200);
  }

  #ring(invite: SipRequest): void {
    this.#reply(invite, 180);
    if (this.#habit === 'answers') this.#reply(invite, 200);
    else if (this.#habit !== 'rings') this.#reply(invite, this.#habit);
  }

  #giveUp(cancel: SipRequest): void {
    this.#reply(cancel, 200);
    const callId = cancel.headers.get('Call-ID');
    const invite = this.requests.find(
      ({ method, headers }) => method === 'INVITE' && headers.get('Call-ID') === callId,
    );
    if (invite) this.#reply(invite, 487);
  }

  #reply(request: SipRequest, status: number): void {
    const { headers, method } = request;
    const isAnswer = method === 'INVITE' && status === 200;
    const body = isAnswer ? offerOf(this.#rtp.address().port, '0', 'a=rtpmap:0 PCMU/8000') : '';
    const to = headers.get('To') ?? '';
    const said = this.#send(
      [
        `SIP/2.0 ${status} Said`,
        ...headers.all('Via').map((via) => `Via: ${via}`),
        `From: ${headers.get('From')}`,
        `To: ${to}${/;tag=/.test(to) ? '' : ';tag=phone'}`,
        `Call-ID: ${headers.get('Call-ID')}`,
        `CSeq: ${headers.get('CSeq')}`,
        `Contact: <sip:phone@192.168.1.20:5062>`,
        ...(isAnswer ? ['Content-Type: application/sdp'] : []),
      ],
      body,
    );
    this.#said.set(idOf(request), said);
  }

  #send(lines: readonly string[], body = ''): string {
    const text = [...lines, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
    this.#device.raw(Buffer.from(text, 'latin1'));
    return text;
  }
}

/** What a request shares with its repetitions and with no other (RFC 3261 §17.2.3). */
function idOf({ headers, method }: SipRequest): string {
  return `${method} ${headers.get('Via')} ${headers.get('CSeq')}`;
}
