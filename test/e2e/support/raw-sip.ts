import { createSocket, type Socket } from 'node:dgram';
import { until } from '../../support/until.ts';

/** A UDP socket that says SIP as text, for messages that no proper user agent sends. */
export class RawSip {
  readonly received: string[] = [];
  readonly #socket: Socket;
  readonly #to: { readonly host: string; readonly port: number };

  private constructor(socket: Socket, to: { readonly host: string; readonly port: number }) {
    this.#socket = socket;
    this.#to = to;
    socket.on('message', (message) => this.received.push(message.toString('latin1')));
  }

  static async open(to: { readonly host: string; readonly port: number }): Promise<RawSip> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new RawSip(socket, to);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  send(message: string): void {
    this.#socket.send(message, this.#to.port, this.#to.host);
  }

  /** An INVITE to a number; `body` is its SDP, `more` are further header lines. */
  invite(number: string, from: string, body: string, ...more: string[]): string {
    const { host, port } = this.#to;
    const id = `${from.replace(/\D/g, '')}-${this.port}`;
    return [
      `INVITE sip:${number}@${host}:${port} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${this.port};branch=z9hG4bK-${id};rport`,
      `From: <sip:${from}@127.0.0.1:${this.port}>;tag=${id}`,
      `To: <sip:${number}@${host}:${port}>`,
      `Call-ID: ${id}@127.0.0.1`,
      'CSeq: 1 INVITE',
      `Contact: <sip:caller@127.0.0.1:${this.port}>`,
      'Max-Forwards: 70',
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      ...more,
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
  }

  /** The ACK of a final response other than 2xx (RFC 3261 §17.1.1.3). */
  ack(invite: string, response: string): string {
    const line = (name: string, message: string) =>
      message.split('\r\n').find((one) => one.toLowerCase().startsWith(`${name.toLowerCase()}:`)) ?? '';
    return [
      invite.slice(0, invite.indexOf('\r\n')).replace('INVITE', 'ACK'),
      ...['Via', 'From', 'Call-ID', 'Max-Forwards'].map((name) => line(name, invite)),
      line('To', response),
      'CSeq: 1 ACK',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n');
  }

  /** The first final response, past or future. */
  final(withinMs = 10_000): Promise<string> {
    return until(
      'a final response',
      () => this.received.find((message) => /^SIP\/2\.0 [2-6]\d\d /.test(message)),
      withinMs,
    );
  }

  close(): void {
    this.#socket.close();
  }
}

/** An SDP offer with one audio stream of these payload types, `m=` line and all. */
export function offerOf(port: number, payloads: string, ...attributes: string[]): string {
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} RTP/AVP ${payloads}`,
    ...attributes,
    '',
  ].join('\r\n');
}
