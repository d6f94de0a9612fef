import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { createBullCallQueue } from '../../../src/queue/bullmq/call-queue.ts';
import type { CallQueue } from '../../../src/queue/port.ts';
import { REGIONS } from '../../../src/region/region.ts';
import { callJob } from '../../support/call-job.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

const never = new AbortController().signal;

describe('the dispatch queue on BullMQ', () => {
  let redis: TestRedis;
  let raw: Redis;
  let view: Queue;
  const queues: CallQueue[] = [];
  const open = (addTimeoutMs?: number) => {
    const queue = createBullCallQueue({
      connection: redis.url,
      region: REGIONS.ie1,
      clock: new SystemClock(),
      logger: silentLogger,
      ...(addTimeoutMs === undefined ? {} : { addTimeoutMs }),
    });
    queues.push(queue);
    return queue;
  };

  beforeEach(async () => {
    redis = await startRedis();
    raw = new Redis(redis.url, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
    raw.on('error', () => {});
    view = new Queue('calls-ie1', { connection: raw });
    view.on('error', () => {});
  });
  afterEach(async () => {
    await Promise.all(queues.splice(0).map((queue) => queue.close()));
    await view.close();
    raw.disconnect();
    await redis.stop();
  });

  /** However long a busy machine takes to answer: one call and epoch is one job. */
  const accepted = (queue: ReturnType<typeof open>, job: ReturnType<typeof callJob>) =>
    until('an add is accepted', () =>
      queue.add(job).then(
        () => true,
        () => false,
      ),
    );

  it('is an ordinary BullMQ queue: name, prefix, job id, payload', async () => {
    const job = callJob();
    await open().add(job);
    const [id] = await raw.lrange('bull:calls-ie1:wait', 0, -1);
    expect(id).toBe(`${job.callSid}-1`);
    expect(JSON.parse((await raw.hget(`bull:calls-ie1:${id}`, 'data')) ?? '')).toEqual(job);
  });

  it('keeps the last 1,000 finished jobs and every failed one', async () => {
    const queue = open();
    for (let n = 0; n < 1_010; n++) {
      await queue.add(callJob());
      await (await queue.take(never))?.complete('granted');
    }
    await queue.add(callJob());
    await (await queue.take(never))?.fail('the edge is gone');
    expect(await view.getJobCounts('completed', 'failed', 'active', 'wait')).toEqual({
      completed: 1_000,
      failed: 1,
      active: 0,
      wait: 0,
    });
  });

  it('returns a job that arrives after its taker left', async () => {
    const leaving = open();
    const gone = new AbortController();
    const taking = leaving.take(gone.signal);
    await until('a blocking read', async () => String(await raw.client('LIST')).includes('cmd=bzpopmin'));
    gone.abort();
    await taking;
    const job = callJob();
    await leaving.add(job);
    expect((await open().take(never))?.job).toEqual(job);
  });

  it('offers a job again when the worker that took it died before its claim', async () => {
    const job = callJob();
    const dying = open();
    await dying.add(job);
    await dying.take(never);
    await dying.close();
    const again = await open().take(never);
    expect(again?.job).toEqual(job);
    await again?.complete('granted');
    expect(await view.getJobCountByTypes('completed')).toBe(1);
  });

  it('rejects in bounded time while Redis is away, and recovers', async () => {
    const queue = open(300);
    const first = callJob();
    await accepted(queue, first);
    const taken = await queue.take(never);
    await taken?.complete('granted');
    const taking = queue.take(never);

    await redis.kill();
    const before = performance.now();
    const refused = callJob();
    await expect(queue.add(refused)).rejects.toThrow(/300 ms/);
    expect(performance.now() - before).toBeLessThan(6_000);

    await redis.start();
    const job = callJob();
    await accepted(queue, job);
    let resumed = await taking;
    // An add that was under way when the connection broke may still arrive: its edge says that the call is gone.
    if (resumed?.job.callSid === refused.callSid) {
      await resumed.complete('gone');
      resumed = await queue.take(never);
    }
    expect(resumed?.job).toEqual(job);
    await resumed?.complete('granted');
    expect(await queue.waiting()).toBe(0);
  });

  it('rejects in bounded time when Redis was never there', async () => {
    await redis.kill();
    await expect(open(200).add(callJob())).rejects.toThrow(/200 ms/);
  });

  it('closes promptly while Redis is away', async () => {
    const queue = open();
    const taking = queue.take(never);
    await redis.kill();
    await queue.close();
    expect(await taking).toBeUndefined();
  });
});
