import type { Clock, Timer } from '../../core/clock.ts';
import type { Ids } from '../../core/ids.ts';
import type { Endpoint, MediaDirection, MediaFormat } from '../../media/format.ts';
import { FRAME_MS, FRAME_SAMPLES } from '../../media/frame.ts';
import { encodeG711, silenceByte } from '../../media/g711.ts';
import { parseRtp, RTP_HEADER_BYTES, rtpFields, writeRtpHeader } from '../../media/rtp-packet.ts';
import { KeyReceiver } from '../../media/stream/key-receiver.ts';
import { Loudness } from '../../media/stream/loudness.ts';
import { type FrameSource, outgoingFrame } from '../../media/stream/outgoing-frame.ts';
import { Player } from '../../media/stream/player.ts';
import { SourceLatch } from '../../media/stream/source-latch.ts';
import { bindUdp, type UdpSocket } from '../../media/threads/udp.ts';
import type { HeardAudio } from './heard-audio.ts';

/** Sound after this much silence is worth saying again. Our choice. */
const NEW_SOUND_AFTER_MS = 2_000;

export interface LineOptions {
  /** Local address. */
  readonly address: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly heard: HeardAudio;
  /** The peer begins to make a sound. */
  readonly onSound: () => void;
  /** The peer pressed a key. */
  readonly onKey: (key: string) => void;
}

/** What offer and answer agreed on. */
export interface LineFormat {
  readonly format: MediaFormat;
  readonly remote: Endpoint;
  readonly direction: MediaDirection;
}

/**
 * The audio of one call, in this process: a packet every 20 ms from the moment it starts, whatever comes in put
 * on the heard time line. One call needs no thread of its own.
 */
export class RtpLine {
  readonly #o: LineOptions;
  readonly #socket: UdpSocket;
  readonly #player = new Player(() => {});
  readonly #frame = outgoingFrame();
  readonly #keys = new KeyReceiver();
  readonly #loudness = new Loudness();
  readonly #latch = new SourceLatch();
  readonly #fields = rtpFields();
  readonly #ssrc: number;
  readonly #firstTimestamp: number;
  #sequence: number;
  #sources = 0;
  #agreed: LineFormat | undefined;
  #startedAt: number | undefined;
  #slot = 0;
  #eventTimestamp = 0;
  #lastSoundAt: number | undefined;
  #timer: Timer | undefined;
  sent = 0;

  static async open(options: LineOptions): Promise<RtpLine> {
    let line: RtpLine | undefined;
    const socket = await bindUdp(options.address, 0, (packet, address, port) =>
      line?.receive(packet, address, port),
    );
    line = new RtpLine(options, socket);
    return line;
  }

  private constructor(options: LineOptions, socket: UdpSocket) {
    this.#o = options;
    this.#socket = socket;
    this.#ssrc = options.ids.uint32();
    this.#firstTimestamp = options.ids.uint32();
    this.#sequence = options.ids.uint32() & 0xffff;
  }

  /** The port for the SDP. */
  get port(): number {
    return this.#socket.endpoint.port;
  }

  /** Milliseconds since the start; 0 before. */
  get elapsedMs(): number {
    return this.#startedAt === undefined ? 0 : this.#o.clock.monotonic() - this.#startedAt;
  }

  /** Claims that the peer has made a sound and then none for `ms`. */
  isSilentFor(ms: number): boolean {
    return this.#lastSoundAt !== undefined && this.elapsedMs - this.#lastSoundAt >= ms;
  }

  /** Begins to send and to hear; time is counted from here. */
  start(agreed: LineFormat): void {
    this.#agreed = agreed;
    this.#startedAt = this.#o.clock.monotonic();
    this.#send();
  }

  /** What a later offer and answer agreed on. */
  change(agreed: LineFormat): void {
    const { remote } = agreed;
    const before = this.#agreed?.remote;
    if (before?.address !== remote.address || before.port !== remote.port) this.#latch.reset();
    this.#agreed = agreed;
  }

  /** Sends these one after the other. */
  perform(sources: readonly FrameSource[]): void {
    for (const source of sources) this.#player.add(this.#sources++, source);
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#agreed = undefined;
    await this.#socket.close();
  }

  private receive(packet: Buffer, address: string, port: number): void {
    const agreed = this.#agreed;
    const fields = this.#fields;
    if (!agreed || !parseRtp(packet, fields)) return;
    const now = this.elapsedMs;
    if (!this.#latch.accepts(address, port, now)) return;
    const payload = packet.subarray(fields.start, fields.end);
    const { format } = agreed;
    if (fields.payloadType === format.dtmfPayloadType) {
      this.#o.heard.key(fields);
      const key = this.#keys.packet(fields.ssrc, fields.timestamp, fields.marker, payload);
      if (key !== undefined) this.#o.onKey(key);
    } else if (fields.payloadType === format.payloadType) {
      const pcm = this.#o.heard.packet(fields, format.codec, payload, now);
      if (this.#loudness.hear(pcm)) this.#sound(now);
    }
  }

  #sound(now: number): void {
    const begins = this.#lastSoundAt === undefined || now - this.#lastSoundAt > NEW_SOUND_AFTER_MS;
    this.#lastSoundAt = now;
    if (begins) this.#o.onSound();
  }

  /** Sends what is due; due times are counted from the start, so a late turn does not delay the ones after it. */
  #send(): void {
    for (let due = this.#slot * FRAME_MS; due <= this.elapsedMs; due = this.#slot * FRAME_MS) {
      this.#sendFrame();
      this.#slot++;
    }
    const wait = this.#slot * FRAME_MS - this.elapsedMs;
    this.#timer = this.#o.clock.after(wait, () => this.#send());
  }

  #sendFrame(): void {
    const frame = this.#frame;
    if (!this.#player.next(frame)) frame.kind = 'pause';
    const agreed = this.#agreed;
    if (agreed?.direction !== 'sendrecv' && agreed?.direction !== 'sendonly') return;
    const { format } = agreed;
    const timestamp = (this.#firstTimestamp + this.#slot * FRAME_SAMPLES) >>> 0;
    if (frame.kind === 'event' && format.dtmfPayloadType !== undefined) {
      // All packets of an event carry the timestamp of its beginning (RFC 4733 §2.2.1).
      if (frame.begins) this.#eventTimestamp = timestamp;
      this.#packet(format.dtmfPayloadType, frame.begins, this.#eventTimestamp, Buffer.from(frame.event));
      return;
    }
    const payload = Buffer.alloc(FRAME_SAMPLES, silenceByte(format.codec));
    if (frame.kind === 'audio') encodeG711(format.codec, frame.pcm, payload);
    this.#packet(format.payloadType, this.sent === 0, timestamp, payload);
  }

  #packet(payloadType: number, marker: boolean, timestamp: number, payload: Buffer): void {
    const to = this.#latch.source ?? this.#agreed?.remote;
    if (!to) return;
    const packet = Buffer.concat([Buffer.alloc(RTP_HEADER_BYTES), payload]);
    writeRtpHeader(packet, { marker, payloadType, sequence: this.#sequence, timestamp, ssrc: this.#ssrc });
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.sent++;
    this.#socket.send(packet, to);
  }
}
