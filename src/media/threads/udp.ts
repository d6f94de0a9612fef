import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Endpoint } from '../format.ts';

/** All the UDP that media needs, so that a faster transport can take its place. */
export interface UdpSocket {
  readonly endpoint: Endpoint;
  /** Hands `packet` to the network; what cannot be sent is lost, as on any network. */
  send(packet: Buffer, to: Endpoint): void;
  close(): Promise<void>;
}

export type PacketHandler = (packet: Buffer, address: string, port: number) => void;

const RECEIVE_BUFFER_BYTES = 4 * 2 ** 20; // a stall must not lose packets; the kernel gives at most rmem_max

/** Binds a socket, `port` 0 for any. Rejects with the operating system's error, EADDRINUSE for one. */
export function bindUdp(address: string, port: number, onPacket: PacketHandler): Promise<UdpSocket> {
  const v6 = isIPv6(address);
  const socket = createSocket({
    type: v6 ? 'udp6' : 'udp4',
    // destinations are numeric: the default look-up would cost every packet a turn of the event loop
    lookup: (host, _options, found) => found(null, host, v6 ? 6 : 4),
  });
  return new Promise((resolve, reject) => {
    const refused = (error: Error) => {
      socket.close(); // a socket that could not be bound is still an open file
      reject(error);
    };
    socket.once('error', refused);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off('error', refused);
      socket.on('error', () => {}); // what a send or receive reports is a lost packet, nothing else
      socket.on('message', (packet, from) => onPacket(packet, from.address, from.port));
      try {
        socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
      } catch {
        // the default size stays: smaller, not wrong
      }
      const bound = socket.address();
      resolve({
        endpoint: { address: bound.address, port: bound.port },
        send: (packet, to) => socket.send(packet, to.port, to.address),
        close: () => new Promise((closed) => socket.close(closed)),
      });
    });
  });
}

const PACKETS = 512;
const PACKET_BYTES = 2_048;

/**
 * Buffers to build packets in, used in turn: one is still unsent only when the kernel refused it at first, and by
 * the time it comes round again it has left.
 */
export class PacketRing {
  readonly #memory = Buffer.alloc(PACKETS * PACKET_BYTES);
  #next = 0;

  /** The next buffer, `length` bytes of it. */
  take(length: number): Buffer {
    const at = this.#next * PACKET_BYTES;
    this.#next = (this.#next + 1) % PACKETS;
    return this.#memory.subarray(at, at + length);
  }

  /** The longest packet it can hold. */
  get capacity(): number {
    return PACKET_BYTES;
  }
}
