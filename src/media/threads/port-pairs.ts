import { bindUdp, type PacketHandler, type UdpSocket } from './udp.ts';

export interface PortPair {
  readonly rtp: UdpSocket;
  readonly rtcp: UdpSocket;
}

/**
 * RTP ports and the RTCP ports above them out of a configured range: RTP is even (RFC 3550 §11). It starts
 * somewhere and goes round, so that a port just freed is used last and stray packets of an old call find nobody.
 */
export class PortPairs {
  readonly #first: number;
  readonly #last: number;
  readonly #count: number;
  readonly #taken = new Set<string>();
  #next: number;

  constructor(range: { readonly first: number; readonly last: number }, random: number) {
    this.#first = range.first;
    this.#last = range.last;
    this.#count = Math.max(0, Math.floor((range.last + 1 - this.#even) / 2));
    this.#next = this.#count === 0 ? 0 : random % this.#count;
  }

  /** Binds the next free pair; a port somebody else holds is passed over. Rejects when none is left. */
  async open(address: string, onRtp: PacketHandler, onRtcp: PacketHandler): Promise<PortPair> {
    for (let tried = 0; tried < this.#count; tried++) {
      const port = this.#even + 2 * this.#next;
      this.#next = (this.#next + 1) % this.#count;
      const key = `${address} ${port}`;
      if (this.#taken.has(key)) continue;
      this.#taken.add(key);
      const pair = await bindPair(address, port, onRtp, onRtcp).catch((error: unknown) => {
        this.#taken.delete(key);
        throw error;
      });
      if (pair) return pair;
      this.#taken.delete(key);
    }
    throw new Error(
      `no pair of free UDP ports from ${this.#first} to ${this.#last} on ${address}: ${this.#taken.size} in use by calls; widen the RTP port range`,
    );
  }

  async close(pair: PortPair): Promise<void> {
    const { address, port } = pair.rtp.endpoint;
    await Promise.all([pair.rtp.close(), pair.rtcp.close()]);
    this.#taken.delete(`${address} ${port}`);
  }

  get #even(): number {
    return this.#first + (this.#first & 1);
  }
}

/** `undefined` when one of the two ports is in use. */
async function bindPair(
  address: string,
  port: number,
  onRtp: PacketHandler,
  onRtcp: PacketHandler,
): Promise<PortPair | undefined> {
  const rtp = await bindUdp(address, port, onRtp).catch(inUse);
  if (!rtp) return undefined;
  try {
    const rtcp = await bindUdp(address, port + 1, onRtcp).catch(inUse);
    if (rtcp) return { rtp, rtcp };
  } catch (error) {
    await rtp.close();
    throw error;
  }
  await rtp.close();
  return undefined;
}

function inUse(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
  throw error;
}
