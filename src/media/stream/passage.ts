import { LONGEST_EVENT } from '../rtp-event.ts';

const LONGEST_LOSS = 64; // our choice: packets; a source that skips more has begun numbering anew
const LATEST = 31; // packets behind the newest that may still come: what one word of bits remembers
const MOST_MISORDER = 100; // RFC 3550 appendix A.1, MAX_MISORDER: further back is a new numbering, not an old packet

/** What a passed packet's place in the stream depends on. */
export interface SourcePacket {
  readonly ssrc: number;
  readonly sequence: number;
  readonly timestamp: number;
  /** A telephone event, RFC 4733; otherwise audio. */
  readonly event: boolean;
  /** How much time it covers: samples of audio, or the duration its event has reached. */
  readonly samples: number;
}

/**
 * The numbers of a source's packets inside the stream they are passed into. At its first packet an offset is fixed;
 * from then on sequence numbers and timestamps follow the source's own deltas, so that losses and reordering stay
 * visible to whoever receives the stream, and their jitter stays measurable. Timestamps are the stream's samples,
 * never wrapped.
 */
export class Passage {
  #begun = false; // an offset is fixed
  #source: number | undefined; // the SSRC last passed
  #highest = 0;
  #span = 0; // sequence numbers between the first packet and the highest
  #seen = 0; // bit n: the packet n before the highest has come
  #sequenceOffset = 0;
  #known = 0; // a timestamp of the source, and the sample of the stream it fell on
  #sample = 0;
  #floor = 0; // nothing lies before the first packet
  #audio = 0; // the newest audio packet's sample
  #event = { source: -1, timestamp: 0, sample: 0 };

  /** Of the packet last placed: its sequence number, its sample, and whether it is the newest. */
  sequence = 0;
  sample = 0;
  newest = false;

  /** Forgets the offset: the next packet is placed with `begin`. */
  end(): void {
    this.#begun = false;
  }

  /**
   * Places a packet. `placed`: see the three fields. `dropped`: it has been before, or lies before the
   * first that was passed. `new`: there is no offset yet, or the source's numbers jumped: `begin` it. `latest` is the
   * sample beyond which a timestamp is a jump too.
   */
  place(packet: SourcePacket, latest: number): 'placed' | 'dropped' | 'new' {
    if (packet.ssrc !== this.#source) return 'new';
    const advance = ((packet.sequence - this.#highest) << 16) >> 16;
    if (advance > LONGEST_LOSS || advance < -MOST_MISORDER) return 'new';
    if (!this.#begun) return advance > 0 ? 'new' : 'dropped'; // what it said after this one has been heard
    const sample = this.#sample + ((packet.timestamp - this.#known) | 0);
    if (advance > 0) {
      // an event carries the time it began at, which audio sent beside it may have passed: RFC 4733 §2.2.1
      const earliest = packet.event ? this.#audio - LONGEST_EVENT : this.#audio;
      if (sample < earliest || sample > latest) return 'new';
      this.#seen = advance > LATEST ? 1 : (this.#seen << advance) | 1;
      this.#highest = packet.sequence;
      this.#span += advance;
      this.#known = packet.timestamp;
      this.#sample = sample;
      if (!packet.event) this.#audio = sample;
    } else if (!this.#isLate(-advance)) return 'dropped';
    this.newest = advance > 0;
    this.sequence = (packet.sequence + this.#sequenceOffset) & 0xffff;
    this.sample = packet.event ? this.#eventSample(packet, sample) : Math.max(sample, this.#floor);
    return 'placed';
  }

  /** Places a packet at `sequence` and `sample`, and the source's others after it. */
  begin(packet: SourcePacket, sequence: number, sample: number): void {
    if (this.#event.source !== packet.ssrc) this.#event.source = -1;
    this.#begun = true;
    this.#source = packet.ssrc;
    this.#highest = packet.sequence;
    this.#span = 0;
    this.#seen = 1;
    this.#sequenceOffset = sequence - packet.sequence;
    this.#known = packet.timestamp;
    this.#floor = sample;
    this.#audio = sample;
    // of an event that has been going on, only the rest lies in this stream
    this.#sample = packet.event ? sample - packet.samples : sample;
    this.newest = true;
    this.sequence = sequence & 0xffff;
    this.sample = packet.event ? this.#eventSample(packet, this.#sample) : sample;
  }

  #isLate(behind: number): boolean {
    if (behind > LATEST || behind > this.#span || this.#seen & (1 << behind)) return false;
    this.#seen |= 1 << behind;
    return true;
  }

  /** All packets of one event get one timestamp, also when something else was heard in between. */
  #eventSample(packet: SourcePacket, sample: number): number {
    const event = this.#event;
    if (event.source === packet.ssrc && event.timestamp === packet.timestamp) return event.sample;
    const began = Math.max(sample, this.#floor);
    if (this.newest) {
      event.source = packet.ssrc;
      event.timestamp = packet.timestamp;
      event.sample = began;
    }
    return began;
  }
}
