import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Endpoint } from '../../media/format.ts';
import { isKeepAlive } from '../message/parse.ts';
import type { BindOptions, SendOptions, TransportSocket } from './port.ts';
import { answerToStun, isStun } from './stun.ts';

/**
 * Kernel buffers, bytes: at 10,000 messages a second a stall of 100 ms must not lose any (our choice; the system
 * grants at most net.core.rmem_max).
 */
const SOCKET_BUFFER = 4 << 20;

/** SIP over UDP (RFC 3261 §18): one socket, one message per datagram. */
export async function bindUdp(options: BindOptions): Promise<TransportSocket> {
  const socket = createSocket({
    type: isIPv6(options.host) ? 'udp6' : 'udp4',
    recvBufferSize: SOCKET_BUFFER,
    sendBufferSize: SOCKET_BUFFER,
    // Targets are resolved before they get here, so the resolver's detour through its thread pool is saved.
    lookup: (host, _, done) => done(null, host, isIPv6(host) ? 6 : 4),
  });
  await bind(socket, options);
  return new UdpSocket(socket, options);
}

function bind(socket: Socket, { host, port }: BindOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => {
      socket.close();
      reject(error);
    };
    socket.once('error', failed);
    socket.bind({ address: host, port }, () => {
      socket.removeListener('error', failed);
      resolve();
    });
  });
}

class UdpSocket implements TransportSocket {
  readonly transport = 'udp';
  readonly bound: Endpoint;
  readonly connections = 0;
  readonly #socket: Socket;
  #open = true;
  /**
   * What is sent while the datagrams that have arrived are handled, until they have been: sent together they wake a
   * sleeping peer once, and waking it is most of what a send costs.
   */
  #outbox: (() => void)[] | undefined;
  #flush: NodeJS.Immediate | undefined;

  constructor(socket: Socket, options: BindOptions) {
    const { address, port } = socket.address();
    this.bound = { address, port };
    this.#socket = socket;
    socket.on('error', options.error);
    socket.on('message', (message, from) => {
      if (isKeepAlive(message)) return;
      if (isStun(message)) {
        const answer = answerToStun(message, from);
        if (answer) this.send(answer, from);
        return;
      }
      this.#outbox ??= [];
      this.#flush ??= setImmediate(() => this.#sendAll());
      options.receive(message, { address: from.address, port: from.port, connection: undefined });
    });
  }

  send(message: Buffer, to: Endpoint, { failed }: SendOptions = {}): void {
    if (!this.#open) {
      failed?.(new Error(`the UDP socket on port ${this.bound.port} is closed`));
      return;
    }
    if (this.#outbox) this.#outbox.push(() => this.#send(message, to, failed));
    else this.#send(message, to, failed);
  }

  #sendAll(): void {
    const sends = this.#outbox ?? [];
    this.#outbox = undefined;
    this.#flush = undefined;
    for (const send of sends) send();
  }

  #send(message: Buffer, to: Endpoint, failed: SendOptions['failed']): void {
    const done = failed ? (error: Error | null) => error && failed(error) : undefined;
    try {
      this.#socket.send(message, to.port, to.address, done);
    } catch (error) {
      failed?.(error instanceof Error ? error : new Error(String(error)));
    }
  }

  close(): Promise<void> {
    if (!this.#open) return Promise.resolve();
    if (this.#flush) clearImmediate(this.#flush);
    this.#sendAll();
    this.#open = false;
    return new Promise((resolve) => this.#socket.close(resolve));
  }
}
