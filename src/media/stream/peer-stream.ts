import type { Codec, MediaFormat } from '../format.ts';
import { FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE, samplesOfMs } from '../frame.ts';
import { convertG711, silenceByte } from '../g711.ts';
import type { InnerFields } from '../inner-packet.ts';
import { Passage, type SourcePacket } from './passage.ts';

const HEADROOM_MS = 15; // a worker's first frame that leaves less until the deadline goes into the slot after it
const LONGEST_LEAD_MS = 100; // a worker that sends faster than time passes loses what is beyond
const LONGEST_CATCH_UP_MS = 60; // after a longer stall of ours the stream goes on at the present, marked
const LONGEST_WAIT_MS = 200; // our choice: what waited for us no longer goes where it belongs; a peer may still use it
const PATIENCE_MS = 100; // our choice: what a source may be late; a peer's own buffer bridges about as much
const EVENT_MS = 50; // RFC 4733 §2.5.1.2: the longest interval of an event's updates that is usual
const LONGEST_AHEAD = samplesOfMs(200); // our choice: a source that sends faster than time passes loses what is beyond
const SEAMLESS = 2 * FRAME_SAMPLES; // our choice: a shorter pause between two who speak is no gap in the timestamps

/** Sends one RTP packet to the peer. `payload` is only valid during the call. */
export type PacketSink = (
  payloadType: number,
  marker: boolean,
  sequence: number,
  timestamp: number,
  payload: Uint8Array,
) => void;

/** What a packet that is passed through gets in place of its own header. */
export interface PassedHeader {
  payloadType: number;
  marker: boolean;
  sequence: number;
  timestamp: number;
}

/**
 * The one RTP stream a peer sees, whoever fills it: own SSRC, own sequence numbers, timestamps in step with time.
 *
 * Time is cut into slots of 20 ms, each with a deadline, and every slot gets exactly one packet: what the worker sent,
 * or at the deadline a frame of silence. So the stream neither stops nor jumps while workers come, go, or are
 * replaced. While another peer's stream is passed through, its packets take the place of the slots, with its own
 * timing; the worker's frames come before them, and slots are filled again when nothing of it has come for a
 * while. Whoever comes next follows at the next sequence number and never before the end of what was sent. While
 * closed (hold) nothing is sent, and time goes on.
 */
export class PeerStream {
  readonly #sink: PacketSink;
  readonly #origin: number; // deadline of slot 0, monotonic milliseconds
  readonly #firstTimestamp: number;
  readonly #silence = new Uint8Array(FRAME_SAMPLES);
  readonly #passage = new Passage();
  readonly #passed: PassedHeader = { payloadType: 0, marker: false, sequence: 0, timestamp: 0 };
  #format: MediaFormat | undefined;
  #slot = 0;
  #sequence: number; // of the next packet
  #end = 0; // the sample after the newest sent; samples count from slot 0
  #latest = { sample: 0, at: 0 }; // the newest sent, and the moment it belongs to
  #open = false;
  #gap = true; // the next packet is the first after one, RFC 3550 §5.1: it carries the marker
  #speaking = false; // the worker filled the last slot
  #workerTime = 0; // the timestamp of its frame
  #repeating = false; // with what somebody else said
  #passing = false; // the last packet was passed through: slots have not been counted since
  #sourceUntil = Number.NEGATIVE_INFINITY; // until then the source's next packet is waited for
  #event: { readonly inner: number; readonly sample: number } | undefined;
  #sent = 0;
  #octets = 0;

  constructor(
    start: { readonly origin: number; readonly sequence: number; readonly timestamp: number },
    sink: PacketSink,
  ) {
    this.#origin = start.origin;
    this.#sequence = start.sequence & 0xffff;
    this.#firstTimestamp = start.timestamp >>> 0;
    this.#latest.at = start.origin;
    this.#sink = sink;
  }

  get sent(): number {
    return this.#sent;
  }

  get octets(): number {
    return this.#octets;
  }

  /** The timestamp that belongs to `now`: the RTP half of a sender report. */
  timestampAt(now: number): number {
    const { sample, at } = this.#latest;
    return this.#timestamp(Math.round(sample + ((now - at) * SAMPLE_RATE) / 1_000));
  }

  /** The format from now on, and whether anything may be sent. */
  configure(format: MediaFormat, open: boolean, now: number): void {
    if (format.codec !== this.#format?.codec) this.#silence.fill(silenceByte(format.codec));
    this.#format = format;
    if (open && !this.#open) {
      this.#goOn(this.#slotAfter(now));
      this.#sourceUntil = Number.NEGATIVE_INFINITY;
    }
    this.#open = open;
  }

  /** Sends silence for every slot whose deadline has passed, unless a source is being passed through. */
  fill(now: number): void {
    if (!this.#open || now < this.#sourceUntil) return;
    const present = Math.floor((now - this.#origin) / FRAME_MS);
    if (this.#passing || now - this.#deadline > LONGEST_CATCH_UP_MS) this.#goOn(present);
    while (this.#deadline <= now) this.#sendSilence();
  }

  /** A packet of the worker's: takes the next slot at once. `payload` may be rewritten into the peer's law. */
  fromWorker(fields: Readonly<InnerFields>, payload: Uint8Array, now: number): void {
    const format = this.#format;
    if (!this.#open || !format) return;
    if (fields.kind === 'audio' && payload.length !== FRAME_SAMPLES) return; // workers send frames of 20 ms only
    if (fields.kind === 'event' && format.dtmfPayloadType === undefined) return; // the format changed under a key press
    if (!this.#waited(fields, now)) this.#makeRoom(now);
    this.#workerTime = fields.timestamp;
    const ofKey = fields.kind === 'event' && this.#event?.inner === fields.timestamp; // which is not left half told
    if (this.#deadline - now > LONGEST_LEAD_MS && !ofKey) return;
    if (fields.kind === 'event') this.#sendEvent(format.dtmfPayloadType ?? 0, fields, payload);
    else this.#sendAudio(format, fields.codec, payload);
    this.#speaking = true;
    this.#repeating = fields.passed;
  }

  /**
   * Whether this is the frame for the slot whose deadline has passed: it came in time and waited for us, because this
   * thread stood still. What comes over a network as late as that is played by most, or left out, by the peer's choice.
   */
  #waited(fields: Readonly<InnerFields>, now: number): boolean {
    if (!this.#speaking || this.#passing || now - this.#deadline > LONGEST_WAIT_MS) return false;
    const advance = (fields.timestamp - this.#workerTime) | 0;
    return advance === FRAME_SAMPLES || (fields.kind === 'event' && advance === 0);
  }

  /** For a frame that comes at `now`: the slots before it are filled, or the stream goes on there. */
  #makeRoom(now: number): void {
    if (!this.#passing) this.fill(now);
    // a spurt that began just before a deadline would miss a later one by the smallest delay
    if (this.#passing || this.#deadline <= now) this.#goOn(this.#slotAfter(now + HEADROOM_MS));
    else if (!this.#speaking && this.#deadline - now < HEADROOM_MS) this.#sendSilence();
  }

  /**
   * A packet of the source that is passed through: returns the header it goes on with, valid until the next call, or
   * `undefined` when it does not go on. `length` is that of its payload.
   */
  pass(packet: SourcePacket, marker: boolean, length: number, now: number): PassedHeader | undefined {
    const payloadType = packet.event ? this.#format?.dtmfPayloadType : this.#format?.payloadType;
    if (!this.#open || payloadType === undefined) {
      this.#passage.end(); // the stream has no number for it, so its absence must not look like a loss
      return undefined;
    }
    const lasts = packet.event ? EVENT_MS : (packet.samples * 1_000) / SAMPLE_RATE;
    const until = now + lasts + PATIENCE_MS;
    if (this.#speaking && now < this.#deadline) {
      this.#sourceUntil = until;
      return undefined; // the worker is heard instead
    }
    const present = ((now - this.#origin) * SAMPLE_RATE) / 1_000;
    const placed = this.#passage.place(packet, present + LONGEST_AHEAD);
    if (placed === 'dropped') return undefined;
    this.#sourceUntil = until;
    if (placed === 'new') {
      const sample = this.#next(Math.round(present));
      if (sample > present + LONGEST_AHEAD) {
        this.#passage.end();
        return undefined;
      }
      this.#passage.begin(packet, this.#sequence, sample);
    }
    this.#passing = true;
    this.#speaking = false;
    this.#advance(packet, present, now);
    this.#sent++;
    this.#octets += length;
    const header = this.#passed;
    header.payloadType = payloadType;
    header.marker = marker || placed === 'new';
    header.sequence = this.#passage.sequence;
    header.timestamp = this.#timestamp(this.#passage.sample);
    return header;
  }

  /** The source's next packet follows at once on what the worker has passed on, which is in its slot; a clip goes on. */
  giveWay(): void {
    if (this.#repeating) this.#speaking = false;
  }

  /** Nothing more is passed through: what comes next fills slots. */
  endPassage(): void {
    this.#sourceUntil = Number.NEGATIVE_INFINITY;
    this.#passage.end();
  }

  /** The stream has grown by a packet that was passed through, or by an old one that may still reach further. */
  #advance(packet: SourcePacket, present: number, now: number): void {
    const { sample, sequence, newest } = this.#passage;
    let end = sample + packet.samples;
    if (packet.event) end = Math.max(sample, Math.min(end, Math.round(present) + FRAME_SAMPLES)); // it may say anything
    this.#end = Math.max(this.#end, end);
    if (!newest) return;
    this.#sequence = (sequence + 1) & 0xffff;
    if (packet.event) return;
    this.#latest.sample = sample;
    this.#latest.at = now;
  }

  /** Slots are counted again, from `slot` on. */
  #goOn(slot: number): void {
    this.#slot = Math.max(this.#slot, slot);
    this.#gap = true;
    this.#speaking = false;
    this.#passing = false;
    this.#passage.end();
  }

  #sendAudio(format: MediaFormat, codec: Codec, payload: Uint8Array): void {
    this.#event = undefined;
    convertG711(codec, format.codec, payload);
    const sample = this.#slotSample();
    this.#send(format.payloadType, false, sample, sample, payload);
  }

  /**
   * All packets of an event carry the timestamp of its beginning, and only the first the marker (RFC 4733 §2.2.1, §2.2.2),
   * also when its worker stood still meanwhile: the peer would take the rest for another key. Each still takes a slot.
   */
  #sendEvent(payloadType: number, fields: Readonly<InnerFields>, payload: Uint8Array): void {
    const slot = this.#slotSample();
    const began = this.#event?.inner !== fields.timestamp;
    if (began) this.#event = { inner: fields.timestamp, sample: slot };
    this.#gap = false;
    this.#send(payloadType, began, slot, this.#event?.sample ?? slot, payload);
  }

  #sendSilence(): void {
    this.#speaking = false;
    const sample = this.#slotSample();
    this.#send(this.#format?.payloadType ?? 0, false, sample, sample, this.#silence);
  }

  #send(payloadType: number, marker: boolean, slot: number, sample: number, payload: Uint8Array): void {
    this.#sink(payloadType, marker || this.#gap, this.#sequence, this.#timestamp(sample), payload);
    this.#latest.sample = slot;
    this.#latest.at = this.#deadline;
    this.#end = slot + FRAME_SAMPLES;
    this.#gap = false;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#slot++;
    this.#sent++;
    this.#octets += payload.length;
  }

  get #deadline(): number {
    return this.#origin + this.#slot * FRAME_MS;
  }

  /** The first slot whose deadline is not before `at`. */
  #slotAfter(at: number): number {
    return Math.ceil((at - this.#origin) / FRAME_MS);
  }

  #slotSample(): number {
    return this.#next(this.#slot * FRAME_SAMPLES);
  }

  /** Where the next packet begins: at `due`, or where the last one ended if that is hardly earlier, or later. */
  #next(due: number): number {
    return due - this.#end < SEAMLESS ? this.#end : due;
  }

  #timestamp(sample: number): number {
    return (this.#firstTimestamp + sample) >>> 0;
  }
}
