import { isIP } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import type { Ids } from '../../core/ids.ts';
import type { Codec, Endpoint, MediaDirection, MediaFormat } from '../format.ts';
import { convertG711 } from '../g711.ts';
import { INNER_HEADER_BYTES, type InnerFields, innerFields, writeInnerHeader } from '../inner-packet.ts';
import { EVENT_BYTES } from '../rtp-event.ts';
import { parseRtp, RTP_HEADER_BYTES, type RtpFields, rtpFields, writeRtpHeader } from '../rtp-packet.ts';
import { PeerStream } from '../stream/peer-stream.ts';
import { SourceLatch } from '../stream/source-latch.ts';
import { TalkPause } from '../stream/talk-pause.ts';
import { LegReports } from './leg-reports.ts';
import type { RelayStats } from './port.ts';
import type { PortPair } from './port-pairs.ts';
import type { PacketRing, UdpSocket } from './udp.ts';

const LONGEST_LINGER_MS = 1_000; // our choice: a worker that has said nothing by then says nothing

/** What all legs of a relay thread share. */
export interface RelayShare {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly inner: UdpSocket;
  readonly ring: PacketRing;
  readonly silentAfterMs: number;
}

/** One leg inside the relay thread: everything between the peer's socket and the inner hop. */
export class RelayedLeg {
  readonly #share: RelayShare;
  readonly #onSilent: () => void;
  readonly #latch = new SourceLatch();
  readonly #reports: LegReports;
  readonly #rtp = rtpFields();
  readonly #inner = innerFields();
  #pair: PortPair | undefined;
  #stream: PeerStream | undefined;
  #remote: Endpoint | undefined;
  #format: MediaFormat | undefined;
  #receives = false;
  #worker: Endpoint | undefined;
  #heardAt = 0;
  #silenceTold = false;
  #partner: RelayedLeg | undefined; // bridged with
  #feeder: RelayedLeg | undefined; // whose peer ours hears: the partner, and after the bridge whoever it was
  #listener: RelayedLeg | undefined; // the other end of that
  #feedUntil = Number.POSITIVE_INFINITY;
  #awaited: TalkPause | undefined; // of whoever our peer hears: then the other way takes over
  #deaf = false; // our peer does not hear what the worker passes on, which is what it hears directly
  readonly #header = { marker: false, payloadType: 0, sequence: 0, timestamp: 0, ssrc: 0 };
  readonly #source = { ssrc: 0, sequence: 0, timestamp: 0, event: false, samples: 0 };

  constructor(handle: number, share: RelayShare, onSilent: () => void) {
    const ssrc = share.ids.uint32();
    this.#share = share;
    this.#onSilent = onSilent;
    this.#reports = new LegReports(share.clock, ssrc, `${handle}`);
    this.#inner.handle = handle;
    this.#header.ssrc = ssrc;
  }

  /** Its sockets, and when its first turn is due. */
  start(pair: PortPair, firstTurn: number): void {
    const { ids, ring } = this.#share;
    const header = this.#header;
    const start = {
      origin: firstTurn - 1, // a turn is never early, and rounding must not make it seem so
      sequence: ids.uint32(), // RFC 3550 §5.1: sequence number and timestamp start anywhere
      timestamp: ids.uint32(),
    };
    this.#pair = pair;
    this.#stream = new PeerStream(start, (payloadType, marker, sequence, timestamp, payload) => {
      const to = this.#latch.source ?? this.#remote;
      if (!to) return;
      const packet = ring.take(RTP_HEADER_BYTES + payload.length);
      header.payloadType = payloadType;
      header.marker = marker;
      header.sequence = sequence;
      header.timestamp = timestamp;
      writeRtpHeader(packet, header);
      packet.set(payload, RTP_HEADER_BYTES);
      pair.rtp.send(packet, to);
    });
  }

  configure(remote: Endpoint, format: MediaFormat, direction: MediaDirection): void {
    const now = this.#share.clock.monotonic();
    const known = this.#remote;
    // a refresh that names the same address says nothing new about where the peer's packets come from
    if (known?.address !== remote.address || known.port !== remote.port) this.#latch.reset();
    this.#remote = remote;
    this.#format = format;
    this.#receives = direction === 'sendrecv' || direction === 'recvonly';
    this.#heardAt = now;
    this.#silenceTold = false;
    this.#reports.begin(now);
    // RFC 3264 §8.4: an old way to hold is the address 0.0.0.0
    const reachable = isIP(remote.address) !== 0 && remote.port > 0 && !UNSPECIFIED.has(remote.address);
    this.#stream?.configure(format, reachable && (direction === 'sendrecv' || direction === 'sendonly'), now);
  }

  attach(worker: Endpoint | undefined): void {
    this.#worker = worker;
    const partner = this.#partner;
    if (!partner) return this.#leaveFeeder(false);
    if (worker) return;
    for (const leg of [this, partner]) if (leg.#awaited) leg.#changeOver(); // nobody passes anything on
  }

  /**
   * Passes this leg's peer and `other`'s to each other instead of to their workers; a former bridge of either ends.
   * `gently`: each as soon as the other pauses.
   */
  bridge(other: RelayedLeg, gently = false): void {
    if (other === this) return;
    for (const leg of [this, other]) {
      if (leg.#partner && leg.#partner !== this && leg.#partner !== other) leg.unbridge();
      if (leg.#listener !== this && leg.#listener !== other) leg.#leaveListener();
    }
    this.#partner = other;
    other.#partner = this;
    this.#approach(other, gently);
    other.#approach(this, gently);
  }

  /**
   * Back to the workers; each peer goes on hearing the other one until its worker says something; `gently`: until the
   * other pauses, and then hears it through the worker.
   */
  unbridge(gently = false): void {
    const other = gently ? this.#partner : (this.#partner ?? this.#feeder ?? this.#listener);
    if (!other) return;
    for (const leg of [this, other]) {
      leg.#partner = undefined;
      leg.#leaveFeeder(gently);
    }
  }

  /** Our peer is to hear `talker`'s directly. */
  #approach(talker: RelayedLeg, gently: boolean): void {
    this.#feedUntil = Number.POSITIVE_INFINITY;
    if (!gently) return this.#changeOver();
    this.#awaited = undefined;
    if (this.#feeder === talker) return;
    if (!this.#worker || !talker.#worker) return this.#changeOver();
    this.#feed(undefined);
    this.#awaited = new TalkPause(this.#share.clock.monotonic());
  }

  /** Our peer is to hear its worker instead of another leg's peer. */
  #leaveFeeder(gently: boolean): void {
    if (!this.#feeder || !this.#worker) return this.#feed(undefined);
    const now = this.#share.clock.monotonic();
    this.#deaf = gently;
    this.#awaited = gently ? new TalkPause(now) : undefined;
    this.#feedUntil = gently ? Number.POSITIVE_INFINITY : Math.min(this.#feedUntil, now + LONGEST_LINGER_MS);
  }

  /** From now on our peer hears its partner's directly. What the worker still passes on is not worth delaying that. */
  #changeOver(): void {
    this.#feed(this.#partner);
    this.#deaf = this.#partner !== undefined;
    if (this.#deaf) this.#stream?.giveWay();
  }

  /** From now on our peer hears what `source`'s says, as far as our worker is silent; undefined: nobody. */
  #feed(source: RelayedLeg | undefined): void {
    this.#awaited = undefined;
    this.#deaf = false;
    const before = this.#feeder;
    if (before === source) return;
    if (before) before.#listener = undefined;
    this.#feeder = source;
    if (source) source.#listener = this;
    else this.#stream?.endPassage();
  }

  #leaveListener(): void {
    const listener = this.#listener;
    if (listener) listener.#feed(undefined);
  }

  /** An RTP packet on our port. */
  fromPeer(packet: Buffer, address: string, port: number): void {
    const format = this.#format;
    const rtp = this.#rtp;
    if (!format || !parseRtp(packet, rtp)) return;
    const now = this.#share.clock.monotonic();
    if (!this.#latch.accepts(address, port, now)) return;
    this.#reports.reception.packet(rtp.ssrc, rtp.sequence, rtp.timestamp, now);
    this.#heardAt = now;
    this.#silenceTold = false;
    const codec = codecOf(rtp.payloadType, format);
    const isEvent = rtp.payloadType === format.dtmfPayloadType;
    if (!this.#receives || !(codec || isEvent)) return;
    const audio = isEvent ? undefined : codec;
    const listener = this.#listener;
    const hearer = listener ?? this.#partner;
    if (hearer) hearer.#awaited?.said(audio, packet.subarray(rtp.start, rtp.end), now);
    const worker = listener && listener === this.#partner ? undefined : this.#worker;
    if (worker) this.#forward(packet, audio, worker);
    if (listener) listener.#hear(packet, rtp, audio, now); // rewrites it, so it comes last
  }

  /** A packet of the peer's to the worker; without a codec it is a telephone event. */
  #forward(packet: Buffer, codec: Codec | undefined, worker: Endpoint): void {
    const rtp = this.#rtp;
    const length = INNER_HEADER_BYTES + rtp.end - rtp.start;
    if (length > this.#share.ring.capacity) return;
    const inner = this.#inner;
    inner.kind = codec ? 'audio' : 'event';
    inner.codec = codec ?? 'PCMU';
    inner.marker = rtp.marker;
    inner.source = rtp.ssrc;
    inner.timestamp = rtp.timestamp;
    inner.sequence = rtp.sequence;
    const forwarded = this.#share.ring.take(length);
    writeInnerHeader(forwarded, inner);
    packet.copy(forwarded, INNER_HEADER_BYTES, rtp.start, rtp.end);
    this.#share.inner.send(forwarded, worker);
  }

  /**
   * A packet of the feeder's goes on to our peer, in the memory it came in: our header ends where its own did. Without
   * a codec it is a telephone event.
   */
  #hear(packet: Buffer, rtp: Readonly<RtpFields>, codec: Codec | undefined, now: number): void {
    const { start, end } = rtp;
    const to = this.#latch.source ?? this.#remote;
    const length = end - start;
    if (!to || (!codec && length < EVENT_BYTES)) return;
    const source = this.#source;
    source.ssrc = rtp.ssrc;
    source.sequence = rtp.sequence;
    source.timestamp = rtp.timestamp;
    source.event = !codec;
    source.samples = codec ? length : packet.readUInt16BE(start + 2); // RFC 4733 §2.3: the duration so far
    const passed = this.#stream?.pass(source, rtp.marker, length, now);
    if (!passed) return;
    const header = this.#header;
    header.payloadType = passed.payloadType;
    header.marker = passed.marker;
    header.sequence = passed.sequence;
    header.timestamp = passed.timestamp;
    const ours = this.#format?.codec;
    if (codec && ours && codec !== ours) convertG711(codec, ours, packet.subarray(start, end));
    const sent = packet.subarray(start - RTP_HEADER_BYTES, end);
    writeRtpHeader(sent, header);
    this.#pair?.rtp.send(sent, to);
  }

  /** An inner packet that names this leg; taken only from the attached worker. */
  fromWorker(fields: Readonly<InnerFields>, payload: Uint8Array, address: string, port: number): void {
    if (this.#worker?.port !== port || this.#worker.address !== address) return;
    const now = this.#share.clock.monotonic();
    const audio = fields.kind === 'audio';
    if (fields.passed) {
      if (this.#awaited) this.#awaited.arrived(audio ? fields.codec : undefined, payload, now);
      if (this.#deaf) return;
    }
    this.#stream?.fromWorker(fields, payload, now);
    if (!this.#partner && this.#feeder && !this.#deaf && audio) this.#feed(undefined);
  }

  /** An RTCP packet on our port. */
  fromPeerControl(packet: Buffer, address: string): void {
    const peer = this.#latch.source ?? this.#remote;
    if (address === peer?.address) this.#reports.heard(packet);
  }

  /** Its turn, every 20 ms. */
  turn(now: number): void {
    if (this.#feeder && !this.#partner && now >= this.#feedUntil) this.#feed(undefined);
    if (this.#awaited?.reached(now)) this.#changeOver();
    this.#stream?.fill(now);
    if (this.#receives && !this.#silenceTold && now - this.#heardAt >= this.#share.silentAfterMs) {
      this.#silenceTold = true;
      this.#onSilent();
    }
    if (this.#reports.due(now)) this.#report(now, false);
  }

  /** Says goodbye to the peer, and leaves whom it was bridged with. Its sockets are the caller's to close. */
  end(): RelayStats {
    this.unbridge();
    this.#leaveListener();
    this.#feed(undefined);
    if (this.#stream && this.#stream.sent > 0) this.#report(this.#share.clock.monotonic(), true);
    return this.#reports.stats(this.#stream?.sent ?? 0);
  }

  get pair(): PortPair | undefined {
    return this.#pair;
  }

  get handle(): number {
    return this.#inner.handle;
  }

  #report(now: number, bye: boolean): void {
    const [pair, stream, to] = [this.#pair, this.#stream, this.#latch.source ?? this.#remote];
    if (!pair || !stream || !to || isIP(to.address) === 0 || to.port === 0 || to.port > 65_534) return;
    if (UNSPECIFIED.has(to.address)) return;
    const packet = this.#reports.packet(stream, pair.rtp.endpoint.address, now, bye);
    pair.rtcp.send(packet, { address: to.address, port: to.port + 1 }); // RFC 3550 §11
  }
}

const UNSPECIFIED = new Set(['0.0.0.0', '::']);

/** A peer may send either law under its static payload type whatever was agreed; both are understood. */
function codecOf(payloadType: number, format: MediaFormat): Codec | undefined {
  if (payloadType === format.payloadType) return format.codec;
  if (payloadType === format.dtmfPayloadType) return undefined;
  return payloadType === 0 ? 'PCMU' : payloadType === 8 ? 'PCMA' : undefined; // RFC 3551 table 4
}
