import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { answerChallenge } from '../../../src/sip/digest/digest.ts';
import { StreamFramer } from '../../../src/sip/message/framer.ts';
import type { SipResponse } from '../../../src/sip/message/message.ts';
import { parseMessage } from '../../../src/sip/message/parse.ts';
import { until } from '../../support/until.ts';

/** How often a datagram that was not answered is sent again, milliseconds. */
const AGAIN_MS = 2_000;

export interface RegisterOptions {
  readonly user: string;
  readonly password: string;
  /** Request-URI. */
  readonly uri?: string;
  /** Host of the address-of-record. */
  readonly host?: string;
  readonly contacts?: readonly string[];
  readonly headers?: readonly string[];
  readonly callId?: string;
}

/** A device on 127.0.0.1 whose socket is not where its Contact says: what a telephone behind NAT looks like. */
export class Device {
  readonly responses: SipResponse[] = [];
  /** What arrived and is no SIP message. */
  readonly other: Buffer[] = [];
  readonly port: number;
  readonly #transport: 'UDP' | 'TCP';
  readonly #write: (bytes: Buffer) => void;
  readonly #end: () => Promise<void>;
  #cseq = 0;
  #sent = 0;

  private constructor(
    transport: 'UDP' | 'TCP',
    port: number,
    write: (bytes: Buffer) => void,
    end: () => Promise<void>,
  ) {
    this.#transport = transport;
    this.port = port;
    this.#write = write;
    this.#end = end;
  }

  static async udp(edgePort: number): Promise<Device> {
    const socket: UdpSocket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const write = (bytes: Buffer) => socket.send(bytes, edgePort, '127.0.0.1');
    const end = async () => {
      socket.close();
    };
    const device = new Device('UDP', socket.address().port, write, end);
    socket.on('message', (bytes) => device.#hear(bytes));
    return device;
  }

  static async tcp(edgePort: number): Promise<Device> {
    const socket: Socket = connect(edgePort, '127.0.0.1');
    await once(socket, 'connect');
    const end = async () => {
      if (socket.destroyed) return;
      socket.end();
      await once(socket, 'close');
    };
    const device = new Device('TCP', socket.localPort ?? 0, (bytes) => void socket.write(bytes), end);
    const framer = new StreamFramer();
    socket.on('error', () => {}); // shows as the missing answer
    socket.on('data', (chunk) => {
      if (chunk.toString() === '\r\n') device.other.push(chunk);
      else for (const framed of framer.push(chunk)) if (framed.kind === 'message') device.#hear(framed.data);
    });
    return device;
  }

  close(): Promise<void> {
    return this.#end();
  }

  raw(bytes: Buffer): void {
    this.#write(bytes);
  }

  /** Registers as a telephone does: answers the challenge, and waits where it is asked to come back later. */
  async register(options: RegisterOptions): Promise<SipResponse> {
    for (;;) {
      const response = await this.#registerOnce(options);
      if (response.status !== 503 || response.headers.get('Retry-After') !== '1') return response;
      await new Promise((resolve) => setTimeout(resolve, 1_000)); // what Retry-After asks for
    }
  }

  async #registerOnce(options: RegisterOptions): Promise<SipResponse> {
    const { user, password, uri = 'sip:acme.sip.twilio.com' } = options;
    const challenged = await this.request('REGISTER', options, []);
    if (challenged.status !== 401) return challenged;
    const challenges = challenged.headers.all('WWW-Authenticate');
    const credentials = { username: user, password };
    const answer = answerChallenge(challenges, credentials, { method: 'REGISTER', uri }, 'c0ffee');
    return this.request('REGISTER', options, [`Authorization: ${answer}`]);
  }

  /** Sends a request until it is answered. */
  async request(method: string, options: RegisterOptions, more: readonly string[]): Promise<SipResponse> {
    const { user, uri = 'sip:acme.sip.twilio.com', host = 'acme.sip.twilio.com' } = options;
    const cseq = `${++this.#cseq} ${method}`;
    const callId = `${options.callId ?? 'device'}-${this.port}`;
    const text = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/${this.#transport} 192.168.1.20:5062;branch=z9hG4bK${this.port}x${++this.#sent};rport`,
      'Max-Forwards: 70',
      `From: <sip:${user}@${host}>;tag=device`,
      `To: <sip:${user}@${host}>`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq}`,
      ...(options.contacts ?? [`<sip:${user}@192.168.1.20:5062>`]).map((contact) => `Contact: ${contact}`),
      ...(options.headers ?? []),
      ...more,
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n');
    const answered = () =>
      this.responses.find(({ headers }) => headers.get('CSeq') === cseq && headers.get('Call-ID') === callId);
    this.#write(Buffer.from(text));
    const again = setInterval(() => this.#transport === 'UDP' && this.#write(Buffer.from(text)), AGAIN_MS);
    try {
      return await until(`an answer to ${cseq}`, answered);
    } finally {
      clearInterval(again);
    }
  }

  #hear(bytes: Buffer): void {
    const parsed = parseMessage(bytes);
    if (parsed.ok && parsed.message.kind === 'response') this.responses.push(parsed.message);
    else this.other.push(bytes);
  }
}
