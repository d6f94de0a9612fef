import { afterAll, beforeAll, describe } from 'vitest';
import { createMemoryNameOwnership, createMemoryRegionalConfig } from '../../src/config/memory.ts';
import { createNameOwnership, createRegionalConfig } from '../../src/config/redis.ts';
import { createTokenVault, type KeptTokens } from '../../src/config/token-vault.ts';
import { SystemClock } from '../../src/core/clock.ts';
import { RandomIds } from '../../src/core/ids.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { REGIONS } from '../../src/region/region.ts';
import { connectRedis, disconnectRedis } from '../../src/storage/redis/connect.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { directoryConformance } from './config-directory.ts';
import { namesConformance } from './config-names.ts';
import { tokensConformance } from './config-tokens.ts';

const ids = new RandomIds();
const tearDown = async () => {};

namesConformance('memory', async () => ({ names: createMemoryNameOwnership(), tearDown }));

tokensConformance('memory', async (clock) => {
  const kept = new Map<string, KeptTokens>();
  const store = {
    read: async (accountSid: string) => kept.get(accountSid),
    async replace(accountSid: string, before: KeptTokens | undefined, after: KeptTokens) {
      if (kept.get(accountSid) !== before) return false;
      kept.set(accountSid, after);
      return true;
    },
  };
  return {
    open: (given) => createTokenVault({ store, clock, ids, given }),
    elsewhere: createMemoryRegionalConfig('au1', { clock, ids }).tokens,
    tearDown,
  };
});

directoryConformance('memory', async () => {
  const { records } = createMemoryRegionalConfig('ie1');
  return { reader: records, writer: records, tearDown };
});

describe('on a real Redis', () => {
  let server: TestRedis;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  const connect = () => {
    const redis = connectRedis(server.url, 'config', silentLogger);
    return {
      redis,
      async tearDown() {
        await redis.flushall();
        await disconnectRedis(redis);
      },
    };
  };

  namesConformance('Redis', async () => {
    const { redis, tearDown } = connect();
    return { names: createNameOwnership({ redis }), tearDown };
  });

  tokensConformance('Redis', async (clock) => {
    const { redis, tearDown } = connect();
    return {
      open: (given) => createRegionalConfig({ redis, region: REGIONS.ie1, clock, ids, given }).tokens,
      elsewhere: createRegionalConfig({ redis, region: REGIONS.au1, clock, ids }).tokens,
      tearDown,
    };
  });

  directoryConformance('Redis', async () => {
    const clock = new SystemClock();
    const { redis, tearDown } = connect();
    const other = connectRedis(server.url, 'writer', silentLogger);
    const recordsOf = (connection: typeof redis) =>
      createRegionalConfig({ redis: connection, region: REGIONS.ie1, clock, ids }).records;
    return {
      reader: recordsOf(redis),
      writer: recordsOf(other),
      async tearDown() {
        await disconnectRedis(other);
        await tearDown();
      },
    };
  });
});
