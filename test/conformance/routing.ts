import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import type { RegionId } from '../../src/region/region.ts';
import type { RouteKind, RouteLookup, RouteRecord, RouteTable } from '../../src/routing/port.ts';
import { ACCOUNT } from '../support/call-record.ts';
import { until } from '../support/until.ts';

export interface Routes {
  readonly table: RouteTable;
  readonly lookup: RouteLookup;
}

export function routeRecord(voiceRegion: RegionId, fields: Partial<RouteRecord> = {}): RouteRecord {
  return {
    sid: `QQ${'1'.repeat(32)}`,
    kind: 'phone-number',
    key: '+35315550100',
    accountSid: ACCOUNT,
    voiceRegion,
    friendlyName: 'main line',
    createdAt: 1,
    updatedAt: 1,
    ...fields,
  };
}

/** What a route table and an edge's look-up do together. */
export function routingConformance(
  name: string,
  setUp: (clock: VirtualClock, delayMs: number) => Promise<Routes & { tearDown(): Promise<void> }>,
): void {
  describe(`RouteTable and RouteLookup: ${name}`, () => {
    let clock: VirtualClock;
    let routes: Awaited<ReturnType<typeof setUp>>;
    const open = async (delayMs: number) => {
      routes = await setUp(clock, delayMs);
    };
    const region = async (kind: RouteKind = 'phone-number', key = '+35315550100') => {
      const { region: id, record } = await routes.lookup.lookup(kind, key);
      return `${id} ${record}`;
    };
    /** Announcements travel on another connection than writes. */
    const becomes = (expected: string, kind?: RouteKind, key?: string) =>
      until(`the route to be ${expected}`, async () => (await region(kind, key)) === expected);

    beforeEach(() => {
      clock = new VirtualClock();
    });
    afterEach(async () => {
      await routes.lookup.close();
      await routes.table.close();
      await routes.tearDown();
    });

    it('takes the changes of many writers of one key, and keeps the last one', async () => {
      await open(0);
      const regions = Array.from({ length: 30 }, (_, n) => (['us1', 'ie1', 'au1'] as const)[n % 3] ?? 'us1');
      await Promise.all(regions.map((id) => routes.table.save(routeRecord(id))));
      const kept = await routes.table.fetch('phone-number', '+35315550100');
      await becomes(`${kept?.voiceRegion} explicit`);
    });

    it('sends keys without a record to us1', async () => {
      await open(0);
      expect(await region()).toBe('us1 default');
      expect(await routes.table.fetch('phone-number', '+35315550100')).toBeUndefined();
    });

    it('keeps records and announces every change', async () => {
      await open(0);
      expect(await region()).toBe('us1 default');
      const record = routeRecord('ie1');
      await routes.table.save(record);
      expect(await routes.table.fetch('phone-number', '+35315550100')).toEqual(record);
      await becomes('ie1 explicit');
      await routes.table.save(routeRecord('us1'));
      await becomes('us1 explicit');
      await routes.table.remove('phone-number', '+35315550100');
      await becomes('us1 default');
      expect(await routes.table.fetch('phone-number', '+35315550100')).toBeUndefined();
      await routes.table.remove('phone-number', '+35315550100');
    });

    it('keeps kinds and keys apart', async () => {
      await open(0);
      await routes.table.save(routeRecord('ie1', { kind: 'trunk', key: 'acme' }));
      await routes.table.save(routeRecord('au1', { kind: 'sip-domain', key: 'acme' }));
      await becomes('ie1 explicit', 'trunk', 'acme');
      await becomes('au1 explicit', 'sip-domain', 'acme');
      expect(await region('phone-number', 'acme')).toBe('us1 default');
    });

    it('lets a change take effect exactly after the delay', async () => {
      await open(60_000);
      await routes.table.save(routeRecord('ie1'));
      expect((await routes.table.fetch('phone-number', '+35315550100'))?.voiceRegion).toBe('ie1');
      expect(await region()).toBe('us1 default');
      await clock.advance(59_999);
      expect(await region()).toBe('us1 default');
      await clock.advance(1);
      expect(await region()).toBe('ie1 explicit');

      await routes.table.save(routeRecord('au1'));
      await clock.advance(59_999);
      expect(await region()).toBe('ie1 explicit');
      await clock.advance(1);
      expect(await region()).toBe('au1 explicit');

      await routes.table.remove('phone-number', '+35315550100');
      expect(await routes.table.fetch('phone-number', '+35315550100')).toBeUndefined();
      await clock.advance(59_999);
      expect(await region()).toBe('au1 explicit');
      await clock.advance(1);
      expect(await region()).toBe('us1 default');
    });

    it('goes by what is in effect when a change follows before the last one has arrived', async () => {
      await open(60_000);
      await routes.table.save(routeRecord('ie1'));
      await clock.advance(60_000);
      await routes.table.save(routeRecord('au1'));
      await clock.advance(30_000);
      await routes.table.save(routeRecord('us1'));
      await becomes('ie1 explicit');
      await clock.advance(59_999);
      expect(await region()).toBe('ie1 explicit');
      await clock.advance(1);
      expect(await region()).toBe('us1 explicit');
    });

    it('refuses a delay beyond five minutes', async () => {
      await open(0);
      await expect(setUp(clock, 300_001)).rejects.toThrow(/300000/);
    });
  });
}
