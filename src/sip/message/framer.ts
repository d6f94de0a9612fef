/**
 * What a SIP stream turned out to carry. `message` is one complete message for `parseMessage`; `ping` is the double
 * CRLF that wants a single CRLF back (RFC 5626 §3.5.1); after `fatal` the connection is useless, because nobody
 * knows where the next message begins.
 */
export type Framed =
  | { readonly kind: 'message'; readonly data: Buffer }
  | { readonly kind: 'ping' }
  | { readonly kind: 'fatal'; readonly reason: string };

/** Our choice: what fits into a datagram is enough on a stream too. Headers and body together. */
export const MAX_MESSAGE_BYTES = 65_536;

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const CR = 0x0d;
const LF = 0x0a;

/**
 * Cuts a byte stream into messages by Content-Length (RFC 3261 §18.3). Holds at most one incomplete message of
 * `limit` bytes, and looks at every byte a bounded number of times however it is cut.
 */
export class StreamFramer {
  readonly #limit: number;
  /** Bytes not yet handed out: `#store[#start … #end)`. */
  #store = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  /** Up to here the head of the current message is known not to end. */
  #scanned = 0;
  /** Length of the current message, once its head is complete. */
  #wanted: number | undefined;
  #dead = false;

  constructor(limit = MAX_MESSAGE_BYTES) {
    this.#limit = limit;
  }

  /** Everything that `chunk` completes, in order. Nothing after `fatal`. */
  push(chunk: Buffer): Framed[] {
    const framed: Framed[] = [];
    // Portions bound the store by two messages even when one read carries many.
    for (let at = 0; at < chunk.length && !this.#dead; at += this.#limit) {
      this.#append(chunk.subarray(at, at + this.#limit));
      for (let next = this.#next(); next; next = this.#next()) framed.push(next);
    }
    return framed;
  }

  /** Bytes of an incomplete message held back. */
  get pending(): number {
    return this.#end - this.#start;
  }

  #append(bytes: Buffer): void {
    if (this.#end + bytes.length > this.#store.length) {
      const held = this.#end - this.#start;
      const room = held + bytes.length > this.#store.length ? Math.max(2 * held, held + bytes.length) : 0;
      const target = room === 0 ? this.#store : Buffer.allocUnsafe(room);
      this.#store.copy(target, 0, this.#start, this.#end);
      this.#store = target;
      this.#scanned -= this.#start;
      this.#start = 0;
      this.#end = held;
    }
    bytes.copy(this.#store, this.#end);
    this.#end += bytes.length;
  }

  #next(): Framed | undefined {
    if (this.#dead) return undefined;
    if (this.#wanted === undefined) {
      const ping = this.#skipLineEnds();
      if (ping !== 'message') return ping;
      const fault = this.#readHead();
      if (fault !== undefined) return this.#fail(fault);
      if (this.#wanted === undefined) return undefined;
    }
    if (this.#end - this.#start < this.#wanted) return undefined;
    const data = Buffer.from(this.#store.subarray(this.#start, this.#start + this.#wanted));
    this.#consume(this.#wanted);
    return { kind: 'message', data };
  }

  /** Drops CRLFs between messages (RFC 3261 §7.5) and reports each pair of them; 'message' at anything else. */
  #skipLineEnds(): Framed | 'message' | undefined {
    for (;;) {
      const held = this.#end - this.#start;
      const is = (i: number, byte: number) => i < held && this.#store[this.#start + i] === byte;
      if (!is(0, CR)) return held === 0 ? undefined : 'message';
      if (!is(1, LF)) return held === 1 ? undefined : 'message';
      if (is(2, CR) && is(3, LF)) {
        this.#consume(4);
        return { kind: 'ping' };
      }
      if (held === 2 || (held === 3 && is(2, CR))) return undefined; // the second half may still come
      this.#consume(2);
    }
  }

  /** Looks for the end of the head and sets `#wanted`; a reason when this is no SIP stream. */
  #readHead(): string | undefined {
    const from = Math.max(this.#start, this.#scanned - END_OF_HEAD.length + 1);
    const found = this.#store.subarray(0, this.#end).indexOf(END_OF_HEAD, from);
    const headLength = (found < 0 ? this.#end : found + END_OF_HEAD.length) - this.#start;
    if (headLength > this.#limit) return `headers of more than ${this.#limit} bytes`;
    if (found < 0) {
      this.#scanned = this.#end;
      return undefined;
    }
    const length = contentLength(this.#store.toString('latin1', this.#start, found + 2));
    if (typeof length === 'string') return length;
    if (headLength + length > this.#limit) return `a message of more than ${this.#limit} bytes`;
    this.#wanted = headLength + length;
    return undefined;
  }

  #consume(bytes: number): void {
    this.#start += bytes;
    this.#scanned = this.#start;
    this.#wanted = undefined;
    if (this.#start === this.#end) {
      this.#store = Buffer.alloc(0); // an idle connection holds nothing
      this.#start = 0;
      this.#end = 0;
      this.#scanned = 0;
    }
  }

  #fail(reason: string): Framed {
    this.#dead = true;
    this.#store = Buffer.alloc(0);
    this.#start = 0;
    this.#end = 0;
    return { kind: 'fatal', reason };
  }
}

/** The length a head announces, or why it cannot be trusted: RFC 3261 §20.14 makes it mandatory on a stream. */
function contentLength(head: string): number | string {
  let length: number | undefined;
  for (const match of head.matchAll(/^(?:content-length|l)[ \t]*:[ \t]*(?:\r\n[ \t]+)*([^\r\n]*)\r$/gim)) {
    const value = (match[1] ?? '').trim();
    if (!/^\d{1,10}$/.test(value))
      return `Content-Length is no number: ${JSON.stringify(value.slice(0, 40))}`;
    if (length !== undefined && length !== Number(value)) return 'two different Content-Length headers';
    length = Number(value);
  }
  return length ?? 'no Content-Length, which a stream needs to find the next message';
}
