import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NumberConfig, NumberOwnership, OwnedNumber, RegionalConfig } from '../../src/config/port.ts';
import { INTERCONNECT_EDGES } from '../../src/region/edge.ts';
import { ACCOUNT, sid } from '../support/call-record.ts';

export function ownedNumber(n: number, fields: Partial<OwnedNumber> = {}): OwnedNumber {
  return { sid: sid('PN', n), accountSid: ACCOUNT, phoneNumber: `+3531555010${n}`, createdAt: n, ...fields };
}

export function numberConfig(n: number, fields: Partial<NumberConfig> = {}): NumberConfig {
  return {
    phoneNumberSid: sid('PN', n),
    friendlyName: 'Zoë’s line',
    voiceUrl: 'https://example.com/voice#rc=2&rp=5xx',
    voiceMethod: 'POST',
    voiceFallbackUrl: '',
    voiceFallbackMethod: 'POST',
    statusCallback: '',
    statusCallbackMethod: 'POST',
    voiceCallerIdLookup: false,
    createdAt: 1,
    updatedAt: 1,
    ...fields,
  };
}

/** What every NumberOwnership and RegionalConfig does. `ie1` and `au1` may share a Redis; they never share data. */
export function configConformance(
  name: string,
  setUp: () => Promise<{
    ownership: NumberOwnership;
    ie1: RegionalConfig;
    au1: RegionalConfig;
    tearDown(): Promise<void>;
  }>,
): void {
  describe(`NumberOwnership and RegionalConfig: ${name}`, () => {
    let backend: Awaited<ReturnType<typeof setUp>>;
    beforeEach(async () => {
      backend = await setUp();
    });
    afterEach(async () => {
      const { ownership, ie1, au1 } = backend;
      await Promise.all([ownership, ie1, au1].map((store) => store.close()));
      await backend.tearDown();
    });

    it('gives a number to the first who claims it', async () => {
      const { ownership } = backend;
      const claims = [1, 2, 3].map((n) => ownedNumber(n, { phoneNumber: '+15550100' }));
      const results = await Promise.all(claims.map((number) => ownership.claim(number)));
      expect(results.filter(Boolean)).toHaveLength(1);
      const winner = claims[results.indexOf(true)];
      expect(await ownership.byNumber('+15550100')).toEqual(winner);
      expect(await ownership.list(ACCOUNT)).toEqual([winner]);
      for (const [n, number] of claims.entries()) {
        expect(await ownership.bySid(number.sid)).toEqual(results[n] ? number : undefined);
      }
    });

    it('finds, lists in order of creation and releases', async () => {
      const { ownership } = backend;
      const other = `AC${'b'.repeat(32)}`;
      for (const n of [3, 1, 2]) expect(await ownership.claim(ownedNumber(n))).toBe(true);
      expect(await ownership.claim(ownedNumber(4, { accountSid: other }))).toBe(true);
      expect(await ownership.list(ACCOUNT)).toEqual([1, 2, 3].map((n) => ownedNumber(n)));
      expect(await ownership.bySid(sid('PN', 2))).toEqual(ownedNumber(2));
      await ownership.release(sid('PN', 2));
      await ownership.release(sid('PN', 2));
      expect(await ownership.bySid(sid('PN', 2))).toBeUndefined();
      expect(await ownership.byNumber(ownedNumber(2).phoneNumber)).toBeUndefined();
      expect(await ownership.list(ACCOUNT)).toEqual([1, 3].map((n) => ownedNumber(n)));
      expect(await ownership.claim(ownedNumber(5, { phoneNumber: ownedNumber(2).phoneNumber }))).toBe(true);
      expect(await ownership.list(`AC${'c'.repeat(32)}`)).toEqual([]);
    });

    it("keeps each Region's configuration to itself", async () => {
      const { ie1, au1 } = backend;
      expect([ie1.region, au1.region]).toEqual(['ie1', 'au1']);
      await ie1.saveNumber(numberConfig(1));
      expect(await ie1.number(sid('PN', 1))).toEqual(numberConfig(1));
      expect(await au1.number(sid('PN', 1))).toBeUndefined();
      await au1.saveNumber(numberConfig(1, { voiceUrl: 'https://example.au/voice' }));
      expect((await ie1.number(sid('PN', 1)))?.voiceUrl).toBe('https://example.com/voice#rc=2&rp=5xx');
      await ie1.saveNumber(numberConfig(1, { voiceMethod: 'GET' }));
      expect((await ie1.number(sid('PN', 1)))?.voiceMethod).toBe('GET');
      await ie1.removeNumber(sid('PN', 1));
      await ie1.removeNumber(sid('PN', 1));
      expect(await ie1.number(sid('PN', 1))).toBeUndefined();
      expect(await au1.number(sid('PN', 1))).toBeDefined();
    });

    it('has one active connection per exchange in every Region, until it is changed there', async () => {
      const { ie1, au1 } = backend;
      const defaults = await ie1.connections();
      expect(defaults.map(({ exchange }) => exchange)).toEqual(INTERCONNECT_EDGES);
      expect(new Set(defaults.map(({ status }) => status))).toEqual(new Set(['active']));
      const sids = [...defaults, ...(await au1.connections())].map((connection) => connection.sid);
      expect(new Set(sids).size).toBe(16);
      for (const one of sids) expect(one).toMatch(/^TX[0-9a-f]{32}$/);
      const [first] = defaults;
      if (!first) throw new Error('no connection');
      await ie1.saveConnection({ ...first, status: 'inactive' });
      const added = { sid: sid('TX', 7), exchange: first.exchange, status: 'active' } as const;
      await ie1.saveConnection(added);
      const now = await ie1.connections();
      expect(now.slice(0, 2)).toEqual([{ ...first, status: 'inactive' }, added]);
      expect(now.slice(2)).toEqual(defaults.slice(1));
      expect((await au1.connections()).map(({ status }) => status)).not.toContain('inactive');
    });
  });
}
