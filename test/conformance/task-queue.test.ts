import { SystemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { createBullTaskQueue } from '../../src/queue/bullmq/task-queue.ts';
import { createMemoryTaskQueue } from '../../src/queue/memory/task-queue.ts';
import { REGIONS } from '../../src/region/region.ts';
import { startRedis } from '../support/redis.ts';
import { type SampleTask, taskQueueConformance } from './task-queue.ts';

taskQueueConformance('memory', async () => ({
  queue: createMemoryTaskQueue<SampleTask>(new SystemClock()),
  tearDown: async () => {},
}));

taskQueueConformance('BullMQ on a real Redis', async () => {
  const redis = await startRedis();
  const queue = createBullTaskQueue<SampleTask>({
    connection: redis.url,
    name: REGIONS.ie1.queues.callbacks,
    clock: new SystemClock(),
    logger: silentLogger,
  });
  return { queue, tearDown: () => redis.stop() };
});
