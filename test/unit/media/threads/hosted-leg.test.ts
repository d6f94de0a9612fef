import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecordingEnd } from '../../../../src/leg/port.ts';
import type { Endpoint, MediaFormat } from '../../../../src/media/format.ts';
import { decodeG711, encodeG711 } from '../../../../src/media/g711.ts';
import { innerFields, parseInner } from '../../../../src/media/inner-packet.ts';
import { parseEvent, writeEvent } from '../../../../src/media/rtp-event.ts';
import { spoolIn } from '../../../../src/media/stream/spool-file.ts';
import { HostedLeg, type MediaShare } from '../../../../src/media/threads/hosted-leg.ts';
import type { SpeechReport } from '../../../../src/media/threads/messages.ts';
import { PacketRing, type UdpSocket } from '../../../../src/media/threads/udp.ts';
import { noise } from '../../../support/alignment.ts';
import { channelsIn, shareOf } from '../audio.ts';
import { PCMA, PCMU } from './stage.ts';

const FRAME = 160;

interface Sent {
  readonly kind: 'audio' | 'event';
  readonly marker: boolean;
  readonly payload: Buffer;
}

/** Legs of one media thread on virtual time: each has its turn once in 20 ms, one after the other. */
class Legs {
  readonly keys: string[] = [];
  readonly ends = new Map<number, RecordingEnd>();
  readonly speech: ({ readonly request: number } & SpeechReport)[] = [];
  readonly #sent = new Map<number, Sent[]>();
  readonly #members: Member[] = [];
  readonly #share: MediaShare;
  #now = 0;

  constructor(spoolDir: string) {
    const inner: UdpSocket = {
      endpoint: { address: '127.0.0.1', port: 1 },
      send: (packet) => {
        const fields = innerFields();
        expect(parseInner(packet, fields)).toBe(true);
        const { kind, marker, handle } = fields;
        this.sent(handle).push({ kind, marker, payload: Buffer.from(packet.subarray(20)) });
      },
      close: async () => {},
    };
    this.#share = { inner, ring: new PacketRing(), openFile: spoolIn(spoolDir) };
  }

  open(format: MediaFormat = PCMU): Member {
    const handle = this.#members.length + 1;
    const edge: Endpoint = { address: '127.0.0.1', port: 2 };
    const leg = new HostedLeg({ handle, edge, format }, this.#share, {
      played: () => {},
      recorded: (request, end) => this.ends.set(request, end),
      key: (key) => this.keys.push(`${handle}:${key}`),
      speech: (request, speech) => this.speech.push({ request, ...speech }),
    });
    const member = new Member(leg, format, this.sent(handle));
    this.#members.push(member);
    return member;
  }

  sent(handle: number): Sent[] {
    const known = this.#sent.get(handle) ?? [];
    this.#sent.set(handle, known);
    return known;
  }

  /** `frames` times 20 ms, in each of which every peer says the next of what it has to say. */
  pass(frames: number): void {
    for (let i = 0; i < frames; i++) {
      for (const member of this.#members) member.receive();
      for (const { leg } of this.#members) leg.turn(this.#now, this.#now);
      this.#now += 20;
    }
  }

  /** The thread stands still for `frames` times 20 ms; then it reads what has arrived and makes up for the turns. */
  stall(frames: number): void {
    for (let i = 0; i < frames; i++) for (const member of this.#members) member.receive();
    const now = this.#now + (frames - 1) * 20;
    for (; this.#now <= now; this.#now += 20) for (const { leg } of this.#members) leg.turn(this.#now, now);
  }
}

/** A leg and its peer. */
class Member {
  readonly #format: MediaFormat;
  #said: Int16Array = new Int16Array(0);
  #at = 0;
  #timestamp = 1_000;

  constructor(
    readonly leg: HostedLeg,
    format: MediaFormat,
    readonly sent: Sent[],
  ) {
    this.#format = format;
  }

  /** What the peer says from now on; then no packets come from it. */
  says(pcm: Int16Array): void {
    [this.#said, this.#at] = [pcm, 0];
  }

  receive(): void {
    const pcm = this.#said.slice(this.#at, this.#at + FRAME);
    this.#at += FRAME;
    this.#timestamp += FRAME;
    if (pcm.length < FRAME) return;
    const codes = new Uint8Array(FRAME);
    encodeG711(this.#format.codec, pcm, codes);
    this.leg.fromEdge(
      {
        ...innerFields(),
        codec: this.#format.codec,
        source: 7,
        timestamp: this.#timestamp,
        marker: this.#at === FRAME,
      },
      codes,
    );
  }

  /** The peer presses a key. */
  press(event: number): void {
    this.#timestamp += FRAME;
    for (const end of [false, false, true, true, true]) {
      const payload = new Uint8Array(4);
      writeEvent({ event, end, volume: 10, duration: 320 }, payload);
      this.leg.fromEdge({ ...innerFields(), kind: 'event', source: 7, timestamp: this.#timestamp }, payload);
    }
  }

  /** The audio sent to the peer, packet after packet. */
  heard(): Int16Array {
    const codes = Buffer.concat(
      this.sent.filter(({ kind }) => kind === 'audio').map(({ payload }) => payload),
    );
    const pcm = new Int16Array(codes.length);
    decodeG711(this.#format.codec, codes, pcm);
    return pcm;
  }
}

/** What remains of `pcm` on its way through the codecs, in order. */
function through(pcm: Int16Array, ...formats: MediaFormat[]): Int16Array {
  const result = Int16Array.from(pcm);
  for (const { codec } of formats) {
    const codes = new Uint8Array(result.length);
    encodeG711(codec, result, codes);
    decodeG711(codec, codes, result);
  }
  return result;
}

/** Where `part` lies in `whole`, sample for sample; -1: nowhere. */
function indexOf(part: Int16Array, whole: Int16Array): number {
  const bytes = (pcm: Int16Array) => Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);
  for (let from = 0; ; ) {
    const at = bytes(whole).indexOf(bytes(part), from);
    if (at < 0 || at % 2 === 0) return at < 0 ? -1 : at / 2;
    from = at + 1;
  }
}

let spoolDir: string;
beforeEach(() => {
  spoolDir = mkdtempSync(join(tmpdir(), 'trunkline-legs-'));
});
afterEach(() => rmSync(spoolDir, { recursive: true, force: true }));

const both = {
  recordingSid: 'RE1',
  silenceMs: 0,
  maxLengthMs: 60_000,
  trim: false,
  track: 'both',
  channels: 2,
} as const;
const [here, there] = [noise(2, 1), noise(2, 2)];

/** A leg whose peer takes A-law, bridged with one whose peer takes µ-law. */
function bridged() {
  const legs = new Legs(spoolDir);
  const [a, b] = [legs.open(PCMA), legs.open(PCMU)];
  a.leg.bridge(b.leg);
  return { legs, a, b };
}

async function channelsOf(legs: Legs, request: number): Promise<[Int16Array, Int16Array]> {
  const [left, right] = channelsIn(readFileSync(legs.ends.get(request)?.path ?? ''));
  if (!left || !right) throw new Error('expected two channels');
  return [left, right];
}

describe('an echo', () => {
  it('is what the peer says, every sample once, with no delay but that of the receiving buffer', async () => {
    const legs = new Legs(spoolDir);
    const a = legs.open(PCMA);
    a.leg.record(1, both);
    a.leg.echo(true);
    a.says(here);
    a.press(5);
    legs.pass(110);
    expect(a.heard().subarray(0, here.length)).toEqual(through(here, PCMA, PCMA));
    expect(a.sent.filter(({ kind }) => kind === 'event')).toEqual([]); // keys do not come back
    a.leg.echo(false);
    const sent = a.sent.length;
    a.says(there);
    legs.pass(110);
    expect(a.sent.length).toBe(sent);
    await a.leg.close();
    const [said, heard] = await channelsOf(legs, 1);
    expect(indexOf(through(here, PCMA), said)).toBeGreaterThanOrEqual(0);
    expect(indexOf(through(here, PCMA), heard)).toBeGreaterThanOrEqual(0);
  });

  it('keeps the peer of a bridge from being heard by either', () => {
    const { legs, a, b } = bridged();
    a.leg.echo(true);
    a.says(here);
    b.says(there);
    legs.pass(110);
    expect(a.heard().subarray(0, here.length)).toEqual(through(here, PCMA, PCMA));
    expect(b.sent).toEqual([]);
  });
});

describe('a bridge', () => {
  it('carries what each peer says to the other, in its codec, every sample once and in order', () => {
    const { legs, a, b } = bridged();
    a.says(here);
    b.says(there);
    legs.pass(110);
    expect(b.heard().subarray(0, here.length)).toEqual(through(here, PCMA, PCMU));
    expect(a.heard().subarray(0, there.length)).toEqual(through(there, PCMU, PCMA));
  });

  it('adds no delay to that of the receiving buffer', () => {
    const { legs, a, b } = bridged();
    for (const member of [a, b]) member.says(here);
    const sentAt: number[] = [];
    for (let turn = 0; turn < 10; turn++) {
      legs.pass(1);
      sentAt.push(a.sent.length, b.sent.length);
    }
    // the buffer keeps the first frame for 40 ms, and then it leaves in the same 20 ms, both ways
    expect(sentAt).toEqual([0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8]);
  });

  it('sends nothing while the other peer sends nothing', () => {
    const { legs, a, b } = bridged();
    a.says(here.subarray(0, 10 * FRAME));
    legs.pass(60);
    const sent = b.sent.length;
    expect(sent).toBe(11); // one frame is made up: it could be a loss
    legs.pass(60);
    expect([a.sent.length, b.sent.length]).toEqual([0, sent]);
  });

  it.each(['first', 'last'])('is not heard while a clip is, by the one whose turn is %s', (turn) => {
    const { legs, a, b } = bridged();
    const [listener, speaker] = turn === 'last' ? [b, a] : [a, b];
    const [own, other] = turn === 'last' ? [PCMU, PCMA] : [PCMA, PCMU];
    speaker.says(here);
    listener.says(there);
    legs.pass(20);
    const clip = noise(0.2, 3);
    listener.leg.play(1, clip, false);
    const perTurn = Array.from({ length: 40 }, () => {
      const before = listener.sent.length;
      legs.pass(1);
      return listener.sent.length - before;
    });
    expect(perTurn.every((count) => count <= 1)).toBe(true);
    expect(perTurn.filter((count) => count === 0).length).toBeLessThanOrEqual(1);
    const heard = listener.heard();
    const at = indexOf(through(clip, own), heard);
    expect(at).toBeGreaterThan(0);
    expect(indexOf(heard.subarray(0, at), through(here, other, own))).toBe(0);
    const after = heard.subarray(at + clip.length);
    expect(after.length).toBeGreaterThan(20 * FRAME);
    expect(indexOf(after, through(here, other, own))).toBeGreaterThan(at);
    expect(indexOf(through(clip, other), speaker.heard())).toBe(-1); // only who it was played to
  });

  it('loops a clip until it is cancelled', () => {
    const { legs, a, b } = bridged();
    const ring = noise(0.05, 4); // two frames and a half
    b.leg.play(1, ring, true);
    legs.pass(100);
    a.says(here);
    b.leg.cancel(1);
    legs.pass(50);
    const heard = b.heard();
    const rounds = Array.from({ length: 40 }, (_, i) =>
      heard.subarray(i * ring.length, (i + 1) * ring.length),
    );
    expect(rounds.every((round) => indexOf(round, through(ring, PCMU)) === 0)).toBe(true);
    expect(indexOf(heard.subarray(100 * FRAME, 110 * FRAME), through(here, PCMA, PCMU))).toBe(0);
  });

  it('ends, for both, when either says so or is closed', async () => {
    for (const end of [(a: Member) => a.leg.unbridge(), (_: Member, b: Member) => b.leg.close()]) {
      const { legs, a, b } = bridged();
      a.says(here);
      b.says(there);
      legs.pass(20);
      await end(a, b);
      const before = [a.sent.length, b.sent.length];
      legs.pass(20);
      expect([a.sent.length, b.sent.length]).toEqual(before);
      a.leg.unbridge();
    }
  });

  it('is replaced by another one', () => {
    const { legs, a, b } = bridged();
    const c = legs.open();
    c.leg.bridge(a.leg);
    for (const [index, member] of [a, b, c].entries()) member.says(noise(1, index + 5));
    legs.pass(30);
    expect(b.sent.length).toBe(0);
    expect(indexOf(a.heard().subarray(0, 3_200), through(noise(1, 7), PCMU, PCMA))).toBe(0);
    expect(indexOf(c.heard().subarray(0, 3_200), through(noise(1, 5), PCMA, PCMU))).toBe(0);
  });

  it('can be made again and with itself without harm', () => {
    const { legs, a, b } = bridged();
    b.leg.bridge(a.leg);
    a.leg.bridge(a.leg);
    a.says(here);
    legs.pass(20);
    expect(b.sent.length).toBeGreaterThan(10);
    expect(a.sent.length).toBe(0);
  });
});

describe('keys over a bridge', () => {
  it('are reported and passed on as events, one packet in 20 ms, instead of the sound', () => {
    const { legs, a, b } = bridged();
    a.says(here);
    legs.pass(20);
    a.press(5);
    a.press(11);
    const before = b.sent.length;
    legs.pass(30);
    const packets = b.sent.slice(before);
    expect(packets.length).toBeLessThanOrEqual(30);
    const events = packets.flatMap(({ kind, marker, payload }) => {
      const event = kind === 'event' ? parseEvent(payload) : undefined;
      return event ? [{ ...event, marker }] : [];
    });
    expect(legs.keys).toEqual(['1:5', '1:#']);
    expect(events.filter(({ marker }) => marker).map(({ event }) => event)).toEqual([5, 11]);
    expect(events.filter(({ end }) => end).map(({ event }) => event)).toEqual([5, 5, 5, 11, 11, 11]);
    expect(packets.at(-1)?.kind).toBe('audio'); // the voice again
    expect(a.sent.length).toBe(0);
  });

  it('are passed on as tones to a peer that takes no events', () => {
    const legs = new Legs(spoolDir);
    const [a, b] = [legs.open(), legs.open({ ...PCMU, dtmfPayloadType: undefined })];
    a.leg.bridge(b.leg);
    a.press(9);
    legs.pass(12);
    const heard = b.heard();
    expect(heard.length).toBe(6 * FRAME);
    expect(shareOf(852, heard) + shareOf(1_477, heard)).toBeGreaterThan(0.8);
  });

  it('are not passed on while a clip is heard, nor after the bridge', () => {
    const { legs, a, b } = bridged();
    b.leg.play(1, noise(1, 3), false);
    legs.pass(5);
    a.press(1);
    legs.pass(60);
    a.press(2);
    b.leg.unbridge();
    a.press(3);
    legs.pass(20);
    expect(b.sent.filter(({ kind }) => kind === 'event')).toEqual([]);
    expect(legs.keys).toEqual(['1:1', '1:2', '1:3']);
  });
});

describe('a recording of both directions', () => {
  it('has what was really sent in the second channel: ring tone, clip, the other party, silence', async () => {
    const legs = new Legs(spoolDir);
    const [a, b] = [legs.open(PCMA), legs.open(PCMU)];
    a.leg.record(1, both); // not answered yet: nothing comes from the peer
    const [ring, clip] = [noise(0.1, 3), noise(0.1, 4)];
    a.leg.play(1, ring, true);
    legs.pass(15);
    a.leg.cancel(1);
    a.leg.bridge(b.leg);
    a.says(here);
    b.says(there);
    legs.pass(25);
    a.leg.play(2, clip, false);
    legs.pass(25);
    a.leg.unbridge();
    legs.pass(10);
    await a.leg.close();
    const end = legs.ends.get(1);
    expect(end).toMatchObject({ channels: 2, durationMs: 75 * 20, storedMs: 75 * 20, reason: 'hangup' });
    const [left, right] = await channelsOf(legs, 1);
    expect(left.length).toBe(right.length);
    expect(indexOf(through(here, PCMA).subarray(0, 55 * FRAME), left)).toBe(17 * FRAME); // 40 ms of buffer
    expect(right.subarray(0, 800)).toEqual(ring);
    expect(right.subarray(800, 1_600)).toEqual(ring);
    const from = indexOf(through(there, PCMU).subarray(0, 20 * FRAME), right);
    expect(from).toBeGreaterThanOrEqual(17 * FRAME);
    expect(from).toBeLessThanOrEqual(18 * FRAME);
    expect(indexOf(clip, right)).toBe(40 * FRAME);
    expect(right.subarray(66 * FRAME).every((sample) => sample === 0)).toBe(true);
    // nothing in the second channel that the peer did not hear
    const heard = a.heard();
    expect(indexOf(through(clip, PCMA), heard)).toBeGreaterThan(0);
  });

  it.each([2, 3, 8, 40])(
    'loses nothing and shifts nothing when the thread stands still for %i frames',
    async (frames) => {
      const { legs, a, b } = bridged();
      a.leg.record(1, both);
      b.leg.record(2, { ...both, recordingSid: 'RE2' });
      a.says(here);
      b.says(there);
      legs.pass(20);
      legs.stall(frames);
      legs.pass(100 - 20 - frames + 10);
      await a.leg.close();
      await b.leg.close();
      const [ofA, ofB] = [await channelsOf(legs, 1), await channelsOf(legs, 2)];
      expect(ofA.concat(ofB).map(({ length }) => length)).toEqual(Array(4).fill(110 * FRAME));
      const [saidA, saidB] = [through(here, PCMA), through(there, PCMU)];
      for (const channel of [ofA[0], ofB[1]]) expect(indexOf(saidA, channel)).toBeGreaterThanOrEqual(0);
      for (const channel of [ofA[1], ofB[0]]) expect(indexOf(saidB, channel)).toBeGreaterThanOrEqual(0);
      // each says it at the same moment in both files, to the frame by which the turns differ
      expect(Math.abs(indexOf(saidA, ofA[0]) - indexOf(saidA, ofB[1]))).toBeLessThanOrEqual(FRAME);
      expect(Math.abs(indexOf(saidB, ofA[1]) - indexOf(saidB, ofB[0]))).toBeLessThanOrEqual(FRAME);
    },
  );

  it('has nothing but the clip in the second channel while a clip waits for the thread to catch up', async () => {
    const { legs, a, b } = bridged();
    b.says(there);
    legs.pass(10);
    const clip = noise(0.4, 3);
    a.leg.record(1, both);
    a.leg.play(1, clip, false);
    legs.pass(5);
    legs.stall(8);
    legs.pass(10);
    await a.leg.close();
    const [, right] = await channelsOf(legs, 1);
    expect(indexOf(clip.subarray(0, 5 * FRAME), right)).toBe(0);
    expect(right.subarray(5 * FRAME, 10 * FRAME).every((sample) => sample === 0)).toBe(true);
    expect(indexOf(clip.subarray(5 * FRAME, 18 * FRAME), right)).toBe(10 * FRAME);
  });

  it('can be paused and resumed', async () => {
    const legs = new Legs(spoolDir);
    const a = legs.open();
    a.leg.record(1, both);
    legs.pass(10);
    a.leg.pauseRecording(1, 'skip');
    legs.pass(10);
    a.leg.resumeRecording(1);
    legs.pass(10);
    a.leg.stopRecording(1);
    await a.leg.close();
    expect(legs.ends.get(1)).toMatchObject({ durationMs: 400, reason: 'stopped' });
  });
});

describe('after a stall', () => {
  /** Frames sent to `member` in each of so many turns. */
  const perTurn = (legs: Legs, member: Member, turns: number) =>
    Array.from({ length: turns }, () => {
      const before = member.sent.length;
      legs.pass(1);
      return member.sent.length - before;
    });

  it.each([2, 3, 4, 7, 10])('of %i frames, a bridge loses nothing of what either says', (frames) => {
    const { legs, a, b } = bridged();
    a.says(here);
    b.says(there);
    legs.pass(20);
    const before = [a.sent.length, b.sent.length];
    legs.stall(frames);
    // to a telephone, more at once is no better than a loss
    for (const [index, { sent }] of [a, b].entries())
      expect(sent.length - (before[index] ?? 0)).toBe(Math.min(3, frames));
    expect(new Set(perTurn(legs, a, 60))).toEqual(new Set([1]));
    legs.pass(50);
    expect(indexOf(through(here, PCMA, PCMU), b.heard())).toBe(0);
    expect(indexOf(through(there, PCMU, PCMA), a.heard())).toBe(0);
  });

  it('of more than 200 ms, a bridge loses what is later than that and nothing else', () => {
    const { legs, a, b } = bridged();
    a.says(here);
    legs.pass(20);
    legs.stall(40);
    legs.pass(60);
    const said = through(here, PCMA, PCMU);
    const heard = b.heard();
    expect(indexOf(heard.subarray(0, 18 * FRAME), said)).toBe(0); // the buffer keeps two
    const rest = said.subarray((18 + 40 - 11) * FRAME);
    expect(indexOf(rest, heard)).toBe(18 * FRAME);
  });

  it('again and again, a bridge keeps up and its delay does not grow', () => {
    const { legs, a, b } = bridged();
    a.says(here);
    for (let wake = 0; wake < 40; wake++) legs.stall(3); // a machine that lets the thread run every 60 ms
    expect(indexOf(through(here, PCMA, PCMU), b.heard())).toBe(0);
    const before = b.sent.length;
    a.says(there);
    legs.pass(12);
    expect(b.sent.length - before).toBe(10); // with nothing but the delay of the buffer
  });

  it('a bridge leaves as many quiet frames out as were late, and has no delay any more', () => {
    const { legs, a, b } = bridged();
    const quiet = 20 * FRAME;
    const said = Int16Array.from(here);
    said.fill(0, said.length - quiet);
    a.says(said);
    legs.pass(20);
    legs.stall(10);
    legs.pass(70);
    // the quiet frames that are left out are as many as the peer is behind: all ten but the one that was on time
    const heard = b.heard();
    expect(indexOf(through(said.subarray(0, said.length - quiet), PCMA, PCMU), heard)).toBe(0);
    expect(heard.length / FRAME).toBe(98 - 9);
  });

  it('a bridge catches up while nothing is said', () => {
    const { legs, a, b } = bridged();
    a.says(here.subarray(0, 30 * FRAME));
    legs.pass(22);
    legs.stall(10);
    legs.pass(20);
    expect(indexOf(through(here.subarray(0, 30 * FRAME), PCMA, PCMU), b.heard())).toBe(0);
  });

  it('what a clip is heard instead of is not heard after it', () => {
    const { legs, a, b } = bridged();
    a.says(here);
    legs.pass(20);
    legs.stall(10);
    const clip = noise(0.4, 3);
    b.leg.play(1, clip, false);
    legs.pass(21);
    const before = b.sent.length;
    legs.pass(10);
    const after = b.heard().subarray(before * FRAME);
    expect(after.length).toBe(10 * FRAME);
    expect(indexOf(after, through(here, PCMA, PCMU))).toBe((51 - 2) * FRAME);
  });
});
