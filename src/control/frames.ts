/** Frames are at most this long, header excluded (protocol.ts). */
export const MAX_FRAME_BYTES = 256 * 1024;

const HEADER_BYTES = 4;
const FIRST_CAPACITY = 4096;

/** What arrived is not a frame of the control channel; the connection cannot be read any further. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** One frame: 32-bit big-endian length, then UTF-8 JSON. Throws FrameError beyond MAX_FRAME_BYTES. */
export function encodeFrame(message: object): Buffer {
  const json = JSON.stringify(message);
  const length = Buffer.byteLength(json);
  if (length > MAX_FRAME_BYTES) {
    throw new FrameError(`a message of ${length} bytes is longer than the ${MAX_FRAME_BYTES} of a frame`);
  }
  const frame = Buffer.allocUnsafe(HEADER_BYTES + length);
  frame.writeUInt32BE(length, 0);
  frame.write(json, HEADER_BYTES);
  return frame;
}

/**
 * Cuts a byte stream into frames and parses their JSON. Every byte is copied at most a constant number of times,
 * however the stream is chopped up, and no more than one frame is ever held.
 */
export class FrameDecoder {
  /** Frames longer than this are refused; raised once the peer has authenticated itself. */
  limit: number;
  /** The beginning of a frame whose end has not arrived: the first `#held` bytes. */
  #buffer = Buffer.alloc(0);
  #held = 0;
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true });

  constructor(limit = MAX_FRAME_BYTES) {
    this.limit = limit;
  }

  /** The messages completed by `chunk`, in order, one at a time. Throws FrameError at the first unusable frame. */
  *push(chunk: Buffer): Generator<unknown> {
    const data = this.#held === 0 ? chunk : this.#append(chunk);
    let offset = 0;
    for (;;) {
      const end = this.#endOfFrame(data, offset);
      if (end === undefined || end > data.length) break;
      yield this.#parse(data.subarray(offset + HEADER_BYTES, end));
      offset = end;
    }
    if (offset > 0 || this.#held === 0) this.#keep(data.subarray(offset));
  }

  #endOfFrame(data: Buffer, offset: number): number | undefined {
    if (data.length - offset < HEADER_BYTES) return undefined;
    const length = data.readUInt32BE(offset);
    if (length > this.limit) {
      throw new FrameError(`a frame announces ${length} bytes, at most ${this.limit} are allowed`);
    }
    return offset + HEADER_BYTES + length;
  }

  #parse(body: Buffer): unknown {
    try {
      return JSON.parse(this.#utf8.decode(body));
    } catch (error) {
      throw new FrameError(`a frame of ${body.length} bytes is not JSON`, { cause: error });
    }
  }

  #append(chunk: Buffer): Buffer {
    const length = this.#held + chunk.length;
    if (length > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, 2 * this.#buffer.length, FIRST_CAPACITY));
      this.#buffer.copy(grown, 0, 0, this.#held);
      this.#buffer = grown;
    }
    chunk.copy(this.#buffer, this.#held);
    this.#held = length;
    return this.#buffer.subarray(0, length);
  }

  #keep(rest: Buffer): void {
    this.#held = 0;
    if (rest.length > 0) this.#append(rest);
    else this.#buffer = Buffer.alloc(0); // an idle connection holds no memory
  }
}
