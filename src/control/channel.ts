import type { Socket } from 'node:net';
import type { Clock, Timer } from '../core/clock.ts';
import { encodeFrame, FrameDecoder, MAX_FRAME_BYTES } from './frames.ts';

/** A connection is silent once nothing was heard for this many heartbeats (protocol.ts). */
const SILENT_HEARTBEATS = 3;

/** Before authentication only `hello`, `challenge` and `welcome` are expected. Our choice. */
const STRANGER_FRAME_BYTES = 4096;

/** How long a closing connection may take to send its last bytes. Our choice. */
const LINGER_MS = 1_000;

/** A peer that does not read is cut off when this much waits for it. Our choice: far above any burst of calls. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;

export interface ChannelOptions<In> {
  readonly socket: Socket;
  readonly clock: Clock;
  readonly heartbeatMs: number;
  /** Throws when the value is not a message. */
  readonly parse: (value: unknown) => In;
  readonly onMessage: (message: In) => void;
  /** Called once. `reason` says why, for the log. */
  readonly onClosed: (reason: string) => void;
}

/**
 * One end of a control connection: frames, heartbeats, and an end that is reported exactly once. Whatever is wrong
 * with what arrives closes it.
 */
export class Channel<In, Out extends { readonly type: string }> {
  readonly #socket: Socket;
  readonly #options: ChannelOptions<In>;
  readonly #decoder = new FrameDecoder(STRANGER_FRAME_BYTES);
  #lastHeard: number;
  #lastSent: number;
  #heartbeat: Timer | undefined;
  #linger: Timer | undefined;
  #closed = false;
  #socketError: string | undefined;

  constructor(options: ChannelOptions<In>) {
    this.#options = options;
    this.#socket = options.socket;
    this.#lastHeard = this.#lastSent = options.clock.monotonic();
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk) => this.#receive(chunk));
    this.#socket.on('error', (error) => {
      this.#socketError = error.message;
    });
    this.#socket.on('close', () => {
      this.#linger?.cancel();
      this.#over(this.#socketError ?? 'the other side closed it');
    });
  }

  /** The peer has proved who it is: full frames and heartbeats from now on. */
  trust(): void {
    if (this.#closed) return;
    this.#decoder.limit = MAX_FRAME_BYTES;
    this.#beat(this.#options.clock.monotonic());
  }

  /** `flushed` is called when the system has taken the bytes, or when they are lost with the connection. */
  send(message: Out | { readonly type: 'ping' }, flushed?: () => void): void {
    if (this.#closed) {
      flushed?.();
      return;
    }
    this.#lastSent = this.#options.clock.monotonic();
    this.#gather();
    this.#socket.write(encodeFrame(message), () => flushed?.());
    if (this.#socket.writableLength > MAX_UNSENT_BYTES) this.close('the other side stopped reading');
  }

  /** What is sent in one turn of the event loop leaves in one piece: a write costs more than what it carries. */
  #gather(): void {
    if (this.#socket.writableCorked > 0) return;
    this.#socket.cork();
    setImmediate(() => this.#socket.uncork());
  }

  /** Sends a last message, then closes. */
  dismiss(message: Out, reason: string): void {
    this.send(message);
    this.end(reason);
  }

  /** Lets what was sent go out, then closes. */
  end(reason: string): void {
    if (this.#closed) return;
    this.#socket.destroySoon();
    this.#linger = this.#options.clock.after(LINGER_MS, () => this.#socket.destroy());
    this.#over(reason);
  }

  /** Drops the connection at once; idempotent. */
  close(reason: string): void {
    this.#socket.destroy();
    this.#over(reason);
  }

  #over(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#heartbeat?.cancel();
    this.#options.onClosed(reason);
  }

  #receive(chunk: Buffer): void {
    if (this.#closed) return;
    this.#lastHeard = this.#options.clock.monotonic();
    try {
      for (const value of this.#decoder.push(chunk)) {
        this.#options.onMessage(this.#options.parse(value));
        if (this.#closed) return;
      }
    } catch (error) {
      this.close(error instanceof Error ? error.message : String(error));
    }
  }

  #beat(previous: number): void {
    const { clock, heartbeatMs } = this.#options;
    this.#heartbeat = clock.after(heartbeatMs, () => {
      const now = clock.monotonic();
      const silence = now - this.#lastHeard;
      // A beat that comes late was held up by this process: what the peer sent meanwhile is still unread.
      const punctual = now - previous < 2 * heartbeatMs;
      if (punctual && silence >= SILENT_HEARTBEATS * heartbeatMs) {
        this.close(`nothing heard for ${Math.round(silence)} ms`);
        return;
      }
      if (now - this.#lastSent >= heartbeatMs) this.send({ type: 'ping' });
      this.#beat(now);
    });
  }
}
