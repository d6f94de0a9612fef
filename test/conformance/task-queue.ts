import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TaskQueue } from '../../src/queue/port.ts';
import { until } from '../support/until.ts';

export interface SampleTask {
  readonly kind: 'sample';
  readonly n: number;
}

const ONCE = { attempts: 1, backoffMs: 1 } as const;

/** What every TaskQueue does. */
export function taskQueueConformance(
  name: string,
  setUp: () => Promise<{ queue: TaskQueue<SampleTask>; tearDown(): Promise<void> }>,
): void {
  describe(`TaskQueue: ${name}`, () => {
    let backend: Awaited<ReturnType<typeof setUp>>;
    beforeEach(async () => {
      backend = await setUp();
    });
    afterEach(async () => {
      await backend.queue.close();
      await backend.tearDown();
    });

    it('runs tasks in order, those from before it was started too', async () => {
      const { queue } = backend;
      const done: number[] = [];
      await queue.add({ kind: 'sample', n: 1 }, { id: 'a-1', ...ONCE });
      queue.process(1, async (task) => {
        done.push(task.n);
      });
      await queue.add({ kind: 'sample', n: 2 }, { id: 'a-2', ...ONCE });
      await until('both tasks', () => done.length === 2);
      expect(done).toEqual([1, 2]);
    });

    it('adds a task with a known id only once', async () => {
      const { queue } = backend;
      const done: number[] = [];
      for (const n of [1, 2]) await queue.add({ kind: 'sample', n }, { id: 'same', ...ONCE });
      queue.process(1, async (task) => {
        done.push(task.n);
      });
      await until('the first', () => done.length === 1);
      await queue.add({ kind: 'sample', n: 3 }, { id: 'same', ...ONCE });
      await queue.add({ kind: 'sample', n: 4 }, { id: 'other', ...ONCE });
      await until('the other', () => done.includes(4));
      expect(done).toEqual([1, 4]);
    });

    it('retries as often as it says and marks the last attempt', async () => {
      const { queue } = backend;
      const seen: { number: number; last: boolean }[] = [];
      queue.process(1, async (_task, attempt) => {
        seen.push(attempt);
        throw new Error('not today');
      });
      await queue.add({ kind: 'sample', n: 1 }, { id: 'fails', attempts: 3, backoffMs: 5 });
      await until('three attempts', () => seen.length === 3);
      expect(seen).toEqual([
        { number: 1, last: false },
        { number: 2, last: false },
        { number: 3, last: true },
      ]);
    });

    it('runs no more than `concurrency` at a time', async () => {
      const { queue } = backend;
      let running = 0;
      let most = 0;
      let done = 0;
      for (let n = 0; n < 10; n++) await queue.add({ kind: 'sample', n }, { id: `c-${n}`, ...ONCE });
      queue.process(3, async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        done++;
      });
      await until('all ten', () => done === 10);
      expect(most).toBeLessThanOrEqual(3);
    });

    it('waits for running handlers when it is closed', async () => {
      const { queue } = backend;
      let release: () => void = () => {};
      let finished = false;
      let started = false;
      queue.process(1, async () => {
        started = true;
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        finished = true;
      });
      await queue.add({ kind: 'sample', n: 1 }, { id: 'slow', ...ONCE });
      await until('it started', () => started);
      const closing = queue.close();
      release();
      await closing;
      expect(finished).toBe(true);
    });

    it.each(['', 'a:b', '42'])('refuses the id %j', async (id) => {
      await expect(backend.queue.add({ kind: 'sample', n: 1 }, { id, ...ONCE })).rejects.toThrow(TypeError);
    });
  });
}
