import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { createBullTaskQueue } from '../../../src/queue/bullmq/task-queue.ts';
import type { TaskQueue } from '../../../src/queue/port.ts';
import type { SampleTask } from '../../conformance/task-queue.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

describe('a task queue on BullMQ', () => {
  let redis: TestRedis;
  let queue: TaskQueue<SampleTask>;
  beforeEach(async () => {
    redis = await startRedis();
    queue = createBullTaskQueue<SampleTask>({
      connection: redis.url,
      name: 'callbacks-ie1',
      clock: new SystemClock(),
      logger: silentLogger,
      addTimeoutMs: 300,
    });
  });
  afterEach(async () => {
    await queue.close();
    await redis.stop();
  });
  /** What the dashboard would see. */
  const look = async <T>(at: (view: Queue) => Promise<T>): Promise<T> => {
    const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
    const view = new Queue('callbacks-ie1', { connection });
    const seen = await at(view);
    await view.close();
    connection.disconnect();
    return seen;
  };
  const add = (n: number) => queue.add({ kind: 'sample', n }, { id: `task-${n}`, attempts: 1, backoffMs: 1 });

  /** However long a busy machine takes to answer: one id is one task. */
  const accepted = (n: number) =>
    until(`task ${n} is accepted`, () =>
      add(n).then(
        () => true,
        () => false,
      ),
    );

  it('survives a crash of Redis: tasks stay, adding says so, work goes on', async () => {
    await accepted(1);
    await redis.kill();
    await expect(add(2)).rejects.toThrow(/300 ms/);
    await redis.start();
    const done: number[] = [];
    queue.process(2, async (task) => {
      done.push(task.n);
    });
    await until('the first task', () => done.includes(1));
    // a task whose end Redis was not told of would run again, as it should
    await until('its end', () => look(async (view) => (await view.getJob('task-1'))?.isCompleted()));
    await redis.kill();
    await redis.start();
    await accepted(3);
    await until('work goes on', () => done.includes(3));
    // An add that was under way when the connection broke may still arrive: its id keeps it from running twice.
    expect(done.filter((n) => n !== 2)).toEqual([1, 3]);
  });

  it('keeps failed tasks for the dashboard', async () => {
    queue.process(1, async () => {
      throw new Error('not today');
    });
    await accepted(1);
    await until('it failed', () => look(async (view) => (await view.getFailedCount()) === 1));
    const [job] = await look((view) => view.getFailed());
    expect(job?.failedReason).toBe('not today');
  });

  it('closes promptly while Redis is away', async () => {
    queue.process(1, async () => {});
    await accepted(1);
    await redis.kill();
    const before = performance.now();
    await queue.close();
    expect(performance.now() - before).toBeLessThan(20_000);
  });
});
