import type { VirtualClock } from '../../../src/core/clock.ts';
import type { Endpoint } from '../../../src/media/format.ts';
import { makeRequest, type ResponseParts, responseTo } from '../../../src/sip/message/build.ts';
import type { SipMessage, SipRequest, SipResponse } from '../../../src/sip/message/message.ts';
import { parseMessage } from '../../../src/sip/message/parse.ts';
import { serialize } from '../../../src/sip/message/serialize.ts';
import type { MemoryNetwork } from '../../../src/sip/transport/memory.ts';
import { type Origin, TRANSPORT_LIMITS, type TransportSocket } from '../../../src/sip/transport/port.ts';

/** Somebody who is called: hears what arrives and from where, and says what a test tells it to. */
export class Callee {
  readonly heard: { readonly message: SipMessage; readonly from: Origin }[] = [];
  readonly #at: Endpoint;
  #socket: TransportSocket | undefined;

  constructor(at: Endpoint) {
    this.#at = at;
  }

  async bind(network: MemoryNetwork, transport: 'udp' | 'tcp', clock: VirtualClock): Promise<this> {
    this.#socket = await network[transport]({
      host: this.#at.address,
      port: this.#at.port,
      clock,
      limits: TRANSPORT_LIMITS,
      receive: (bytes, from) => {
        const parsed = parseMessage(bytes);
        if (!parsed.ok) throw new Error(`the edge sent something malformed: ${parsed.reason}\n${bytes}`);
        this.heard.push({ message: parsed.message, from });
      },
      malformed: () => {},
      error: () => {},
    });
    return this;
  }

  get methods(): string[] {
    return this.heard.flatMap(({ message }) => (message.kind === 'request' ? [message.method] : []));
  }

  request(method: string): { readonly message: SipRequest; readonly from: Origin } {
    const found = this.heard.findLast(
      ({ message }) => message.kind === 'request' && message.method === method,
    );
    if (found?.message.kind !== 'request') throw new Error(`no ${method} among ${this.methods}`);
    return { message: found.message, from: found.from };
  }

  get response(): SipResponse {
    const found = this.heard.findLast(({ message }) => message.kind === 'response');
    if (found?.message.kind !== 'response') throw new Error('no response was heard');
    return found.message;
  }

  /** Answers the last request of this method. */
  respond(status: number, parts: ResponseParts = {}, method = 'INVITE'): void {
    const { message, from } = this.request(method);
    const headers = { Contact: `<sip:callee@${this.#at.address}:${this.#at.port}>`, ...parts.headers };
    const contentType = parts.body === undefined ? undefined : 'application/sdp';
    this.#send(
      responseTo(message, status, undefined, { toTag: 'callee', contentType, ...parts, headers }),
      from,
    );
  }

  /** A request within the dialog that the last INVITE made. */
  say(
    method: string,
    parts: { cseq?: number; headers?: Record<string, string | readonly string[]>; body?: string } = {},
  ): void {
    const { message, from } = this.request('INVITE');
    const cseq = parts.cseq ?? 1;
    const headers = {
      Via: `SIP/2.0/UDP ${this.#at.address}:${this.#at.port};branch=z9hG4bK${method}${cseq}`,
      'Max-Forwards': '70',
      From: `${message.headers.get('To')};tag=callee`,
      To: message.headers.get('From'),
      'Call-ID': message.headers.get('Call-ID'),
      CSeq: `${cseq} ${method}`,
      Contact: `<sip:callee@${this.#at.address}:${this.#at.port}>`,
      ...parts.headers,
    };
    this.#send(makeRequest(method, 'sip:edge', headers, parts.body), from);
  }

  #send(message: SipMessage, to: Origin): void {
    this.#socket?.send(serialize(message), to, { over: to.connection });
  }
}

export const sdp = (body: { address?: string; port?: number; payload?: string } = {}) =>
  `v=0\r\no=- 2 2 IN IP4 10.0.0.3\r\ns=-\r\nc=IN IP4 ${body.address ?? '10.0.0.3'}\r\nt=0 0\r\nm=audio ${body.port ?? 6000} RTP/AVP ${body.payload ?? '0'}\r\n`;

/** Text as a SIP message holds it. */
export const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
