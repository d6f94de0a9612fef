import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Codec, Endpoint, MediaFormat } from '../../../../src/media/format.ts';
import { decodeG711, encodeG711 } from '../../../../src/media/g711.ts';
import { parseEvent, type RtpEvent, writeEvent } from '../../../../src/media/rtp-event.ts';
import { parseRtp, rtpFields, writeRtpHeader } from '../../../../src/media/rtp-packet.ts';
import { createMediaHost } from '../../../../src/media/threads/media-host.ts';
import type { MediaHost, RelayHost } from '../../../../src/media/threads/port.ts';
import { createRelayHost } from '../../../../src/media/threads/relay-host.ts';
import { until } from '../../../support/until.ts';

export const PCMU: MediaFormat = { codec: 'PCMU', payloadType: 0, dtmfPayloadType: 101 };
export const PCMA: MediaFormat = { codec: 'PCMA', payloadType: 8, dtmfPayloadType: 96 };

/** How far ahead of time a relay sends what comes in a burst, 100 ms, and a frame for where slots begin. */
const MOST_LEAD_MS = 120;

/** What `speak` makes up for after a stall of its own. */
const MOST_BURST_MS = 100;

const script = (name: string) => new URL(`../../../../dist/workers/${name}.js`, import.meta.url);

/** The threads of one test, closed with it. */
export class Stage implements AsyncDisposable {
  readonly spoolDir = mkdtempSync(join(tmpdir(), 'trunkline-media-'));
  readonly #closers: (() => Promise<void>)[] = [];

  async relay(
    options: { silentAfterMs?: number; ports?: { first: number; last: number } } = {},
  ): Promise<RelayHost> {
    const host = await createRelayHost({
      script: script('edge-media'),
      address: '127.0.0.1',
      ports: options.ports ?? { first: 20_000, last: 29_999 },
      silentAfterMs: options.silentAfterMs ?? 60_000,
    });
    this.#closers.push(() => host.close());
    return host;
  }

  async media(options: { clipBytes?: number } = {}): Promise<MediaHost> {
    const host = await createMediaHost({
      script: script('region-media'),
      address: '127.0.0.1',
      spoolDir: this.spoolDir,
      ...options,
    });
    this.#closers.push(() => host.close());
    return host;
  }

  async peer(): Promise<Peer> {
    const peer = await Peer.bind();
    this.#closers.push(() => peer.close());
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers.reverse()) await close();
    rmSync(this.spoolDir, { recursive: true, force: true });
  }
}

export interface Arrival {
  readonly at: number;
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Buffer;
}

/** A telephone's media: one UDP socket that notes what comes and sends what it is told. */
export class Peer {
  readonly arrivals: Arrival[] = [];
  readonly ssrc = 0x1234_5678;
  readonly #bornAt = performance.now(); // nothing was sent to it before
  readonly #socket: Socket;
  #sequence = 65_530; // wraps soon
  #timestamp = 2 ** 32 - 800;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (packet) => {
      const fields = rtpFields();
      if (!parseRtp(packet, fields)) return;
      const { start, end, ...header } = fields;
      this.arrivals.push({ ...header, at: performance.now(), payload: packet.subarray(start, end) });
    });
  }

  static async bind(): Promise<Peer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new Peer(socket);
  }

  get endpoint(): Endpoint {
    const { address, port } = this.#socket.address();
    return { address, port };
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }

  /** One packet; the timestamp advances by `advance` afterwards. */
  send(port: number, payloadType: number, payload: Uint8Array, advance: number, marker = false): void {
    const packet = Buffer.alloc(12 + payload.length);
    writeRtpHeader(packet, {
      marker,
      payloadType,
      sequence: this.#sequence,
      timestamp: this.#timestamp,
      ssrc: this.ssrc,
    });
    packet.set(payload, 12);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + advance) >>> 0;
    this.#socket.send(packet, port, '127.0.0.1');
  }

  /** Speaks `pcm` in real time, 20 ms a packet; where this process stood still, the rest of it comes later. */
  async speak(port: number, pcm: Int16Array, format: MediaFormat = PCMU): Promise<void> {
    let start = performance.now();
    for (let frame = 0; ; frame++) {
      await until('the next frame is due', () => performance.now() >= start + frame * 20);
      if (frame * 160 >= pcm.length) return;
      start += Math.max(0, performance.now() - start - frame * 20 - MOST_BURST_MS);
      const codes = new Uint8Array(160);
      encodeG711(format.codec, pcm.slice(frame * 160, frame * 160 + 160), codes);
      this.send(port, format.payloadType, codes, 160, frame === 0);
    }
  }

  /** Presses a key: `updates` packets and three ends, some of them lost. */
  press(port: number, event: number, options: { lose?: (index: number) => boolean } = {}): void {
    for (let index = 0; index < 8; index++) {
      const payload = new Uint8Array(4);
      writeEvent({ event, end: index >= 5, volume: 10, duration: Math.min(index + 1, 6) * 160 }, payload);
      if (!options.lose?.(index)) this.send(port, 101, payload, 0, index === 0);
      else this.#sequence = (this.#sequence + 1) & 0xffff;
    }
    this.#timestamp = (this.#timestamp + 8 * 160) >>> 0;
  }

  /** All audio received so far, decoded and put end to end. */
  heard(codec: Codec = 'PCMU', payloadType = 0): Int16Array {
    const frames = this.arrivals.filter((arrival) => arrival.payloadType === payloadType);
    const codes = Buffer.concat(frames.map((frame) => frame.payload));
    const pcm = new Int16Array(codes.length);
    decodeG711(codec, codes, pcm);
    return pcm;
  }

  events(payloadType = 101): (RtpEvent & Arrival)[] {
    return this.arrivals.flatMap((arrival) => {
      const event = arrival.payloadType === payloadType ? parseEvent(arrival.payload) : undefined;
      return event ? [{ ...arrival, ...event }] : [];
    });
  }

  /** Whether the last packet came when its timestamp says, counted from the first: true now and then, or never. */
  get inStep(): boolean {
    const [first, last] = [this.arrivals[0], this.arrivals.at(-1)];
    if (!first || !last || last.payloadType > 90) return false;
    return Math.abs(last.at - first.at - ((last.timestamp - first.timestamp) >>> 0) / 8) < 45;
  }

  /** Milliseconds that the stream left out because the relay's thread stood still, see `isStall`. */
  get skippedMs(): number {
    return this.arrivals.reduce((sum, arrival, index) => {
      const before = this.arrivals[index - 1];
      return sum + (before && isStall(before, arrival) ? advanceOf(before, arrival) / 8 - 20 : 0);
    }, 0);
  }

  /**
   * What is wrong with the stream: packets whose sequence number or timestamp does not follow its predecessor's, but
   * for what a stall explains, and timestamps that are ahead of time.
   */
  discontinuities(): string[] {
    const wrong: string[] = [];
    const first = this.arrivals[0];
    for (const [index, arrival] of this.arrivals.entries()) {
      const before = this.arrivals[index - 1];
      if (!before) continue;
      if (arrival.ssrc !== before.ssrc) wrong.push(`packet ${index}: SSRC changed`);
      if (arrival.sequence !== ((before.sequence + 1) & 0xffff)) wrong.push(`packet ${index}: sequence`);
      const advance = advanceOf(before, arrival);
      const events = arrival.payloadType > 90 || before.payloadType > 90;
      if (!events && advance !== 160 && !isStall(before, arrival))
        wrong.push(`packet ${index}: timestamp advanced by ${advance}`);
      const lasted = ((arrival.timestamp - (first?.timestamp ?? 0)) >>> 0) / 8;
      if (arrival.at - this.#bornAt < lasted - MOST_LEAD_MS) wrong.push(`packet ${index}: ahead of time`);
    }
    return wrong;
  }
}

const advanceOf = (before: Arrival, after: Arrival) => (after.timestamp - before.timestamp) | 0;

/** A relay that stood still for more than three frames goes on at the present, with the marker. */
function isStall(before: Arrival, after: Arrival): boolean {
  const advance = advanceOf(before, after);
  return after.marker && advance >= 4 * 160 && advance % 160 === 0;
}
