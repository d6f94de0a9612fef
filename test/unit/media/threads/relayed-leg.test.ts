import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../../src/core/clock.ts';
import { codeOf, sampleOf } from '../../../../src/media/g711.ts';
import { parseRtcp } from '../../../../src/media/rtcp.ts';
import { writeEvent } from '../../../../src/media/rtp-event.ts';
import { type Heard, Party, SILENCE } from './party.ts';
import { PCMA, PCMU } from './stage.ts';

describe('a bridge of two legs', () => {
  let clock: VirtualClock;
  let alice: Party;
  let bob: Party;
  let turns: number;

  beforeEach(() => {
    clock = new VirtualClock();
    alice = new Party(clock, 1);
    bob = new Party(clock, 2);
    turns = clock.monotonic();
  });

  /** Time passes, turns included; `speak` is called every 20 ms, `phase` after a turn, with 1, 2, 3… */
  function run(frames: number, speak: (frame: number) => void = () => {}, phase = 7): void {
    for (let frame = 1; frame <= frames; frame++) {
      for (const { leg } of [alice, bob]) leg.turn(clock.monotonic());
      clock.tick(phase);
      speak(frame);
      turns += 20;
      clock.tick(turns - clock.monotonic());
    }
  }

  function expectContinuous(heard: readonly Heard[]): void {
    for (const [index, packet] of heard.entries()) {
      const before = heard[index - 1];
      if (!before) continue;
      expect(packet.ssrc).toBe(before.ssrc);
      expect(packet.sequence).toBe((before.sequence + 1) & 0xffff);
      expect((packet.timestamp - before.timestamp) >>> 0).toBe(160);
    }
  }

  it('lets the two peers hear each other, and the workers neither', () => {
    run(10);
    alice.leg.bridge(bob.leg);
    run(20, (frame) => {
      alice.say(frame);
      bob.say(100 + frame);
    });
    expect(bob.codes().filter((code) => code !== SILENCE)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    expect(alice.codes().filter((code) => code !== SILENCE)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 101),
    );
    expect(alice.toWorker.length + bob.toWorker.length).toBe(0);
    for (const { heard } of [alice, bob]) {
      expectContinuous(heard);
      expect(heard.map(({ marker }) => marker).lastIndexOf(true)).toBe(
        heard.findIndex(({ code }) => code !== SILENCE),
      );
    }
  });

  it('passes packets on at once, whatever their time', () => {
    alice.leg.bridge(bob.leg);
    const payload = (code: number) => Buffer.alloc(480, code);
    run(30, (frame) => {
      if (frame % 3 === 1) alice.say(0, payload(frame), 0, 480);
    });
    const passed = bob.heard.filter(({ code }) => code !== SILENCE);
    expect(passed.map(({ payload: { length } }) => length)).toEqual(Array(10).fill(480));
    expect(bob.heard.length - passed.length).toBeLessThanOrEqual(1); // the slot before the first one
    for (const [index, packet] of passed.entries()) {
      const before = passed[index - 1];
      if (before) expect([packet.timestamp - before.timestamp, packet.at - before.at]).toEqual([480, 60]);
    }
  });

  it('leaves losses and reordering to be seen', () => {
    alice.leg.bridge(bob.leg);
    run(10, (frame) => {
      if (frame === 4 || frame === 5) {
        alice.sequence = (alice.sequence + 1) & 0xffff;
        alice.timestamp = (alice.timestamp + 160) >>> 0;
      } else alice.say(frame);
    });
    const passed = bob.heard.filter(({ code }) => code !== SILENCE);
    expect(passed.map(({ code }) => code)).toEqual([1, 2, 3, 6, 7, 8, 9, 10]);
    const [first] = passed;
    expect(passed.map(({ sequence }) => (sequence - (first?.sequence ?? 0)) & 0xffff)).toEqual([
      0, 1, 2, 5, 6, 7, 8, 9,
    ]);
    expect(passed.map(({ timestamp }) => ((timestamp - (first?.timestamp ?? 0)) >>> 0) / 160)).toEqual([
      0, 1, 2, 5, 6, 7, 8, 9,
    ]);
  });

  it('fills a pause of the source with silence, and goes on with the marker', () => {
    alice.leg.bridge(bob.leg);
    run(5, (frame) => alice.say(frame));
    run(50);
    alice.ssrc++; // what it says now may well be numbered anew
    alice.sequence = 17;
    alice.timestamp = 12_345;
    run(5, (frame) => alice.say(50 + frame));
    const codes = bob.codes();
    const [from, to] = [codes.lastIndexOf(5) + 1, codes.indexOf(51)];
    expect(new Set(codes.slice(from, to))).toEqual(new Set([SILENCE]));
    expect(to - from).toBeGreaterThan(40);
    expect([from, to].map((at) => bob.heard[at]?.marker)).toEqual([true, true]);
    expect(bob.heard[from + 1]?.marker).toBe(false);
    for (const [index, packet] of bob.heard.entries()) {
      const before = bob.heard[index - 1];
      if (before) expect(packet.sequence).toBe((before.sequence + 1) & 0xffff);
    }
    const [first, last] = [bob.heard[0], bob.heard.at(-1)];
    const lasted = (last?.at ?? 0) - (first?.at ?? 0);
    expect(
      Math.abs((((last?.timestamp ?? 0) - (first?.timestamp ?? 0)) >>> 0) / 8 - lasted),
    ).toBeLessThanOrEqual(40);
  });

  it('rewrites the law of one into that of the other', () => {
    bob.configure(PCMA);
    alice.leg.bridge(bob.leg);
    const ulaw = codeOf('PCMU', 8_000);
    const alaw = codeOf('PCMA', sampleOf('PCMU', ulaw));
    run(3, () => {
      alice.say(ulaw);
      bob.say(alaw);
    });
    expect(
      bob.heard.filter(({ code }) => code !== 0xd5).map(({ payloadType, code }) => [payloadType, code]),
    ).toEqual(Array(3).fill([8, alaw]));
    expect(alice.heard.filter(({ code }) => code !== SILENCE).map(({ code }) => code)).toEqual(
      Array(3).fill(codeOf('PCMU', sampleOf('PCMA', alaw))),
    );
  });

  it('passes keys under the payload type of the other, all packets with the timestamp of the first', () => {
    bob.configure(PCMA);
    alice.leg.bridge(bob.leg);
    run(5, (frame) => alice.say(frame));
    run(8, (frame) => {
      const payload = Buffer.alloc(4);
      writeEvent({ event: 7, end: frame > 5, volume: 10, duration: Math.min(frame, 6) * 160 }, payload);
      alice.say(0, payload, 101, 0);
    });
    alice.timestamp = (alice.timestamp + 8 * 160) >>> 0;
    run(5, (frame) => alice.say(20 + frame));
    const events = bob.heard.filter(({ payloadType }) => payloadType === 96);
    expect(events.map(({ code }) => code)).toEqual(Array(8).fill(7));
    expect(new Set(events.map(({ timestamp }) => timestamp)).size).toBe(1);
    const at = bob.heard.findIndex(({ payloadType }) => payloadType === 96);
    const [before, first, after] = [bob.heard[at - 1], bob.heard[at], bob.heard[at + 8]];
    expect(((first?.timestamp ?? 0) - (before?.timestamp ?? 0)) >>> 0).toBe(160);
    expect(((after?.timestamp ?? 0) - (first?.timestamp ?? 0)) >>> 0).toBe(8 * 160);
    expect(bob.heard.slice(at - 1).every(({ code }) => code !== 0xd5)).toBe(true);
  });

  it('joins a key that is being pressed as one press, also over a prompt', () => {
    const press = (frame: number) => {
      const payload = Buffer.alloc(4);
      writeEvent({ event: 3, end: false, volume: 10, duration: frame * 160 }, payload);
      alice.say(0, payload, 101, 0);
    };
    run(5, press);
    alice.leg.bridge(bob.leg);
    run(5, (frame) => press(5 + frame));
    run(3, (frame) => {
      bob.prompt(50);
      press(10 + frame);
    });
    run(7, (frame) => press(13 + frame));
    const events = bob.heard.filter(({ payloadType }) => payloadType === 101);
    expect(events.length).toBeGreaterThanOrEqual(9);
    expect(new Set(events.map(({ timestamp }) => timestamp)).size).toBe(1);
  });

  it('plays a prompt over the bridge instead of the other, then goes on', () => {
    alice.leg.bridge(bob.leg);
    run(10, (frame) => alice.say(frame));
    run(10, (frame) => {
      bob.prompt(100 + frame);
      alice.say(10 + frame);
    });
    run(10, (frame) => alice.say(20 + frame));
    const codes = bob.codes().filter((code) => code !== SILENCE);
    expect(codes.filter((code) => code > 100)).toEqual(Array.from({ length: 10 }, (_, i) => i + 101));
    const [began, ended] = [codes.indexOf(101), codes.indexOf(110)];
    expect(codes.slice(began, ended + 1).every((code) => code > 100)).toBe(true);
    expect(codes.slice(0, began)).toEqual(Array.from({ length: 10 }, (_, i) => i + 1));
    expect(codes.slice(ended + 1).at(-1)).toBe(30);
    expect(codes.length - ended - 1).toBeGreaterThanOrEqual(8); // the prompt's last frame had its slot
    expect(bob.codes().indexOf(SILENCE, 2)).toBe(-1);
  });

  it.each([1, 7, 13, 19])('goes from direct to the worker without a hole, %i ms after a turn', (phase) => {
    alice.leg.bridge(bob.leg);
    run(10, (frame) => alice.say(frame), phase);
    alice.leg.unbridge();
    const behind = 3; // frames that the worker's path takes
    run(
      20,
      (frame) => {
        alice.say(10 + frame);
        if (frame > behind) bob.prompt(10 + frame - behind);
      },
      phase,
    );
    expect(alice.toWorker.map(({ code }) => code)).toEqual(Array.from({ length: 20 }, (_, i) => i + 11));
    const codes = bob.codes();
    const started = codes.indexOf(1);
    expect(codes.slice(started)).not.toContain(SILENCE);
    expect(new Set(codes.slice(started))).toEqual(new Set(Array.from({ length: 27 }, (_, i) => i + 1)));
    expectContinuous(bob.heard.slice(started));
  });

  it.each([1, 7, 13, 19])('and back from the worker to direct, %i ms after a turn', (phase) => {
    run(
      20,
      (frame) => {
        alice.say(frame);
        bob.prompt(frame);
      },
      phase,
    );
    alice.leg.bridge(bob.leg);
    run(20, (frame) => alice.say(20 + frame), phase);
    const codes = bob.codes();
    const started = codes.indexOf(1);
    expect(codes.slice(started)).not.toContain(SILENCE);
    const direct = codes.slice(codes.indexOf(20) + 1);
    expect(direct).toEqual(Array.from({ length: direct.length }, (_, i) => 41 - direct.length + i));
    expect(direct.length).toBeGreaterThanOrEqual(18); // the worker's last frame had its slot
    expectContinuous(bob.heard.slice(started));
  });

  it('falls silent at once without a worker, and soon when the worker says nothing', () => {
    alice.leg.attach(undefined);
    alice.leg.bridge(bob.leg);
    const both = (frame: number) => {
      alice.say(frame);
      bob.say(frame);
    };
    run(5, both);
    bob.leg.unbridge();
    run(3, (frame) => both(5 + frame));
    expect(alice.codes()).not.toContain(6);
    expect(alice.codes().slice(-2)).toEqual([SILENCE, SILENCE]);
    expect(bob.codes()).toContain(7);
    run(60, (frame) => both(8 + frame));
    expect(bob.codes().slice(-5)).toEqual(Array(5).fill(SILENCE));
    expectContinuous(alice.heard);
  });

  it('keeps who was attached meanwhile', () => {
    const other = { address: '10.0.0.10', port: 7_001 };
    alice.leg.bridge(bob.leg);
    alice.leg.attach(undefined);
    bob.leg.attach(other);
    run(3, (frame) => alice.say(frame));
    expect(bob.codes().slice(-2)).toEqual([2, 3]);
    alice.leg.unbridge();
    run(3, () => {
      alice.say(9);
      bob.say(9);
    });
    expect([alice.toWorker.length, bob.toWorker.length]).toEqual([0, 3]);
    expect(alice.codes().slice(-2)).toEqual([SILENCE, SILENCE]);
  });

  it('ends with either leg', () => {
    alice.leg.bridge(bob.leg);
    run(3, (frame) => bob.say(frame));
    alice.leg.end();
    const before = alice.heard.length;
    run(10, () => bob.say(77));
    expect(bob.toWorker.map(({ code }) => code)).toEqual(Array(10).fill(77));
    expect(alice.heard.filter(({ code }, index) => index >= before && code === 77)).toEqual([]);
    bob.leg.unbridge(); // idempotent
  });

  it('gives way to another bridge', () => {
    const carol = new Party(clock, 3);
    alice.leg.bridge(bob.leg);
    run(3, (frame) => alice.say(frame));
    carol.leg.bridge(bob.leg);
    run(5, (frame) => {
      alice.say(50 + frame);
      carol.say(60 + frame);
      bob.say(70 + frame);
    });
    const [heard] = [bob.codes()];
    expect(heard.slice(-5)).toEqual([61, 62, 63, 64, 65]);
    expect(carol.codes()).toEqual(expect.arrayContaining([71, 75]));
    expect(alice.codes()).not.toContain(71);
    expect(alice.toWorker.map(({ code }) => code)).toEqual([51, 52, 53, 54, 55]);
  });

  it('respects hold on either side', () => {
    alice.leg.bridge(bob.leg);
    alice.configure(PCMU, 'sendonly'); // nothing of Alice's is taken
    run(10, () => {
      alice.say(1);
      bob.say(2);
    });
    expect(bob.codes()).not.toContain(1);
    expect(bob.heard.length).toBeGreaterThanOrEqual(9);
    expect(alice.codes()).toContain(2);
    alice.configure(PCMU, 'recvonly'); // nothing is sent to her
    const before = alice.heard.length;
    run(10, () => {
      alice.say(3);
      bob.say(4);
    });
    expect(alice.heard.length).toBe(before);
    expect(bob.codes()).toContain(3);
    alice.configure();
    run(5, () => bob.say(5));
    const next = alice.heard[before];
    expect(next?.marker).toBe(true);
    expect(next?.sequence).toBe(((alice.heard[before - 1]?.sequence ?? 0) + 1) & 0xffff);
    expect(alice.codes().slice(-3)).toEqual([5, 5, 5]);
  });

  it('reports what it really sent, at the stream’s own time', () => {
    alice.leg.bridge(bob.leg);
    run(300, (frame) => alice.say(frame & 0x7f));
    const report = bob.reports.at(-1);
    expect(report && parseRtcp(report)).toBeDefined();
    const sent = bob.heard.filter(({ at }) => at <= clock.monotonic());
    expect(report?.readUInt32BE(4)).toBe(sent[0]?.ssrc);
    const packets = report?.readUInt32BE(20) ?? 0;
    expect(report?.readUInt32BE(24)).toBe(packets * 160);
    const last = sent[packets - 1];
    const ahead = ((report?.readUInt32BE(16) ?? 0) - (last?.timestamp ?? 0)) | 0;
    expect(ahead).toBeGreaterThanOrEqual(0);
    expect(ahead).toBeLessThanOrEqual(160);
    const { packetsIn, packetsOut } = {
      packetsIn: alice.leg.end().packetsIn,
      packetsOut: bob.leg.end().packetsOut,
    };
    expect([packetsIn, packetsOut]).toEqual([300, bob.heard.length]);
  });
});
