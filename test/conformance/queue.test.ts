import { SystemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { createBullCallQueue } from '../../src/queue/bullmq/call-queue.ts';
import { createMemoryCallQueue } from '../../src/queue/memory/call-queue.ts';
import { REGIONS } from '../../src/region/region.ts';
import { startRedis } from '../support/redis.ts';
import { callQueueConformance } from './queue.ts';

callQueueConformance('memory', async () => {
  const queue = createMemoryCallQueue();
  return { open: () => queue, tearDown: async () => {} };
});

callQueueConformance('BullMQ on a real Redis', async () => {
  const redis = await startRedis();
  return {
    open: () =>
      createBullCallQueue({
        connection: redis.url,
        region: REGIONS.ie1,
        clock: new SystemClock(),
        logger: silentLogger,
      }),
    tearDown: () => redis.stop(),
  };
});
