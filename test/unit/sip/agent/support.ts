import { VirtualClock } from '../../../../src/core/clock.ts';
import { CountingIds } from '../../../../src/core/ids.ts';
import { type Logger, silentLogger } from '../../../../src/core/logger.ts';
import type { Endpoint } from '../../../../src/media/format.ts';
import { createSipAgent, type SipAgentOptions } from '../../../../src/sip/agent/agent.ts';
import type { InboundInvite, SipAgent, SipListener } from '../../../../src/sip/agent/port.ts';
import { makeRequest, type ResponseParts, responseTo } from '../../../../src/sip/message/build.ts';
import type { SipMessage, SipRequest, SipResponse } from '../../../../src/sip/message/message.ts';
import { tagOf } from '../../../../src/sip/message/name-addr.ts';
import { parseMessage } from '../../../../src/sip/message/parse.ts';
import { serialize } from '../../../../src/sip/message/serialize.ts';
import { MemoryNetwork, type MemoryNetworkOptions } from '../../../../src/sip/transport/memory.ts';
import { type Origin, TRANSPORT_LIMITS, type TransportSocket } from '../../../../src/sip/transport/port.ts';

export const OFFER =
  'v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';
export const ANSWER =
  'v=0\r\no=- 2 2 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n';

/** 64·T1 and then some: every transaction of a finished call has gone. */
export const LINGER = 70_000;

const US: Endpoint = { address: '10.0.0.1', port: 5060 };
const PEER: Endpoint = { address: '10.0.0.2', port: 5060 };

export interface RequestParts {
  readonly callId?: string;
  readonly cseq?: number;
  readonly branch?: string;
  readonly fromTag?: string;
  readonly toTag?: string | undefined;
  readonly uri?: string;
  readonly via?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body?: string;
}

/** A peer that says exactly what a test tells it to. */
export class Peer {
  readonly heard: SipMessage[] = [];
  /** Takes responses that repeat what was malformed in its own requests. */
  lenient = false;
  readonly #clock: VirtualClock;
  readonly #transport: 'udp' | 'tcp';
  #socket: TransportSocket | undefined;
  #from: Origin | undefined;
  #branches = 0;

  constructor(clock: VirtualClock, transport: 'udp' | 'tcp') {
    this.#clock = clock;
    this.#transport = transport;
  }

  async bind(network: MemoryNetwork, at = PEER): Promise<this> {
    this.#socket = await network[this.#transport]({
      host: at.address,
      port: at.port,
      clock: this.#clock,
      limits: TRANSPORT_LIMITS,
      receive: (bytes, from) => {
        this.#from = from;
        const parsed = parseMessage(bytes);
        if (parsed.ok) this.heard.push(parsed.message);
        else if (!this.lenient) {
          throw new Error(`the agent sent something malformed: ${parsed.reason}\n${bytes}`);
        }
      },
      malformed: () => {},
      error: () => {},
    });
    return this;
  }

  async close(): Promise<void> {
    await this.#socket?.close();
  }

  raw(text: string): void {
    this.#socket?.send(Buffer.from(text, 'latin1'), US, { over: this.#from?.connection });
  }

  send(message: SipMessage): void {
    this.#socket?.send(serialize(message), US, { over: this.#from?.connection });
  }

  make(method: string, parts: RequestParts = {}): SipRequest {
    const branch = parts.branch ?? `z9hG4bKpeer${++this.#branches}`;
    const to = parts.toTag === undefined ? '' : `;tag=${parts.toTag}`;
    const headers = {
      Via: parts.via ?? `SIP/2.0/${this.#transport.toUpperCase()} 10.0.0.2:5060;branch=${branch}`,
      'Max-Forwards': '70',
      From: `<sip:caller@10.0.0.2>;tag=${parts.fromTag ?? 'caller'}`,
      To: `<sip:callee@10.0.0.1>${to}`,
      'Call-ID': parts.callId ?? 'call-1',
      CSeq: `${parts.cseq ?? 1} ${method}`,
      ...(method === 'INVITE' ? { Contact: '<sip:caller@10.0.0.2:5060>' } : {}),
      ...parts.headers,
    };
    const type = parts.body === undefined ? undefined : 'application/sdp';
    return makeRequest(method, parts.uri ?? 'sip:callee@10.0.0.1', headers, parts.body, type);
  }

  request(method: string, parts: RequestParts = {}): SipRequest {
    const request = this.make(method, parts);
    this.send(request);
    return request;
  }

  respond(request: SipRequest, status: number, parts: ResponseParts = {}): void {
    const headers = { Contact: '<sip:callee@10.0.0.2:5060>', ...parts.headers };
    this.send(responseTo(request, status, undefined, { toTag: 'callee', ...parts, headers }));
  }

  get statuses(): number[] {
    return this.heard.flatMap((message) => (message.kind === 'response' ? [message.status] : []));
  }

  get methods(): string[] {
    return this.heard.flatMap((message) => (message.kind === 'request' ? [message.method] : []));
  }

  lastResponse(status?: number): SipResponse {
    const found = this.heard.findLast(
      (message) => message.kind === 'response' && (status === undefined || message.status === status),
    );
    if (found?.kind !== 'response') throw new Error(`no response ${status ?? ''} among ${this.statuses}`);
    return found;
  }

  lastRequest(method: string): SipRequest {
    const found = this.heard.findLast((message) => message.kind === 'request' && message.method === method);
    if (found?.kind !== 'request') throw new Error(`no ${method} among ${this.methods}`);
    return found;
  }
}

export interface World {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly agent: SipAgent;
  readonly listener: SipListener;
  readonly peer: Peer;
  /** INVITEs that reached the owner. */
  readonly invites: InboundInvite[];
  readonly errors: string[];
  /** Lets messages in flight arrive. */
  settle(): Promise<void>;
  /** The peer calls, the owner accepts, the peer acknowledges. */
  answeredCall(): Promise<{ readonly dialog: ReturnType<InboundInvite['accept']>; readonly toTag: string }>;
}

export async function world(
  options: {
    readonly transport?: 'udp' | 'tcp';
    readonly network?: MemoryNetworkOptions;
    readonly agent?: Partial<SipAgentOptions>;
  } = {},
): Promise<World> {
  const transport = options.transport ?? 'udp';
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock, options.network);
  const errors: string[] = [];
  const logger: Logger = { ...silentLogger, error: (_, message) => void errors.push(message ?? '') };
  const agent = createSipAgent({
    clock,
    ids: new CountingIds(),
    logger,
    transports: network,
    ...options.agent,
  });
  const listener = await agent.listen({ transport, host: US.address, port: US.port, label: 'dublin' });
  const peer = await new Peer(clock, transport).bind(network);
  const invites: InboundInvite[] = [];
  agent.onInvite = (invite) => invites.push(invite);
  const settle = () => clock.advance(10);
  return {
    clock,
    network,
    agent,
    listener,
    peer,
    invites,
    errors,
    settle,
    async answeredCall() {
      peer.request('INVITE', { body: OFFER });
      await settle();
      const dialog = invites.at(-1)?.accept(ANSWER);
      if (!dialog) throw new Error('the INVITE did not arrive');
      await settle();
      const toTag = tagOf(peer.lastResponse(200).headers.get('to') ?? '') ?? '';
      peer.request('ACK', { toTag });
      await settle();
      return { dialog, toTag };
    },
  };
}

export function reasonOf(signal: AbortSignal): unknown {
  return signal.aborted ? signal.reason.cause : undefined;
}
