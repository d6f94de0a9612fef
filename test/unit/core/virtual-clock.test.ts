import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Standstill, sleep, VirtualClock } from '../../../src/core/clock.ts';

it('stands still for what takes real time, and goes on behind it', async () => {
  const server = createServer((_request, response) => response.end('real'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const clock = new VirtualClock();
  const begun = clock.monotonic();
  const asks = async () => {
    await sleep(clock, 1_000);
    const text = await clock.hold(fetch(`http://127.0.0.1:${port}/`).then((answer) => answer.text()));
    return `${text} at ${clock.monotonic() - begun}`;
  };
  const later = sleep(clock, 1_500).then(() => `virtual at ${clock.monotonic() - begun}`);
  expect(await clock.run(Promise.race([asks(), later]))).toBe('real at 1000');
  expect(await clock.run(later)).toBe('virtual at 1500');
  await new Promise((resolve) => server.close(resolve));
});

it('goes on when what it was held for fails', async () => {
  const clock = new VirtualClock();
  const failed = clock.hold(Promise.reject(new Error('refused'))).catch(() => sleep(clock, 10));
  await clock.run(failed);
  expect(clock.monotonic()).toBe(10);
});

it('fires in the order of time, then of creation, whatever is cancelled meanwhile', () => {
  const timers = fc.array(fc.record({ ms: fc.nat(50), cancel: fc.boolean() }), { maxLength: 200 });
  fc.assert(
    fc.property(timers, (wanted) => {
      const clock = new VirtualClock();
      const fired: number[] = [];
      const made = wanted.map(({ ms }, index) => clock.after(ms, () => fired.push(index)));
      for (const [index, { cancel }] of wanted.entries()) if (cancel) made[index]?.cancel();
      const left = [...wanted.entries()].filter(([, { cancel }]) => !cancel);
      expect(clock.pending).toBe(left.length);
      clock.tick(50);
      expect(fired).toEqual(left.toSorted(([, a], [, b]) => a.ms - b.ms).map(([index]) => index));
      expect(clock.pending).toBe(0);
    }),
  );
});

it('takes a cancel twice, or after the timer has fired, for nothing', () => {
  const clock = new VirtualClock();
  const first = clock.after(1, () => {});
  clock.after(2, () => {});
  clock.tick(1);
  first.cancel();
  first.cancel();
  expect(clock.pending).toBe(1);
});

it('runs until a promise is settled, and no further', async () => {
  const clock = new VirtualClock();
  clock.after(5_000, () => {});
  await clock.run(sleep(clock, 3_600_000).then(() => clock.monotonic()));
  expect(clock.monotonic()).toBe(3_600_000);
  await expect(clock.run(Promise.reject(new Error('it failed')))).rejects.toThrow('it failed');
});

it('says that nothing is scheduled any more', async () => {
  const never = new Promise(() => {});
  const stuck = await new VirtualClock().run(never).catch((error: unknown) => error);
  expect(stuck).toBeInstanceOf(Standstill);
});

it('says what is scheduled when a run does not end', async () => {
  const clock = new VirtualClock();
  const again = () => {
    clock.after(1_000, again, 'the next turn');
  };
  again();
  clock.after(99_000, () => {}, 'the last one');
  const stuck = await clock.run(new Promise(() => {}), 60_000).catch((error: unknown) => error);
  if (!(stuck instanceof Standstill)) throw stuck;
  expect(stuck.pending.map(({ label }) => label)).toEqual(['the next turn', 'the last one']);
  expect(clock.monotonic()).toBe(60_000);
});
