import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryNameOwnership, createMemoryNumberOwnership } from '../../src/config/memory.ts';
import type { NameOwnership, NumberOwnership } from '../../src/config/port.ts';
import { createNameOwnership, createNumberOwnership } from '../../src/config/redis.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { connectRedis, disconnectRedis } from '../../src/storage/redis/connect.ts';
import { ACCOUNT } from '../support/call-record.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const SID = `PN${'1'.repeat(32)}`;
const OWNED = { sid: SID, accountSid: ACCOUNT, phoneNumber: '+35315550100', createdAt: 1 };

interface Owners {
  readonly numbers: NumberOwnership;
  readonly names: NameOwnership;
  tearDown(): Promise<void>;
}

/** Which Regions could take the calls of a key: what a route is judged by. */
function placesConformance(adapter: string, setUp: () => Promise<Owners>): void {
  describe(`the Regions that have a key: ${adapter}`, () => {
    let owners: Owners;
    beforeEach(async () => {
      owners = await setUp();
    });
    afterEach(() => owners.tearDown());

    it('are those that said they configured the number, until it is released', async () => {
      const { numbers } = owners;
      await numbers.claim(OWNED);
      expect(await numbers.regionsOf(SID)).toEqual([]);
      await numbers.configured(SID, 'ie1');
      await numbers.configured(SID, 'us1');
      await numbers.configured(SID, 'ie1');
      expect((await numbers.regionsOf(SID)).toSorted()).toEqual(['ie1', 'us1']);
      await numbers.release(SID);
      expect(await numbers.regionsOf(SID)).toEqual([]);
    });

    it('are those in which the name was claimed and not released', async () => {
      const { names } = owners;
      await names.claim('sip-domain', 'acme', ACCOUNT, 'ie1');
      await names.claim('sip-domain', 'acme', ACCOUNT, 'au1');
      await names.claim('trunk', 'acme', ACCOUNT, 'us1');
      expect((await names.regionsOf('sip-domain', 'acme')).toSorted()).toEqual(['au1', 'ie1']);
      await names.release('sip-domain', 'acme', ACCOUNT, 'ie1');
      expect(await names.regionsOf('sip-domain', 'acme')).toEqual(['au1']);
      expect(await names.regionsOf('trunk', 'acme')).toEqual(['us1']);
      expect(await names.regionsOf('trunk', 'nobody')).toEqual([]);
    });
  });
}

placesConformance('memory', async () => ({
  numbers: createMemoryNumberOwnership(),
  names: createMemoryNameOwnership(),
  tearDown: async () => {},
}));

describe('on a real Redis', () => {
  let server: TestRedis;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  placesConformance('Redis', async () => {
    const redis = connectRedis(server.url, 'owners', silentLogger);
    return {
      numbers: createNumberOwnership({ redis }),
      names: createNameOwnership({ redis }),
      tearDown: async () => {
        await redis.flushall();
        await disconnectRedis(redis);
      },
    };
  });
});
