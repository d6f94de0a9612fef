import type { RecordingEnd, RecordOptions, RecordTrack } from '../../leg/port.ts';
import { FRAME_MS, FRAME_SAMPLES, msOfSamples, SAMPLE_RATE, samplesOfMs } from '../frame.ts';
import { interleave, mixInto } from '../mix.ts';
import { pcmBytes, WAV_HEADER_BYTES, wavHeader } from '../wav.ts';
import type { Heard } from './jitter-buffer.ts';
import { Loudness } from './loudness.ts';
import type { OpenSpoolFile, SpoolFile } from './spool-file.ts';

const CHUNK_SAMPLES = SAMPLE_RATE; // a second: what a crash can cost, and how often the disk is asked
const KEPT_AROUND_MS = 100; // our choice: of the silence before and after, so that trimming cuts no consonant
const MOST_PENDING_CHUNKS = 30; // a disk half a minute behind has failed
const SILENCE = new Int16Array(FRAME_SAMPLES);

/** Channels of a recording made with these options: two only of two tracks. */
export function channelsOf(options: RecordOptions): 1 | 2 {
  return options.track === 'both' && options.channels === 2 ? 2 : 1;
}

/**
 * Writes what a peer says, or what it hears, or both, to a spool file while it happens: PCM 16 bit, 8 kHz. Both
 * directions come frame by frame together, so two channels are as long as each other and never shift. The header is
 * brought up to date with every chunk, so the file is a valid WAV whenever the process dies.
 *
 * Silence on every recorded track ends it after `silenceMs`; stretches without RTP are written as silence, to keep the
 * timeline true, but do not count. With `trim`, silence before the first sound is never written and silence after the
 * last is cut at the end. A disk that fails ends it with what was written until then.
 *
 * Lengths are counted in samples of one channel.
 */
export class Recorder {
  /** Settles when the file is complete; never rejects. */
  readonly ended: Promise<RecordingEnd>;

  readonly #options: RecordOptions;
  readonly #track: RecordTrack;
  readonly #channels: 1 | 2;
  readonly #limit: number;
  readonly #loudness = { inbound: new Loudness(), outbound: new Loudness() };
  readonly #lead: Int16Array[] = []; // the frames before the first sound, while trimming
  readonly #frame: Int16Array;
  readonly #chunk: Int16Array;
  #chunkLength = 0;
  #captured = 0;
  #accepted = 0; // meant for the file
  #written = 0; // in the file
  #lastSound = -1; // counted in accepted samples
  #silent = true;
  #silentMs = 0; // since the last sound
  #paused: 'skip' | 'silence' | undefined;
  #pending = 0;
  #disk: Promise<SpoolFile | undefined>;
  #error: string | undefined;
  #reason: RecordingEnd['reason'] | undefined;
  #finish: (end: Promise<RecordingEnd>) => void = () => {};

  constructor(options: RecordOptions, openFile: OpenSpoolFile) {
    this.#options = options;
    this.#track = options.track ?? 'inbound';
    this.#channels = channelsOf(options);
    this.#limit = samplesOfMs(options.maxLengthMs);
    this.#frame = new Int16Array(FRAME_SAMPLES * this.#channels);
    this.#chunk = new Int16Array((CHUNK_SAMPLES + FRAME_SAMPLES) * this.#channels);
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#disk = openFile(options.recordingSid).catch((error: unknown) => this.#fail(error));
  }

  /** Nothing more is taken: it has ended, or is about to settle. */
  get over(): boolean {
    return this.#reason !== undefined;
  }

  /** The next 20 ms: what the peer said, and what was sent to it, if anything was. */
  frame(inbound: Int16Array, heard: Heard, outbound: Int16Array = SILENCE): void {
    if (this.over || this.#paused === 'skip') return;
    const length = Math.min(inbound.length, this.#limit - this.#captured);
    this.#captured += length;
    if (this.#paused === 'silence') this.#keep(this.#compose(SILENCE, SILENCE, length), false);
    else this.#take(inbound.subarray(0, length), heard, outbound.subarray(0, length));
    if (this.#captured >= this.#limit) this.stop('max-length');
    else if (this.#options.silenceMs > 0 && this.#silentMs >= this.#options.silenceMs) this.stop('silence');
  }

  /** Takes nothing more until `resume`: `skip` leaves the pause out, `silence` puts silence in its place, which ends nothing. */
  pause(behavior: 'skip' | 'silence'): void {
    this.#paused = behavior;
  }

  resume(): void {
    this.#paused = undefined;
  }

  /** Ends it; only the first reason counts. */
  stop(reason: RecordingEnd['reason']): void {
    if (this.over) return;
    this.#reason = reason;
    this.#flush();
    this.#finish(this.#complete(reason));
  }

  #take(inbound: Int16Array, heard: Heard, outbound: Int16Array): void {
    const ofPeer = this.#track !== 'outbound';
    const said = ofPeer && heard === 'audio' && this.#loudness.inbound.hear(inbound);
    const told = this.#track !== 'inbound' && this.#loudness.outbound.hear(outbound);
    const loud = said || told;
    if (loud) this.#silent = false;
    if (loud) this.#silentMs = 0;
    else if (!ofPeer || heard === 'audio') this.#silentMs += FRAME_MS; // what did not arrive is not silence
    this.#keep(this.#compose(inbound, outbound, inbound.length), loud);
  }

  /** The samples that go into the file, valid until the next call. */
  #compose(inbound: Int16Array, outbound: Int16Array, length: number): Int16Array {
    const frame = this.#frame.subarray(0, length * this.#channels);
    if (this.#channels === 2) {
      interleave(inbound.subarray(0, length), outbound, frame);
      return frame;
    }
    frame.set((this.#track === 'outbound' ? outbound : inbound).subarray(0, length));
    if (this.#track === 'both') mixInto(frame, outbound);
    return frame;
  }

  #keep(samples: Int16Array, loud: boolean): void {
    if (this.#options.trim && this.#silent) {
      this.#lead.push(samples.slice());
      if (this.#lead.length > KEPT_AROUND_MS / FRAME_MS) this.#lead.shift();
      return;
    }
    for (const frame of this.#lead.splice(0)) this.#append(frame);
    this.#append(samples);
    if (loud) this.#lastSound = this.#accepted;
  }

  #append(samples: Int16Array): void {
    const length = samples.length / this.#channels;
    this.#chunk.set(samples, this.#chunkLength * this.#channels);
    this.#chunkLength += length;
    this.#accepted += length;
    if (this.#chunkLength >= CHUNK_SAMPLES) this.#flush();
  }

  #flush(): void {
    if (this.#chunkLength === 0) return;
    const bytes = pcmBytes(this.#chunk.subarray(0, this.#chunkLength * this.#channels));
    const at = this.#accepted - this.#chunkLength;
    this.#chunkLength = 0;
    if (++this.#pending > MOST_PENDING_CHUNKS) {
      this.#fail(new Error(`the spool is ${MOST_PENDING_CHUNKS} seconds behind: is its disk too slow?`));
      return;
    }
    this.#disk = this.#disk.then((file) => file && this.#write(file, bytes, at));
  }

  /** After a failure nothing more is written; the file stays, valid up to the last chunk that fitted. */
  async #write(file: SpoolFile, bytes: Buffer, at: number): Promise<SpoolFile> {
    this.#pending--;
    if (this.#error !== undefined) return file;
    const before = at * this.#sampleBytes;
    try {
      await file.write(bytes, WAV_HEADER_BYTES + before);
      await file.write(wavHeader(before + bytes.length, this.#channels), 0);
      this.#written = (before + bytes.length) / this.#sampleBytes;
    } catch (error) {
      this.#fail(error);
    }
    return file;
  }

  /** Bytes of a sample of every channel. */
  get #sampleBytes(): number {
    return 2 * this.#channels;
  }

  #fail(error: unknown): undefined {
    this.#error ??= error instanceof Error ? error.message : String(error);
    this.stop('failed');
  }

  async #complete(reason: RecordingEnd['reason']): Promise<RecordingEnd> {
    const file = await this.#disk;
    const storedSamples = this.#options.trim
      ? Math.min(this.#written, this.#lastSound < 0 ? 0 : this.#lastSound + samplesOfMs(KEPT_AROUND_MS))
      : this.#written;
    let path: string | undefined;
    try {
      if (storedSamples > 0) path = file?.path;
      await (path === undefined ? file?.discard() : file && this.#close(file, storedSamples));
    } catch (error) {
      this.#fail(error);
    }
    const failed = this.#error !== undefined;
    return {
      reason: failed ? 'failed' : reason,
      durationMs: msOfSamples(this.#captured),
      storedMs: path === undefined ? 0 : msOfSamples(storedSamples),
      channels: this.#channels,
      silent: this.#silent,
      path,
      ...(this.#error === undefined ? {} : { error: this.#error }),
    };
  }

  /** Cuts the file to `stored` of its samples, completes its header and closes it. */
  async #close(file: SpoolFile, stored: number): Promise<void> {
    try {
      if (stored < this.#written) {
        const bytes = stored * this.#sampleBytes;
        await file.truncate(WAV_HEADER_BYTES + bytes);
        await file.write(wavHeader(bytes, this.#channels), 0);
      }
    } finally {
      await file.close();
    }
  }
}
