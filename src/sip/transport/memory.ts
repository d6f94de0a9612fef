import type { Clock } from '../../core/clock.ts';
import type { Endpoint } from '../../media/format.ts';
import type { Bind, BindOptions, Connection, SendOptions, TransportSocket, Transports } from './port.ts';

export interface MemoryNetworkOptions {
  /** One-way delay, milliseconds. */
  readonly delayMs?: number;
  /** Claims a UDP message is lost on its way. */
  readonly lose?: (message: Buffer, to: Endpoint) => boolean;
}

const FIRST_PORT = 20_000;

const keyOf = (transport: string, { address, port }: Endpoint) => `${transport} ${address}:${port}`;

/** A network without sockets: delivers between the addresses bound on it, on the clock it was given. */
export class MemoryNetwork implements Transports {
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #lose: (message: Buffer, to: Endpoint) => boolean;
  readonly #bound = new Map<string, MemorySocket>();
  #nextPort = FIRST_PORT;

  constructor(clock: Clock, options: MemoryNetworkOptions = {}) {
    this.#clock = clock;
    this.#delayMs = options.delayMs ?? 1;
    this.#lose = options.lose ?? (() => false);
  }

  readonly udp: Bind = (options) => this.#bind('udp', options);
  readonly tcp: Bind = (options) => this.#bind('tcp', options);

  async #bind(transport: 'udp' | 'tcp', options: BindOptions): Promise<TransportSocket> {
    const bound = { address: options.host, port: options.port || this.freePort() };
    const key = keyOf(transport, bound);
    if (this.#bound.has(key)) {
      throw Object.assign(new Error(`bind EADDRINUSE ${bound.address}:${bound.port}`), {
        code: 'EADDRINUSE',
      });
    }
    const socket = new MemorySocket(this, transport, bound, options);
    this.#bound.set(key, socket);
    return socket;
  }

  freePort(): number {
    return this.#nextPort++;
  }

  at(transport: 'udp' | 'tcp', endpoint: Endpoint): MemorySocket | undefined {
    return this.#bound.get(keyOf(transport, endpoint));
  }

  unbind(socket: MemorySocket): void {
    this.#bound.delete(keyOf(socket.transport, socket.bound));
  }

  lost(message: Buffer, to: Endpoint): boolean {
    return this.#lose(message, to);
  }

  later(deliver: () => void): void {
    this.#clock.after(this.#delayMs, deliver);
  }
}

/** One side's end of a stream connection. */
class MemoryConnection implements Connection {
  open = true;
  other: MemoryConnection | undefined;

  constructor(
    readonly owner: MemorySocket,
    /** The address the owner sees at the far end. */
    readonly remote: Endpoint,
  ) {}
}

class MemorySocket implements TransportSocket {
  readonly #connections = new Map<string, MemoryConnection>();
  #open = true;

  constructor(
    private readonly network: MemoryNetwork,
    readonly transport: 'udp' | 'tcp',
    readonly bound: Endpoint,
    private readonly options: BindOptions,
  ) {}

  get connections(): number {
    return this.#connections.size;
  }

  send(message: Buffer, to: Endpoint, { over, established, failed }: SendOptions = {}): void {
    const refuse = (reason: string) => this.network.later(() => failed?.(new Error(reason)));
    if (!this.#open) refuse('the socket is closed');
    else if (this.transport === 'udp') this.#datagram(message, to);
    else if (!this.#stream(message, to, over, established ?? false))
      refuse(`connect ECONNREFUSED ${to.address}:${to.port}`);
  }

  #datagram(message: Buffer, to: Endpoint): void {
    if (this.network.lost(message, to)) return;
    this.network.later(() => {
      this.network.at('udp', to)?.deliver(message, this.bound, undefined);
    });
  }

  /** False when nobody listens there, or no connection may be opened. */
  #stream(message: Buffer, to: Endpoint, over: Connection | undefined, established: boolean): boolean {
    const usable = over instanceof MemoryConnection && over.open ? over : undefined;
    const known = usable ?? this.#connections.get(keyOf('tcp', to));
    const connection = known ?? (established ? undefined : this.#connect(to));
    if (!connection) return false;
    this.network.later(() => {
      const { other } = connection;
      if (other?.open) other.owner.deliver(message, other.remote, other);
    });
    return true;
  }

  #connect(to: Endpoint): MemoryConnection | undefined {
    const peer = this.network.at('tcp', to);
    if (!peer) return undefined;
    const near = new MemoryConnection(this, to);
    const far = new MemoryConnection(peer, { address: this.bound.address, port: this.network.freePort() });
    near.other = far;
    far.other = near;
    this.#connections.set(keyOf('tcp', to), near);
    peer.#connections.set(keyOf('tcp', far.remote), far);
    return near;
  }

  deliver(message: Buffer, from: Endpoint, connection: MemoryConnection | undefined): void {
    if (!this.#open) return;
    this.options.receive(message, {
      address: from.address,
      port: from.port,
      connection,
    });
  }

  async close(): Promise<void> {
    this.#open = false;
    this.network.unbind(this);
    for (const connection of this.#connections.values()) {
      for (const end of [connection, connection.other]) {
        if (!end) continue;
        end.open = false;
        end.owner.#connections.delete(keyOf('tcp', end.remote));
        if (end.owner.#open) end.owner.options.closed?.(end.remote);
      }
    }
  }
}
