import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NameOwnership } from '../../src/config/port.ts';
import { REGION_IDS } from '../../src/region/region.ts';

const ONE = `AC${'1'.repeat(32)}`;
const TWO = `AC${'2'.repeat(32)}`;

/** What every `NameOwnership` does. */
export function namesConformance(
  name: string,
  setUp: () => Promise<{ names: NameOwnership; tearDown(): Promise<void> }>,
): void {
  describe(`NameOwnership: ${name}`, () => {
    let backend: Awaited<ReturnType<typeof setUp>>;
    beforeEach(async () => {
      backend = await setUp();
    });
    afterEach(() => backend.tearDown());

    it('gives a name to one account in as many Regions as it likes', async () => {
      const { names } = backend;
      expect(await names.ownerOf('sip-domain', 'acme')).toBeUndefined();
      expect(await names.claim('sip-domain', 'acme', ONE, 'ie1')).toBe('only');
      expect(await names.claim('sip-domain', 'acme', ONE, 'ie1')).toBe('only');
      expect(await names.claim('sip-domain', 'acme', ONE, 'us1')).toBe('shared');
      expect(await names.claim('sip-domain', 'acme', ONE, 'ie1')).toBe('shared');
      expect(await names.claim('sip-domain', 'acme', TWO, 'au1')).toBe('taken');
      expect(await names.ownerOf('sip-domain', 'acme')).toBe(ONE);
      expect([...(await names.regionsOf('sip-domain', 'acme'))].sort()).toEqual(['ie1', 'us1']);
      await names.release('sip-domain', 'acme', ONE, 'us1');
      expect(await names.regionsOf('sip-domain', 'acme')).toEqual(['ie1']);
      expect(await names.regionsOf('trunk', 'acme')).toEqual([]);
    });

    it('tells kinds and names apart', async () => {
      const { names } = backend;
      await names.claim('sip-domain', 'acme', ONE, 'ie1');
      expect(await names.claim('trunk', 'acme', TWO, 'ie1')).toBe('only');
      expect(await names.claim('sip-domain', 'east.acme', TWO, 'ie1')).toBe('only');
      expect(await names.ownerOf('sip-domain', 'acme')).toBe(ONE);
    });

    it('gives a name to one of many accounts that claim it at once', async () => {
      const { names } = backend;
      const accounts = Array.from({ length: 20 }, (_, n) => `AC${String(n).padStart(32, '0')}`);
      const claims = await Promise.all(accounts.map((sid) => names.claim('sip-domain', 'acme', sid, 'us1')));
      expect(claims.filter((claim) => claim === 'only')).toHaveLength(1);
      expect(claims.filter((claim) => claim === 'taken')).toHaveLength(19);
      expect(await names.ownerOf('sip-domain', 'acme')).toBe(accounts[claims.indexOf('only')]);
    });

    it('says to one of several Regions at once that it is the first', async () => {
      const claims = await Promise.all(
        REGION_IDS.map((region) => backend.names.claim('sip-domain', 'acme', ONE, region)),
      );
      expect([...claims].sort()).toEqual(['only', 'shared', 'shared']);
    });

    it('frees the name with its last Region, and says so every time it is asked', async () => {
      const { names } = backend;
      await names.claim('sip-domain', 'acme', ONE, 'ie1');
      await names.claim('sip-domain', 'acme', ONE, 'us1');
      expect(await names.release('sip-domain', 'acme', ONE, 'ie1')).toBe(false);
      expect(await names.release('sip-domain', 'acme', ONE, 'ie1')).toBe(false);
      expect(await names.claim('sip-domain', 'acme', TWO, 'ie1')).toBe('taken');
      expect(await names.release('sip-domain', 'acme', ONE, 'us1')).toBe(true);
      expect(await names.release('sip-domain', 'acme', ONE, 'us1')).toBe(true);
      expect(await names.ownerOf('sip-domain', 'acme')).toBeUndefined();
      expect(await names.claim('sip-domain', 'acme', TWO, 'ie1')).toBe('only');
    });

    it('lets nobody release what another account has', async () => {
      const { names } = backend;
      await names.claim('sip-domain', 'acme', ONE, 'ie1');
      expect(await names.release('sip-domain', 'acme', TWO, 'ie1')).toBe(false);
      expect(await names.ownerOf('sip-domain', 'acme')).toBe(ONE);
    });
  });
}
