import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MediaFormat } from '../../src/media/format.ts';
import { innerFields } from '../../src/media/inner-packet.ts';
import { PeerStream } from '../../src/media/stream/peer-stream.ts';

const PCMU: MediaFormat = { codec: 'PCMU', payloadType: 0, dtmfPayloadType: 101 };
const MOST_AHEAD = 8 * (200 + 100 + 40); // samples: the source's lead, a worker's, and two slots

interface Spoken {
  readonly id: number;
  /** Packets of one numbering: order is only defined inside it, and from one to the next. */
  readonly numbering: number;
  readonly ssrc: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly samples: number;
  readonly event: boolean;
}

interface Sent {
  readonly at: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly event: boolean;
  readonly by: 'slot' | Spoken;
}

/** What a source does before its next packet, and what becomes of that on the way. */
const utterance = fc.record({
  packetMs: fc.constantFrom(10, 20, 20, 20, 30, 60),
  jump: fc.oneof(
    { weight: 20, arbitrary: fc.constant('none' as const) },
    { weight: 1, arbitrary: fc.constantFrom('ssrc', 'sequence', 'back', 'ahead', 'skew') },
  ),
  fate: fc.constantFrom('on', 'on', 'on', 'on', 'lost', 'twice', 'later', 'later'),
  event: fc.boolean(),
  size: fc.nat({ max: 2 ** 32 - 1 }),
});

const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ type: fc.constant('source' as const), utterance }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('time' as const), ms: fc.nat({ max: 120 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('worker' as const),
      frames: fc.nat({ max: 6 }),
      passed: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('give-way' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('end-passage' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('hold' as const), ms: fc.nat({ max: 200 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('stall' as const), ms: fc.nat({ max: 400 }) }) },
);

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** A source, its network, a worker and turns every 20 ms around one stream; returns all it sent. */
function play(steps: readonly Step[], start: { sequence: number; timestamp: number }): Sent[] {
  const sent: Sent[] = [];
  let now = 1_000;
  const stream = new PeerStream({ origin: 1_000, ...start }, (payloadType, _marker, sequence, timestamp) =>
    sent.push({ at: now, sequence, timestamp, event: payloadType === 101, by: 'slot' }),
  );
  let turn = 1_000;
  const advance = (ms: number) => {
    for (const end = now + ms; ; ) {
      if (turn > end) {
        now = end;
        return;
      }
      now = turn;
      turn += 20;
      stream.fill(now);
    }
  };
  const pass = (packet: Spoken) => {
    const header = stream.pass(packet, false, packet.samples, now);
    if (header)
      sent.push({
        at: now,
        sequence: header.sequence,
        timestamp: header.timestamp,
        event: packet.event,
        by: packet,
      });
  };
  stream.configure(PCMU, true, now);
  const source = { ssrc: 1, sequence: 65_500, timestamp: 2 ** 32 - 4_000, numbering: 0 };
  const late: Spoken[] = [];
  let ids = 0;
  let workerTime = 0;
  for (const next of steps) {
    if (next.type === 'time') advance(next.ms);
    if (next.type === 'end-passage') stream.endPassage();
    if (next.type === 'give-way') stream.giveWay();
    if (next.type === 'hold') {
      stream.configure(PCMU, false, now);
      advance(next.ms);
      stream.configure(PCMU, true, now);
    }
    if (next.type === 'stall') {
      now += next.ms; // no turns meanwhile: they follow at once
      advance(0);
    }
    if (next.type === 'worker') {
      for (let i = 0; i < next.frames; i++) {
        workerTime += 160;
        const fields = { ...innerFields(), passed: next.passed, timestamp: workerTime };
        stream.fromWorker(fields, new Uint8Array(160), now);
        advance(20);
      }
    }
    if (next.type !== 'source') continue;
    const { packetMs, jump, fate, event, size } = next.utterance;
    if (jump !== 'none') {
      for (const packet of late.splice(0)) pass(packet); // order across a jump is nobody's to keep
      source.numbering++;
    }
    if (jump === 'ssrc') source.ssrc = size;
    if (jump === 'ssrc' || jump === 'sequence') source.sequence = (source.sequence + 3_000 + size) & 0xffff;
    if (jump === 'back') source.sequence = (source.sequence - 2_000) & 0xffff;
    if (jump === 'ahead') source.timestamp += size;
    if (jump === 'skew') source.timestamp -= size;
    source.timestamp = source.timestamp >>> 0;
    const samples = packetMs * 8;
    const { numbering, ssrc, sequence, timestamp } = source;
    const packet = { id: ids++, numbering, ssrc, sequence, timestamp, samples, event };
    source.sequence = (sequence + 1) & 0xffff;
    source.timestamp = (timestamp + samples) >>> 0;
    if (fate === 'later') late.push(packet);
    else if (fate !== 'lost') {
      pass(packet);
      if (fate === 'twice') pass(packet);
    }
    if (late.length > 3 || (fate === 'on' && size % 3 === 0)) for (const old of late.splice(0)) pass(old);
    advance(packetMs);
  }
  return sent;
}

const script = fc.array(step, { maxLength: 150, size: 'max' });
const start = fc.record({ sequence: fc.nat({ max: 65_535 }), timestamp: fc.nat({ max: 2 ** 32 - 1 }) });

/** In the order of their numbers, which is the order they are heard in. */
function heard(sent: readonly Sent[], first: number): Sent[] {
  const place = ({ sequence }: Sent) => (sequence - first) & 0xffff;
  return [...sent].sort((a, b) => place(a) - place(b));
}

describe('what is passed through a peer’s stream', () => {
  it('never repeats a sequence number', () => {
    fc.assert(
      fc.property(script, start, (steps, first) => {
        const sent = play(steps, first);
        expect(new Set(sent.map(({ sequence }) => sequence)).size).toBe(sent.length);
      }),
    );
  });

  it('never goes back in time, nor far ahead of it', () => {
    fc.assert(
      fc.property(script, start, (steps, first) => {
        const sent = play(steps, first);
        let before = 0;
        for (const { timestamp, at, event } of heard(sent, first.sequence)) {
          const sample = (timestamp - first.timestamp) >>> 0;
          expect(sample).toBeLessThanOrEqual((at - 1_000) * 8 + MOST_AHEAD);
          if (event) continue; // an event's packets carry the time it began at
          expect(sample).toBeGreaterThanOrEqual(before);
          before = sample;
        }
      }),
    );
  });

  it('keeps what the source said in its order, each packet once', () => {
    fc.assert(
      fc.property(script, start, (steps, first) => {
        const ids = heard(play(steps, first), first.sequence).flatMap(({ by }) =>
          by === 'slot' ? [] : [by.id],
        );
        expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
      }),
    );
  });

  it('follows the source’s own deltas from its first packet on', () => {
    const fates = fc.array(fc.constantFrom('on', 'on', 'on', 'lost', 'twice', 'later'), {
      maxLength: 100,
      size: 'max',
    });
    fc.assert(
      fc.property(fates, start, (all, first) => {
        const steps = all.map(
          (fate): Step => ({
            type: 'source',
            utterance: { packetMs: 20, jump: 'none', fate, event: false, size: 0 },
          }),
        );
        const gaps = /((lost|later) ?){5}/.test(all.join(' '));
        fc.pre(!gaps); // a longer pause is filled, and what follows gets a new offset
        const passed = play(steps, first).flatMap(({ by, ...packet }) =>
          by === 'slot' ? [] : [{ ...packet, by }],
        );
        const [base] = passed;
        for (const { sequence, timestamp, by } of passed) {
          if (!base) continue;
          expect((sequence - base.sequence) & 0xffff).toBe((by.sequence - base.by.sequence) & 0xffff);
          expect((timestamp - base.timestamp) >>> 0).toBe((by.timestamp - base.by.timestamp) >>> 0);
        }
      }),
    );
  });

  it('leaves the peer without a packet no longer than a source may be late', () => {
    fc.assert(
      fc.property(script, start, (steps, first) => {
        const calm = steps.filter(({ type }) => type !== 'hold' && type !== 'stall');
        const sent = play(calm, first);
        for (const [index, { at }] of sent.entries()) {
          const before = sent[index - 1];
          if (before) expect(at - before.at).toBeLessThanOrEqual(60 + 100 + 20 + 35);
        }
      }),
    );
  });
});
