import { tmpdir } from 'node:os';
import { VirtualClock } from '../../../../src/core/clock.ts';
import type { DtmfKey } from '../../../../src/leg/port.ts';
import { sampleOf } from '../../../../src/media/g711.ts';
import { INNER_HEADER_BYTES, innerFields, parseInner } from '../../../../src/media/inner-packet.ts';
import { QUIET } from '../../../../src/media/stream/jitter-buffer.ts';
import { spoolIn } from '../../../../src/media/stream/spool-file.ts';
import { HostedLeg } from '../../../../src/media/threads/hosted-leg.ts';
import { PacketRing, type UdpSocket } from '../../../../src/media/threads/udp.ts';
import { Party, SILENCE, WORKER } from './party.ts';
import { PCMU } from './stage.ts';

const LOUD = 0x80; // the loudest code, and those up to 0xbf are loud too: each comes out of the worker as it went in

/** Frame `n` of what somebody says without pausing: each number has its own. */
function frame(n: number): Buffer {
  const codes = Buffer.alloc(160, LOUD);
  codes.set([LOUD | (n & 0x3f), LOUD | ((n >> 6) & 0x3f), LOUD | ((n >> 12) & 0x3f)]);
  return codes;
}

function numberOf(codes: Buffer): number {
  const [low = 0, middle = 0, high = 0] = codes;
  return (low & 0x3f) | ((middle & 0x3f) << 6) | ((high & 0x3f) << 12);
}

type Says = number | 'quiet' | 'nothing';

/** Two telephones at one edge, joined in one worker, in virtual time. What they say are numbers, or silence. */
export class Conversation {
  readonly clock = new VirtualClock();
  readonly alice = new Party(this.clock, 1);
  readonly bob = new Party(this.clock, 2);
  /** Their legs in the worker. */
  readonly worker: { readonly alice: HostedLeg; readonly bob: HostedLeg };
  /** Keys that the worker was told of. */
  readonly keys: DtmfKey[] = [];
  readonly #lag: number;
  readonly #underWay: { readonly due: number; readonly deliver: () => void }[] = [];
  #turn = 0;
  #said = 0;

  /** `lag`: how many frames what the worker sends takes to the edge, besides the delay of its buffer. */
  constructor(lag = 0) {
    this.#lag = lag;
    this.worker = { alice: this.#host(this.alice), bob: this.#host(this.bob) };
    this.worker.alice.bridge(this.worker.bob);
  }

  /** 20 ms pass for each of `frames`. `says` is asked what either says; by default Alice counts and Bob is quiet. */
  run(frames: number, says: (frame: number) => readonly [Says, Says] = () => [this.next(), 'quiet']): void {
    for (let i = 1; i <= frames; i++) {
      const began = this.clock.monotonic();
      for (const { leg } of [this.alice, this.bob]) leg.turn(began);
      this.clock.tick(7);
      const [alice, bob] = says(i);
      speak(this.alice, alice);
      speak(this.bob, bob);
      this.clock.tick(6);
      const now = this.clock.monotonic();
      for (const leg of [this.worker.alice, this.worker.bob]) leg.turn(now, now);
      this.#turn++;
      while ((this.#underWay[0]?.due ?? Number.POSITIVE_INFINITY) <= this.#turn)
        this.#underWay.shift()?.deliver();
      this.clock.tick(began + 20 - now);
    }
  }

  /** The next number to be said. */
  next(): number {
    return ++this.#said;
  }

  #host(party: Party): HostedLeg {
    const inner: UdpSocket = {
      endpoint: WORKER,
      send: (packet) => {
        const [fields, payload] = [innerFields(), Buffer.from(packet.subarray(INNER_HEADER_BYTES))];
        parseInner(packet, fields);
        this.#underWay.push({ due: this.#turn + 1 + this.#lag, deliver: () => party.work(fields, payload) });
      },
      close: async () => {},
    };
    const leg = new HostedLeg(
      { handle: party.leg.handle, edge: WORKER, format: PCMU },
      { inner, ring: new PacketRing(), openFile: spoolIn(tmpdir()) },
      { played: () => {}, recorded: () => {}, key: (key) => this.keys.push(key), speech: () => {} },
    );
    party.onForwarded = (fields, payload) => leg.fromEdge(fields, payload);
    return leg;
  }
}

function speak(party: Party, what: Says): void {
  if (what === 'nothing') return;
  party.say(0, what === 'quiet' ? Buffer.alloc(160, SILENCE) : frame(what));
}

/** The numbers that a telephone heard, in order; -1 for a sound that is none of them. */
export function numbers({ heard }: Party): number[] {
  return heard.flatMap(({ payload, payloadType }) => {
    if (payloadType !== 0 || payload.every((code) => Math.abs(sampleOf('PCMU', code)) <= QUIET)) return [];
    return payload.subarray(3).every((code) => code === LOUD) ? [numberOf(payload)] : [-1];
  });
}

/** 1, 2, 3… */
export function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
