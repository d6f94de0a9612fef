import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Timer } from '../../core/clock.ts';
import type { Endpoint } from '../../media/format.ts';
import { StreamFramer } from '../message/framer.ts';
import type { BindOptions, Connection, Origin, SendOptions, TransportSocket } from './port.ts';

/** How often idle connections are looked for, milliseconds (our choice). */
const SWEEP_MS = 5_000;

/** When the system begins to ask whether a silent peer is still there, milliseconds (our choice). */
const PROBE_AFTER_MS = 60_000;

/** The answer to a keep-alive of two CRLFs (RFC 5626 §3.5.1). */
const PONG = Buffer.from('\r\n');

/** SIP over TCP (RFC 3261 §18): a listening socket and the connections it accepts and opens. */
export async function bindTcp(options: BindOptions): Promise<TransportSocket> {
  const server = createServer({
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: PROBE_AFTER_MS,
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.host, port: options.port }, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  return new TcpSocket(server, options);
}

class TcpSocket implements TransportSocket {
  readonly transport = 'tcp';
  readonly bound: Endpoint;
  readonly #server: Server;
  readonly #options: BindOptions;
  /** By remote address and port. */
  readonly #connections = new Map<string, TcpConnection>();
  #sweep: Timer | undefined;
  #open = true;

  constructor(server: Server, options: BindOptions) {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP listener without an address');
    this.bound = { address: address.address, port: address.port };
    this.#server = server;
    this.#options = options;
    server.on('error', options.error);
    server.on('connection', (socket) => this.#accept(socket));
  }

  get connections(): number {
    return this.#connections.size;
  }

  send(message: Buffer, to: Endpoint, { over, established, failed }: SendOptions = {}): void {
    if (!this.#open) {
      failed?.(new Error(`the TCP listener on port ${this.bound.port} is closed`));
      return;
    }
    const usable = over instanceof TcpConnection && over.open ? over : undefined;
    const known = usable ?? this.#connections.get(keyOf(to));
    if (established && !known?.open) {
      failed?.(new Error(`no TCP connection to ${to.address} port ${to.port} is open`));
      return;
    }
    (known ?? this.#connect(to)).write(message, failed);
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    this.#sweep?.cancel();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await Promise.all([...this.#connections.values()].map((connection) => connection.end()));
    await closed;
  }

  #accept(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    const full = this.#connections.size >= this.#options.limits.maxConnections;
    if (full || remoteAddress === undefined || remotePort === undefined) {
      socket.on('error', () => {}); // it is given up: what becomes of it is nobody's concern
      socket.destroy();
      return;
    }
    this.#adopt(socket, { address: remoteAddress, port: remotePort });
  }

  #connect(to: Endpoint): TcpConnection {
    const socket = connect({ host: to.address, port: to.port, noDelay: true });
    return this.#adopt(socket, to);
  }

  #adopt(socket: Socket, remote: Endpoint): TcpConnection {
    const key = keyOf(remote);
    const connection = new TcpConnection(socket, remote, this.#options);
    this.#connections.set(key, connection);
    socket.once('close', () => {
      if (this.#connections.get(key) === connection) this.#connections.delete(key);
      if (this.#open) this.#options.closed?.(remote);
    });
    this.#sweep ??= this.#nextSweep();
    return connection;
  }

  #nextSweep(): Timer {
    return this.#options.clock.after(SWEEP_MS, () => {
      const now = this.#options.clock.monotonic();
      for (const connection of this.#connections.values()) connection.closeIfIdle(now);
      this.#sweep = this.#connections.size > 0 ? this.#nextSweep() : undefined;
    });
  }
}

class TcpConnection implements Connection {
  readonly #socket: Socket;
  readonly #options: BindOptions;
  readonly #framer: StreamFramer;
  readonly #from: Origin;
  /** When a whole message last came or went. */
  #active: number;
  /** When the incomplete message being received began; undefined between messages, once there was one. */
  #incompleteSince: number | undefined;

  constructor(socket: Socket, remote: Endpoint, options: BindOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#framer = new StreamFramer(options.limits.maxMessage);
    this.#from = { address: remote.address, port: remote.port, connection: this };
    this.#active = options.clock.monotonic();
    this.#incompleteSince = this.#active;
    socket.on('data', (chunk) => this.#read(chunk));
    // The failure of a write is told to whoever wrote; the rest of a lost connection shows as its closing.
    socket.on('error', () => {});
  }

  get open(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  write(message: Buffer, failed: ((error: Error) => void) | undefined): void {
    if (this.#socket.writableLength > this.#options.limits.maxUnread) {
      this.#socket.destroy(); // the peer does not read: what it leaves would grow without end
    }
    this.#active = this.#options.clock.monotonic();
    this.#socket.write(message, failed ? (error) => error && failed(error) : undefined);
  }

  /** Closes after what was written has been sent, at the latest after the peer's silence of one sweep. */
  end(): Promise<void> {
    if (this.#socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const late = this.#options.clock.after(SWEEP_MS, () => this.#socket.destroy());
      this.#socket.once('close', () => {
        late.cancel();
        resolve();
      });
      this.#socket.end(() => this.#socket.destroy());
    });
  }

  closeIfIdle(now: number): void {
    const { idleMs, incompleteMs } = this.#options.limits;
    const stuck = this.#incompleteSince !== undefined && now - this.#incompleteSince > incompleteMs;
    if (stuck || now - this.#active > idleMs) this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const now = this.#options.clock.monotonic();
    for (const framed of this.#framer.push(chunk)) {
      if (framed.kind === 'message') {
        this.#active = now;
        this.#incompleteSince = undefined;
        this.#options.receive(framed.data, this.#from);
      } else if (framed.kind === 'ping') {
        this.#active = now;
        this.#incompleteSince = undefined;
        this.write(PONG, undefined);
      } else {
        this.#options.malformed(framed.reason, this.#from);
        this.#socket.destroy();
        return;
      }
    }
    if (this.#framer.pending > 0) this.#incompleteSince ??= now;
  }
}

function keyOf({ address, port }: Endpoint): string {
  return `${address} ${port}`;
}
