import type { DtmfKey, ListenOptions, RecordingEnd, RecordOptions } from '../../leg/port.ts';
import type { Endpoint, MediaFormat } from '../format.ts';
import { FRAME_MS, FRAME_SAMPLES } from '../frame.ts';
import { encodeG711 } from '../g711.ts';
import { INNER_HEADER_BYTES, type InnerFields, innerFields, writeInnerHeader } from '../inner-packet.ts';
import { rms } from '../mix.ts';
import { EVENT_BYTES } from '../rtp-event.ts';
import { clipFrames, loopedFrames } from '../stream/clip-frames.ts';
import { digitFrames } from '../stream/digit-frames.ts';
import { type Heard, JitterBuffer } from '../stream/jitter-buffer.ts';
import { KeyReceiver } from '../stream/key-receiver.ts';
import { LateFrames, LONGEST_DELAY_MS } from '../stream/late-frames.ts';
import { outgoingFrame } from '../stream/outgoing-frame.ts';
import { Player } from '../stream/player.ts';
import { Recorder } from '../stream/recorder.ts';
import { SpeechDetector } from '../stream/speech-detector.ts';
import type { OpenSpoolFile } from '../stream/spool-file.ts';
import type { SpeechReport } from './messages.ts';
import type { PacketRing, UdpSocket } from './udp.ts';

const MOST_BURST_MS = 60; // after a stall at most three frames leave at once; the rest comes later
const QUIET_RMS = 130; // −48 dB of full scale: a frame below it can be left out unheard
const SILENCE = new Int16Array(FRAME_SAMPLES);

/** What a leg tells the main thread. */
export interface LegReports {
  played(request: number): void;
  recorded(request: number, end: RecordingEnd): void;
  key(key: DtmfKey): void;
  speech(request: number, speech: SpeechReport): void;
}

/** What all legs of a media thread share. */
export interface MediaShare {
  readonly inner: UdpSocket;
  readonly ring: PacketRing;
  readonly openFile: OpenSpoolFile;
}

/**
 * One leg inside the media thread: decodes, hears keys, records; plays and sends keys.
 *
 * A bridged leg hands what its peer says to the other one in its own turn, and the other sends it at once: no frame
 * waits for the other's turn. What the other plays itself replaces the frame that comes next over the bridge, so that
 * its peer gets one frame in 20 ms, whatever the two turns are apart.
 */
export class HostedLeg {
  readonly handle: number;
  readonly edge: Endpoint;
  readonly #share: MediaShare;
  readonly #reports: LegReports;
  readonly #jitter = new JitterBuffer();
  readonly #keys = new KeyReceiver();
  readonly #player: Player;
  readonly #passing = new Player(() => {}); // keys of the bridged leg's peer
  readonly #recorders = new Map<number, Recorder>();
  readonly #detectors = new Map<number, SpeechDetector>();
  readonly #heard = new Int16Array(FRAME_SAMPLES);
  readonly #carried = new Int16Array(FRAME_SAMPLES);
  readonly #frame = outgoingFrame();
  readonly #fields = innerFields();
  #format: MediaFormat;
  #time = 0; // in samples, one frame per turn, whether or not something is sent
  #eventBegan = 0;
  #paused = true;
  #bridged: HostedLeg | undefined;
  #echoing = false; // what its peer says goes back to it
  #concealed = false; // the last frame heard was made up
  #covered = false; // something of our own was sent in place of the next frame over the bridge
  #carrying = false; // `#carried` came over the bridge since the last turn
  #late: LateFrames | undefined; // what came over the bridge and could not leave in time
  #sentUntil = 0; // when what was sent over the bridge will have been heard, if the peer hears it at once
  #passed = 0;

  constructor(
    leg: { readonly handle: number; readonly edge: Endpoint; readonly format: MediaFormat },
    share: MediaShare,
    reports: LegReports,
  ) {
    this.handle = leg.handle;
    this.edge = leg.edge;
    this.#format = leg.format;
    this.#share = share;
    this.#reports = reports;
    this.#player = new Player((request) => reports.played(request));
    this.#fields.handle = leg.handle;
  }

  /** Recordings not yet complete. */
  get recordings(): number {
    return this.#recorders.size;
  }

  configure(format: MediaFormat): void {
    this.#format = format;
  }

  /** A packet of the peer's, passed on by the edge. */
  fromEdge(fields: Readonly<InnerFields>, payload: Uint8Array): void {
    if (fields.kind === 'audio') {
      this.#jitter.insert(fields.source, fields.timestamp, fields.marker, fields.codec, payload);
      return;
    }
    const key = this.#keys.packet(fields.source, fields.timestamp, fields.marker, payload);
    if (key === undefined) return;
    this.#reports.key(key);
    const other = this.#bridged;
    if (other) other.#pass(key);
  }

  play(request: number, pcm: Int16Array, loop: boolean): void {
    this.#player.add(request, loop ? loopedFrames(pcm) : clipFrames(pcm));
  }

  sendDigits(request: number, digits: string): void {
    this.#player.add(request, digitFrames(digits, this.#format.dtmfPayloadType !== undefined));
  }

  cancel(request: number): void {
    this.#player.cancel(request);
  }

  listen(request: number, options: ListenOptions): void {
    const tell = (speech: SpeechReport) => this.#reports.speech(request, speech);
    const detector = new SpeechDetector(options, {
      began: () => tell({ kind: 'began' }),
      audio: (pcm) => tell({ kind: 'audio', pcm }),
      ended: (why) => tell({ kind: 'ended', why }),
    });
    this.#detectors.set(request, detector);
  }

  stopListening(request: number): void {
    this.#detectors.delete(request);
  }

  record(request: number, options: RecordOptions): void {
    const recorder = new Recorder(options, this.#share.openFile);
    this.#recorders.set(request, recorder);
    void recorder.ended.then((end) => {
      this.#recorders.delete(request);
      this.#reports.recorded(request, end);
    }); // never rejects
  }

  stopRecording(request: number): void {
    this.#recorders.get(request)?.stop('stopped');
  }

  pauseRecording(request: number, behavior: 'skip' | 'silence'): void {
    this.#recorders.get(request)?.pause(behavior);
  }

  resumeRecording(request: number): void {
    this.#recorders.get(request)?.resume();
  }

  /** Lets the two peers hear each other, and nobody else whom either heard before. */
  bridge(other: HostedLeg): void {
    if (this.#bridged === other || other === this) return;
    this.unbridge();
    other.unbridge();
    this.#bridged = other;
    other.#bridged = this;
  }

  unbridge(): void {
    for (const leg of [this.#bridged, this]) {
      if (!leg) continue;
      leg.#bridged = undefined;
      leg.#covered = false;
      leg.#late = undefined;
      leg.#passing.clear();
    }
  }

  echo(on: boolean): void {
    this.#echoing = on;
    this.#covered = false;
    this.#late = undefined;
  }

  /** Its turn, every 20 ms; after a stall, the turns it missed. */
  turn(dueAt: number, now: number): void {
    const heard = this.#jitter.pull(this.#heard);
    this.#time = (this.#time + FRAME_SAMPLES) >>> 0;
    const tooLate = now - dueAt >= MOST_BURST_MS;
    const sent = tooLate ? undefined : this.#sendOwn();
    const outbound = sent ?? (this.#carrying ? this.#carried : undefined);
    for (const recorder of this.#recorders.values()) recorder.frame(this.#heard, heard, outbound);
    for (const detector of this.#detectors.values()) detector.frame(this.#heard);
    this.#carrying = false;
    const other = this.#echoing ? this : this.#bridged;
    const madeUp = heard === 'concealed' && this.#concealed;
    this.#concealed = heard === 'concealed';
    if (!other || (other !== this && other.#echoing)) return;
    // the second frame made up in a row is hardly heard, but would keep the edge from passing the peers on directly
    if (heard === 'nothing' || madeUp) other.#catchUp(now);
    else other.#carry(this.#heard, heard, dueAt, now);
  }

  /** Settles when every recording has been reported. */
  async close(): Promise<void> {
    this.unbridge();
    this.#player.clear();
    for (const detector of this.#detectors.values()) detector.close();
    this.#detectors.clear();
    const recorders = [...this.#recorders.values()];
    for (const recorder of recorders) recorder.stop('hangup');
    await Promise.all(recorders.map((recorder) => recorder.ended));
  }

  /** Sends the next frame of a clip or of keys, if there is one; the result is what the peer hears then. */
  #sendOwn(): Int16Array | undefined {
    const frame = this.#frame;
    const own = this.#player.next(frame);
    const playing = own || this.#passing.next(frame);
    this.#fields.passed = !own;
    this.#covered = playing;
    if (!playing || frame.kind === 'pause') this.#paused = true;
    else if (frame.kind === 'audio') this.#sendAudio(frame.pcm);
    else this.#sendEvent();
    return playing ? (frame.kind === 'audio' ? frame.pcm : SILENCE) : undefined;
  }

  /**
   * The next 20 ms over the bridge, which were due at `dueAt`. After a stall of this thread, or while one follows the
   * other, what cannot leave at once leaves later, and all that follows with it; quiet frames are left out to make up
   * for that. What is too late even so is recorded all the same: it was said.
   */
  #carry(pcm: Int16Array, heard: Heard, dueAt: number, now: number): void {
    if (this.#isCovered()) return;
    this.#carried.set(pcm);
    this.#carrying = true;
    if (now - dueAt > LONGEST_DELAY_MS) return;
    const behind = this.#late?.waiting === true || this.#sentUntil - now >= FRAME_MS;
    if (behind && (heard === 'concealed' || rms(pcm) < QUIET_RMS)) return this.#sendLate(now);
    if (!behind) return this.#sendPassed(pcm, now);
    this.#late ??= new LateFrames();
    this.#late.put(pcm);
    this.#sendLate(now);
  }

  /** Nothing came over the bridge in this turn. */
  #catchUp(now: number): void {
    if (!this.#isCovered()) this.#sendLate(now);
  }

  /** Whether something of our own is sent instead of what comes over the bridge now: that of late is not missed then. */
  #isCovered(): boolean {
    const covered = this.#covered || this.#player.busy || this.#passing.busy;
    this.#covered = false;
    if (covered) this.#late = undefined;
    return covered;
  }

  #sendLate(now: number): void {
    const late = this.#late;
    while (late?.waiting && this.#sentUntil < now + MOST_BURST_MS) this.#sendPassed(late.take(), now);
  }

  #sendPassed(pcm: Int16Array, now: number): void {
    this.#sentUntil = Math.max(this.#sentUntil, now) + FRAME_MS;
    this.#fields.passed = !this.#echoing;
    this.#sendAudio(pcm);
  }

  /** A key of the other peer's. A clip that plays is heard instead of it, as of everything from there. */
  #pass(key: DtmfKey): void {
    if (this.#player.busy) return;
    this.#passing.add(this.#passed++, digitFrames(key, this.#format.dtmfPayloadType !== undefined));
  }

  #sendAudio(pcm: Int16Array): void {
    const packet = this.#packet('audio', FRAME_SAMPLES, this.#time, this.#paused);
    encodeG711(this.#format.codec, pcm, packet.subarray(INNER_HEADER_BYTES));
    this.#paused = false;
    this.#share.inner.send(packet, this.edge);
  }

  #sendEvent(): void {
    if (this.#frame.begins) this.#eventBegan = this.#time;
    const packet = this.#packet('event', EVENT_BYTES, this.#eventBegan, this.#frame.begins);
    packet.set(this.#frame.event, INNER_HEADER_BYTES);
    this.#paused = true;
    this.#share.inner.send(packet, this.edge);
  }

  #packet(kind: InnerFields['kind'], length: number, timestamp: number, marker: boolean): Buffer {
    const fields = this.#fields;
    fields.kind = kind;
    fields.codec = this.#format.codec;
    fields.marker = marker;
    fields.timestamp = timestamp;
    fields.sequence = (fields.sequence + 1) & 0xffff;
    const packet = this.#share.ring.take(INNER_HEADER_BYTES + length);
    writeInnerHeader(packet, fields);
    return packet;
  }
}
