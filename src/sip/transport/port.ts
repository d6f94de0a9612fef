import type { Clock } from '../../core/clock.ts';
import type { Endpoint } from '../../media/format.ts';

/** A stream connection as its users see it: something to send over while it lasts. */
export interface Connection {
  readonly open: boolean;
}

/** Where a message came from; for UDP there is no connection. */
export interface Origin extends Endpoint {
  readonly connection: Connection | undefined;
}

export interface SendOptions {
  /** A connection to prefer over the address: the one the request came in on (RFC 3261 §18.2.2). */
  readonly over?: Connection | undefined;
  /** Only over a stream connection that is open to the address already (RFC 5626 §5.3): none is opened, it fails. */
  readonly established?: boolean | undefined;
  /** Called once when the message could not be handed to the network. */
  readonly failed?: ((error: Error) => void) | undefined;
}

/** One bound address that SIP messages leave from and arrive at. */
export interface TransportSocket {
  readonly transport: 'udp' | 'tcp';
  readonly bound: Endpoint;
  /** Open stream connections, both directions. */
  readonly connections: number;
  /** Sends one whole message. Never throws; failure is `options.failed`. */
  send(message: Buffer, to: Endpoint, options?: SendOptions): void;
  close(): Promise<void>;
}

/** Limits on what peers may make a socket hold. */
export interface TransportLimits {
  readonly maxConnections: number;
  /** A connection on which nothing happened for this long is closed. */
  readonly idleMs: number;
  /** The same for one that never sent a whole message, or sends one too slowly. */
  readonly incompleteMs: number;
  /** Bytes a peer may leave unread before its connection is closed. */
  readonly maxUnread: number;
  /** Bytes of one message. */
  readonly maxMessage: number;
}

/**
 * Our choices; idle connections live for longer than a registration, whose flow they may be (an hour at most), and the
 * last is what every element must take in a datagram (RFC 3261 §18.1.1).
 */
export const TRANSPORT_LIMITS: TransportLimits = {
  maxConnections: 5_000,
  idleMs: 65 * 60_000,
  incompleteMs: 32_000,
  maxUnread: 1 << 20,
  maxMessage: 65_535,
};

export interface BindOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly limits: TransportLimits;
  /** One datagram, or one message cut out of a stream. The bytes are the receiver's to keep. */
  readonly receive: (message: Buffer, from: Origin) => void;
  /** Something arrived that cannot be cut into messages; the connection is closed. */
  readonly malformed: (reason: string, from: Origin) => void;
  /** A stream connection is over, and not because the socket closes. */
  readonly closed?: ((from: Endpoint) => void) | undefined;
  /** An error of the socket as a whole, after it was bound. */
  readonly error: (error: Error) => void;
}

/** Binds; rejects with the system's error (EADDRINUSE …). */
export type Bind = (options: BindOptions) => Promise<TransportSocket>;

/** What an agent binds its listeners with. */
export interface Transports {
  readonly udp: Bind;
  readonly tcp: Bind;
}
