import type { Endpoint } from '../../media/format.ts';
import { bracketHost } from '../message/grammar.ts';
import { Headers } from '../message/headers.ts';
import type { SipRequest } from '../message/message.ts';
import { formatVia, type Via } from '../message/via.ts';
import type { Connection, TransportSocket } from '../transport/port.ts';
import { DEFAULT_PORT } from '../transport/resolve.ts';
import type { SipListener, SipSource, TransportName } from './port.ts';

/** A bound socket, and how its address is written into messages. */
export class Listener implements SipListener {
  readonly transport: TransportName;
  readonly bound: Endpoint;
  readonly advertised: Endpoint;
  readonly reliable: boolean;
  /** Contact of everything sent from here. */
  readonly contact: string;
  readonly #sentBy: string;

  constructor(
    readonly socket: TransportSocket,
    readonly label: string,
    advertise: string | undefined,
  ) {
    this.transport = socket.transport;
    this.bound = socket.bound;
    this.advertised = { address: advertise ?? socket.bound.address, port: socket.bound.port };
    this.reliable = socket.transport === 'tcp';
    const host = `${bracketHost(this.advertised.address)}:${this.advertised.port}`;
    this.contact = `<sip:${host}${this.reliable ? ';transport=tcp' : ''}>`;
    this.#sentBy = `SIP/2.0/${this.transport.toUpperCase()} ${host}`;
  }

  /** Via of a request sent from here; `rport` asks for the answer at the port it came from (RFC 3581 §3). */
  via(branch: string): string {
    return `${this.#sentBy};rport;branch=${branch}`;
  }
}

/** Where a message came from. */
export class Source implements SipSource {
  constructor(
    readonly address: string,
    readonly port: number,
    readonly listener: Listener,
    readonly connection: Connection | undefined,
  ) {}

  get open(): boolean {
    return this.connection?.open ?? true;
  }
}

/** Where responses to a request with this topmost Via go: RFC 3261 §18.2.2, RFC 3581 §4. */
export function replyAddress(via: Via, source: Source): Endpoint {
  if (!source.listener.reliable && via.params.has('rport')) return source;
  const address = (!source.listener.reliable && via.params.get('maddr')) || source.address;
  return { address, port: via.port ?? DEFAULT_PORT };
}

/** The request with its source noted in its topmost Via: `received` (RFC 3261 §18.2.1) and `rport` (RFC 3581 §4). */
export function noteSource(request: SipRequest, via: Via, source: Source): SipRequest {
  const asked = via.params.has('rport');
  if (!asked && via.host === source.address) return request;
  const params = new Map(via.params).set('received', source.address);
  if (asked) params.set('rport', String(source.port));
  const [, ...others] = request.headers.list('via');
  const vias = [formatVia({ ...via, params }), ...others].map((value) => ({ name: 'Via', value }));
  const rest = request.headers.lines.filter((line) => !/^v(ia)?$/i.test(line.name));
  return { ...request, headers: new Headers([...vias, ...rest]) };
}
