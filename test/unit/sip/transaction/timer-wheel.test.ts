import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../../src/core/clock.ts';
import { TimerWheel } from '../../../../src/sip/transaction/timer-wheel.ts';

function wheel() {
  const clock = new VirtualClock();
  const errors: unknown[] = [];
  return { clock, errors, wheel: new TimerWheel(clock, (error) => errors.push(error)) };
}

describe('timer wheel', () => {
  test('keeps one timer of the clock for any number of its own', () => {
    const { clock, wheel: timers } = wheel();
    for (let i = 0; i < 5_000; i++) timers.after(500 + (i % 3) * 500, () => {});
    expect([clock.pending, timers.size]).toEqual([1, 5_000]);
    clock.tick(1_500);
    expect([clock.pending, timers.size]).toEqual([0, 0]);
  });

  test('fires each timer once, at its time, whatever was cancelled around it', () => {
    const plan = fc.array(fc.record({ ms: fc.constantFrom(0, 10, 500, 1000, 4000), cancel: fc.boolean() }));
    fc.assert(
      fc.property(plan, (rows) => {
        const { clock, wheel: timers } = wheel();
        const fired: number[] = [];
        const armed = rows.map((row, i) => timers.after(row.ms, () => fired.push(i)));
        rows.forEach((row, i) => {
          if (row.cancel) armed[i]?.cancel();
        });
        clock.tick(4_000);
        const expected = rows.flatMap((row, i) => (row.cancel ? [] : [{ i, ms: row.ms }]));
        expect(fired.map((i) => rows[i]?.ms)).toEqual(expected.map((e) => e.ms).sort((a, b) => a - b));
        expect([...fired].sort((a, b) => a - b)).toEqual(expected.map((e) => e.i));
        expect([timers.size, clock.pending]).toEqual([0, 0]);
      }),
    );
  });

  test('a timer armed while others fire fires at its own time', () => {
    const { clock, wheel: timers } = wheel();
    const at: number[] = [];
    timers.after(500, () => timers.after(250, () => at.push(clock.monotonic())));
    timers.after(10_000, () => at.push(clock.monotonic()));
    clock.tick(20_000);
    expect(at).toEqual([750, 10_000]);
  });

  test('an earlier timer than the one waited for is not late', () => {
    const { clock, wheel: timers } = wheel();
    const at: number[] = [];
    timers.after(32_000, () => at.push(clock.monotonic()));
    timers.after(500, () => at.push(clock.monotonic()));
    clock.tick(32_000);
    expect(at).toEqual([500, 32_000]);
  });

  test('a callback that throws is reported and the rest still fire', () => {
    const { clock, errors, wheel: timers } = wheel();
    const fired: string[] = [];
    timers.after(500, () => {
      throw new Error('broken');
    });
    timers.after(500, () => fired.push('second'));
    clock.tick(500);
    expect([errors.length, fired]).toEqual([1, ['second']]);
  });

  test('cancel is idempotent and harmless after firing; clear leaves nothing', () => {
    const { clock, wheel: timers } = wheel();
    const first = timers.after(10, () => {});
    clock.tick(10);
    first.cancel();
    const second = timers.after(10, () => {});
    second.cancel();
    second.cancel();
    expect([timers.size, clock.pending]).toEqual([0, 0]);
    timers.after(10, () => {});
    timers.clear();
    expect([timers.size, clock.pending]).toEqual([0, 0]);
  });
});
