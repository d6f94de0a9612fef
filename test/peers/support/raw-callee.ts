import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { offerOf } from '../../e2e/support/raw-sip.ts';
import { until } from '../../support/until.ts';

/** A SIP message as it arrived. */
export interface Heard {
  /** Its bytes. */
  readonly bytes: Buffer;
  /** Its bytes, one character each. */
  readonly text: string;
  /** The method of a request, or the status of a response. */
  readonly what: string;
  readonly from: RemoteInfo;
  /** The value of its first header of this name as one character a byte; '' where there is none. */
  header(name: string): string;
}

export interface Reply {
  /** `''`: as it is; by default a body where the status calls for one. */
  readonly sdp?: string;
  readonly headers?: readonly string[];
  readonly tag?: string;
}

/** What a callee does with a request that it has not seen before. */
export type Behaviour = (request: Heard, callee: RawCallee) => void;

/** Rings and waits. */
export const rings: Behaviour = (invite, callee) => callee.reply(invite, 180);
/** Answers at once. */
export const answers: Behaviour = (invite, callee) => callee.reply(invite, 200);
export const refuses =
  (status: number): Behaviour =>
  (invite, callee) =>
    callee.reply(invite, status);

/**
 * Somebody who is called: UDP sockets for SIP and RTP, and whatever a test has it say. By itself it answers CANCEL (487
 * to the INVITE too), BYE, and everything again that is repeated.
 */
export class RawCallee {
  readonly heard: Heard[] = [];
  /** RTP that arrived, and from which port. */
  readonly media: { readonly packet: Buffer; readonly port: number }[] = [];
  /** What to do with an INVITE; changed at any time. */
  onInvite: Behaviour;
  onCancel: Behaviour = (cancel, callee) => {
    callee.reply(cancel, 200);
    const invite = callee
      .requests('INVITE')
      .find((one) => one.header('Call-ID') === cancel.header('Call-ID'));
    if (invite) callee.reply(invite, 487);
  };
  onBye: Behaviour = (bye, callee) => callee.reply(bye, 200);
  readonly #sip: Socket;
  readonly #rtp: Socket;
  readonly #said = new Map<string, string[]>();
  #cseq = 0;

  private constructor(sip: Socket, rtp: Socket, onInvite: Behaviour) {
    this.#sip = sip;
    this.#rtp = rtp;
    this.onInvite = onInvite;
    sip.on('message', (bytes, from) => this.#receive(heardOf(bytes, from)));
    rtp.on('message', (packet, { port }) => this.media.push({ packet, port }));
  }

  static async open(onInvite: Behaviour): Promise<RawCallee> {
    const [sip, rtp] = [createSocket('udp4'), createSocket('udp4')];
    for (const socket of [sip, rtp])
      await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new RawCallee(sip, rtp, onInvite);
  }

  get port(): number {
    return this.#sip.address().port;
  }

  /** `sip:callee@…` without brackets. */
  get uri(): string {
    return `sip:callee@127.0.0.1:${this.port}`;
  }

  get sdp(): string {
    return offerOf(this.#rtp.address().port, '0 101', 'a=rtpmap:101 telephone-event/8000');
  }

  /** Requests of a method, each once. */
  requests(method: string): Heard[] {
    const ids = new Set<string>();
    return this.heard.filter((one) => one.what === method && !ids.has(idOf(one)) && ids.add(idOf(one)));
  }

  /** Methods in the order in which they came first. */
  get methods(): string[] {
    const ids = new Set<string>();
    const first = this.heard
      .filter(({ what }) => /^[A-Z]/.test(what))
      .filter((one) => {
        const known = ids.has(idOf(one));
        ids.add(idOf(one));
        return !known;
      });
    return first.map(({ what }) => what);
  }

  /** Waits for the n-th request of a method, or response with a status. */
  async waitFor(what: string, nth = 1): Promise<Heard> {
    return until(`${what} number ${nth} at the callee, which heard ${this.methods}`, () =>
      /^\d/.test(what)
        ? this.heard.filter((one) => one.what === what)[nth - 1]
        : this.requests(what)[nth - 1],
    );
  }

  reply(request: Heard, status: number, { sdp, headers = [], tag = 'callee' }: Reply = {}): void {
    const method = request.header('CSeq').split(' ')[1];
    const to = request.header('To');
    const body = sdp ?? (method === 'INVITE' && (status === 183 || status === 200) ? this.sdp : '');
    const message = [
      `SIP/2.0 ${status} Said`,
      ...request.text.split('\r\n').filter((line) => /^(via|v):/i.test(line)),
      `From: ${request.header('From')}`,
      `To: ${to}${/;tag=/.test(to) || status === 100 ? '' : `;tag=${tag}`}`,
      `Call-ID: ${request.header('Call-ID')}`,
      `CSeq: ${request.header('CSeq')}`,
      `Contact: <${this.uri}>`,
      ...headers,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${Buffer.byteLength(body, 'latin1')}`,
      '',
      body,
    ].join('\r\n');
    const id = idOf(request);
    this.#said.set(id, [...(this.#said.get(id) ?? []), message]);
    this.#send(message, request.from.port);
  }

  /** A request within the dialog of an INVITE that was answered; goes to its Contact. */
  request(method: string, invite: Heard, ...headers: string[]): void {
    const target = /<(sip:[^>]+)>/.exec(invite.header('Contact'))?.[1] ?? '';
    this.#cseq += 1;
    const message = [
      `${method} ${target} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${this.port};branch=z9hG4bK-${this.port}-${this.#cseq}`,
      `From: ${invite.header('To')};tag=callee`,
      `To: ${invite.header('From')}`,
      `Call-ID: ${invite.header('Call-ID')}`,
      `CSeq: ${this.#cseq} ${method}`,
      'Max-Forwards: 70',
      ...headers,
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n');
    this.#send(message, Number(/:(\d+)(?:;|$)/.exec(target)?.[1]));
  }

  /** One RTP packet of PCMU to where an INVITE's SDP says. */
  speak(invite: Heard, sequence: number): void {
    const port = Number(/^m=audio (\d+)/m.exec(invite.text)?.[1]);
    const packet = Buffer.alloc(12 + 160, 0x55);
    packet.writeUInt16BE(0x8000, 0);
    packet.writeUInt16BE(sequence & 0xffff, 2);
    packet.writeUInt32BE(160 * sequence, 4);
    packet.writeUInt32BE(this.port, 8);
    this.#rtp.send(packet, port, '127.0.0.1');
  }

  close(): void {
    this.#sip.close();
    this.#rtp.close();
  }

  #receive(message: Heard): void {
    const repeated = this.heard.some((one) => one.what === message.what && idOf(one) === idOf(message));
    this.heard.push(message);
    if (/^\d/.test(message.what) || message.what === 'ACK') return;
    if (repeated) {
      for (const said of this.#said.get(idOf(message)) ?? []) this.#send(said, message.from.port);
      return;
    }
    if (message.what === 'INVITE') this.onInvite(message, this);
    else if (message.what === 'CANCEL') this.onCancel(message, this);
    else if (message.what === 'BYE') this.onBye(message, this);
    else this.reply(message, 200);
  }

  #send(message: string, port: number): void {
    this.#sip.send(Buffer.from(message, 'latin1'), port, '127.0.0.1');
  }
}

function heardOf(bytes: Buffer, from: RemoteInfo): Heard {
  const text = bytes.toString('latin1');
  const [first = '', ...lines] = text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n');
  const what = first.startsWith('SIP/2.0 ') ? first.slice(8, 11) : (first.split(' ')[0] ?? '');
  const header = (name: string) => {
    const line = lines.find((one) => one.toLowerCase().startsWith(`${name.toLowerCase()}:`)) ?? '';
    return line.slice(line.indexOf(':') + 1).trim();
  };
  return { bytes, text, what, from, header };
}

/** What a request shares with its repetitions and with no other (RFC 3261 §17.2.3). */
function idOf(message: Heard): string {
  return `${message.header('Via')} ${message.header('CSeq')}`;
}
