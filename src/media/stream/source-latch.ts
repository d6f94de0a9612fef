import type { Endpoint } from '../format.ts';

const RELATCH_MS = 3_000; // our choice: longer than a loss, shorter than a caller's patience

/**
 * Symmetric RTP: where a peer's packets really come from, which behind a NAT is not what its SDP says. The first
 * source wins; another one is believed only after the first has been silent for some seconds, so a stranger
 * cannot take a stream over.
 */
export class SourceLatch {
  #source: Endpoint | undefined;
  #heardAt = 0;

  /** Where to send: the source, once there is one. */
  get source(): Endpoint | undefined {
    return this.#source;
  }

  reset(): void {
    this.#source = undefined;
  }

  /** Whether a packet from there, at `now` (monotonic milliseconds), belongs to the peer. */
  accepts(address: string, port: number, now: number): boolean {
    const known = this.#source;
    if (known && (known.port !== port || known.address !== address)) {
      if (now - this.#heardAt < RELATCH_MS) return false;
      this.#source = { address, port };
    }
    if (!known) this.#source = { address, port };
    this.#heardAt = now;
    return true;
  }
}
