import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../../src/core/clock.ts';
import { codeOf } from '../../../../src/media/g711.ts';
import { writeEvent } from '../../../../src/media/rtp-event.ts';
import { Conversation, numbers, upTo } from './conversation.ts';
import { Party, SILENCE } from './party.ts';

// A bridge that goes from the direct path to the worker's, and back, while the peers talk.

const LAGS = [0, 1, 4, 9];
const CLIP = new Int16Array(160).fill(-4_000);
const CLIP_CODE = codeOf('PCMU', -4_000);

/** A conversation that has been direct for a while. */
function direct(lag = 0): Conversation {
  const talk = new Conversation(lag);
  talk.alice.leg.bridge(talk.bob.leg);
  talk.run(20);
  return talk;
}

function press(party: Party, update: number): void {
  const payload = Buffer.alloc(4);
  writeEvent({ event: 5, end: update > 5, volume: 10, duration: Math.min(update, 6) * 160 }, payload);
  party.say(0, payload, 101, 0);
}

const audible = ({ heard }: Party, code: number) => heard.filter((packet) => packet.code === code).length;

describe('a tap that begins and ends', () => {
  it.each(LAGS)('keeps who never pauses on the direct path, %i frames of lag: all once, in order', (lag) => {
    const talk = direct(lag);
    talk.alice.leg.unbridge(true);
    talk.run(50);
    expect(talk.alice.toWorker).toHaveLength(50); // the recording lacks nothing
    talk.alice.leg.bridge(talk.bob.leg, true);
    talk.run(50);
    expect(talk.alice.toWorker).toHaveLength(50);
    expect(numbers(talk.bob)).toEqual(upTo(120));
  });

  it.each(LAGS)('keeps who never pauses with the worker, %i frames of lag: all once, in order', (lag) => {
    const talk = new Conversation(lag);
    talk.run(30);
    talk.bob.leg.bridge(talk.alice.leg, true);
    talk.run(50);
    expect(talk.alice.toWorker).toHaveLength(80);
    const heard = numbers(talk.bob);
    expect(heard).toEqual(upTo(heard.length));
    expect(heard.length).toBeGreaterThanOrEqual(80 - 5 - lag);
  });

  it.each(LAGS)('changes over in a pause, %i frames of lag: nothing said is lost or heard twice', (lag) => {
    const talk = direct(lag);
    const pause = () => talk.run(8 + lag, () => ['quiet', 'quiet']);
    for (let round = 0; round < 5; round++) {
      talk.run(round);
      talk.alice.leg.unbridge(true);
      talk.run(10 + round);
      pause();
      talk.run(5);
      const forwarded = talk.alice.toWorker.length;
      const late = numbers(talk.bob).length;
      talk.alice.leg.bridge(talk.bob.leg, true);
      talk.run(15);
      expect(talk.alice.toWorker).toHaveLength(forwarded + 15); // it had left the direct path
      talk.run(3 + lag, () => ['quiet', 'quiet']); // what is under way arrives
      expect(numbers(talk.bob).length).toBeGreaterThan(late + 15);
      pause();
      const left = talk.alice.toWorker.length;
      talk.run(10);
      expect(talk.alice.toWorker).toHaveLength(left); // and is back on it
    }
    expect(numbers(talk.bob)).toEqual(upTo(talk.next() - 1));
  });

  it.each(LAGS)(
    'changes over at once when told to, %i frames of lag: only what is under way is lost',
    (lag) => {
      const talk = new Conversation(lag);
      talk.run(30);
      const heard = numbers(talk.bob);
      expect(heard).toEqual(upTo(30 - 2 - lag)); // 40 ms are in the worker's buffer
      talk.bob.leg.bridge(talk.alice.leg);
      talk.run(30);
      expect(numbers(talk.bob)).toEqual([...heard, ...upTo(60).slice(30)]);
    },
  );

  it('changes each direction over by itself', () => {
    const talk = direct();
    talk.alice.leg.unbridge(true);
    const bobs: number[] = [];
    const bobSpeaks = () => {
      bobs.push(1_000 + bobs.length);
      return ['quiet', bobs.at(-1) ?? 0] as const;
    };
    talk.run(20, bobSpeaks); // Alice listens
    talk.alice.leg.bridge(talk.bob.leg, true);
    const before = [talk.alice.toWorker.length, talk.bob.toWorker.length];
    talk.run(5, bobSpeaks);
    expect([talk.alice.toWorker.length, talk.bob.toWorker.length]).toEqual([(before[0] ?? 0) + 5, before[1]]);
    expect(numbers(talk.alice)).toEqual(bobs);
  });

  it('counts who sends nothing as quiet', () => {
    const talk = direct();
    talk.alice.leg.unbridge(true);
    talk.run(60, () => ['nothing', 'quiet']);
    talk.run(20);
    talk.run(8, () => ['quiet', 'quiet']);
    const { heard } = talk.bob;
    const [twentieth, next] = [20, 21].map((n) =>
      heard.findIndex(({ payload }) => payload[0] === (0x80 | n)),
    );
    expect((heard[next ?? 0]?.at ?? 0) - (heard[twentieth ?? 0]?.at ?? 0)).toBeGreaterThan(61 * 20 + 20); // by the worker
    talk.alice.leg.bridge(talk.bob.leg, true);
    talk.run(60, () => ['nothing', 'nothing']);
    const before = talk.alice.toWorker.length;
    talk.run(20);
    expect(talk.alice.toWorker).toHaveLength(before);
    expect(numbers(talk.bob)).toEqual(upTo(60));
  });

  it('lets a clip be heard at once, and then again who has not paused', () => {
    const talk = direct();
    talk.alice.leg.unbridge(true);
    talk.run(10);
    const before = talk.bob.heard.length;
    const clip = new Int16Array(10 * 160).fill(CLIP[0] ?? 0);
    talk.worker.bob.play(1, clip, false);
    talk.run(12);
    expect(audible(talk.bob, CLIP_CODE)).toBe(10);
    expect(talk.bob.heard.findIndex(({ code }) => code === CLIP_CODE) - before).toBeLessThanOrEqual(2);
    talk.run(20);
    expect(numbers(talk.bob).slice(-20)).toEqual(upTo(62).slice(-20)); // directly: nothing of it is late
    const heard = numbers(talk.bob).filter((n) => n > 0);
    expect(heard).toEqual([...new Set(heard)].sort((a, b) => a - b));
  });

  it.each(['while it waits to begin', 'while it waits to end', 'in between'])(
    'passes a key once %s',
    (when) => {
      const talk = direct();
      talk.alice.leg.unbridge(true);
      if (when !== 'while it waits to begin') talk.run(10, () => ['quiet', 'quiet']);
      if (when === 'while it waits to end') {
        talk.run(5);
        talk.alice.leg.bridge(talk.bob.leg, true);
      }
      talk.run(3);
      talk.run(8, (frame) => {
        press(talk.alice, frame);
        return ['nothing', 'quiet'];
      });
      talk.run(40, () => ['quiet', 'quiet']); // it changes over
      talk.run(10);
      talk.run(10, () => ['quiet', 'quiet']);
      const events = talk.bob.heard.filter(({ payloadType }) => payloadType === 101);
      expect(events).toHaveLength(8);
      expect(new Set(events.map(({ timestamp, code }) => `${timestamp} ${code}`)).size).toBe(1);
      expect(talk.keys).toEqual(['5']);
    },
  );

  it('lets the worker take over with its first frame when the bridge ends meanwhile', () => {
    const talk = direct();
    talk.alice.leg.unbridge(true);
    talk.run(10);
    talk.worker.alice.unbridge();
    talk.alice.leg.unbridge();
    talk.run(3);
    expect(numbers(talk.bob)).toEqual(upTo(33));
    talk.worker.bob.play(1, CLIP, false);
    talk.run(10);
    expect(audible(talk.bob, CLIP_CODE)).toBe(1);
    expect(numbers(talk.bob).filter((n) => n > 35)).toEqual([]);
  });

  it.each(['to begin', 'to end'])('falls silent soon when the bridge ends while it waits %s', (which) => {
    const talk = direct();
    talk.alice.leg.unbridge(true);
    if (which === 'to end') {
      talk.run(10, () => ['quiet', 'quiet']);
      talk.alice.leg.bridge(talk.bob.leg, true);
    }
    talk.run(5);
    talk.worker.alice.unbridge();
    talk.alice.leg.unbridge();
    talk.alice.leg.unbridge(); // which prolongs nothing
    talk.run(60);
    const before = numbers(talk.bob).length;
    talk.run(20);
    expect(numbers(talk.bob)).toHaveLength(before);
  });

  it('goes back at once when the worker is lost', () => {
    const talk = new Conversation();
    talk.run(20);
    talk.alice.leg.bridge(talk.bob.leg, true);
    talk.run(10);
    talk.alice.leg.attach(undefined);
    talk.run(10);
    expect(numbers(talk.bob).slice(-8)).toEqual(upTo(40).slice(-8)); // one gave way to the worker's last frame
  });

  it('gives way to another bridge', () => {
    const talk = direct();
    const carol = new Party(talk.clock, 3);
    talk.alice.leg.unbridge(true);
    talk.run(5);
    talk.worker.alice.unbridge();
    carol.leg.bridge(talk.bob.leg);
    const before = numbers(talk.bob).length;
    talk.run(10, () => [talk.next(), 2_000]);
    expect(numbers(talk.bob)).toHaveLength(before);
    expect(numbers(carol)).toEqual(Array(10).fill(2_000));
  });
});

describe('a bridge that goes to a worker and back at once, while both talk', () => {
  /** Each says 1, 2, 3… and the worker sends to either what the other says, as soon as it has it. */
  function echoing() {
    const clock = new VirtualClock();
    const [alice, bob] = [new Party(clock, 1), new Party(clock, 2)];
    const underWay: (() => void)[] = [];
    let said = 0;
    const say = () => {
      said++;
      for (const party of [alice, bob]) party.say(said);
    };
    const arrive = () => {
      for (const deliver of underWay.splice(0)) deliver();
    };
    for (const [from, to] of [
      [alice, bob],
      [bob, alice],
    ] as const)
      from.onForwarded = (fields, payload) => underWay.push(() => to.work(fields, payload));
    return {
      alice,
      bob,
      run(frames: number) {
        for (let i = 0; i < frames; i++) {
          for (const { leg } of [alice, bob]) leg.turn(clock.monotonic());
          clock.tick(7);
          say();
          arrive();
          clock.tick(13);
        }
      },
      /** The relay stands still, and then has to read everything that was said meanwhile. */
      stall(frames: number) {
        clock.tick(frames * 20);
        for (let i = 0; i < frames; i++) say();
        for (const { leg } of [alice, bob]) leg.turn(clock.monotonic());
        arrive();
      },
    };
  }

  const heardBy = (party: Party) => party.codes().filter((code) => code !== SILENCE);
  it.each([
    { stall: 0, lost: 2 },
    { stall: 1, lost: 2 },
    { stall: 2, lost: 3 },
    { stall: 4, lost: 5 },
  ])('loses what the worker has sent ahead: $lost frames after a stall of $stall', ({ stall, lost }) => {
    const talk = echoing();
    talk.alice.leg.bridge(talk.bob.leg);
    talk.run(20);
    talk.alice.leg.unbridge();
    talk.run(20);
    if (stall > 0) talk.stall(stall);
    talk.run(20);
    const last = 60 + stall; // of what goes by the worker
    talk.alice.leg.bridge(talk.bob.leg);
    talk.run(20);
    for (const party of [talk.alice, talk.bob]) {
      const byWorker = [...upTo(21), ...upTo(last).slice(20)]; // on the way there, both have one frame
      expect(heardBy(party)).toEqual([...byWorker, ...upTo(last + 20).slice(last + lost)]);
    }
  });
});
