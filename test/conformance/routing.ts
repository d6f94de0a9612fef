import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import type { RegionId } from '../../src/region/region.ts';
import { CHANGES_KEPT, ROUTE_PACE } from '../../src/routing/entry.ts';
import {
  type RouteAuthor,
  type RouteKind,
  type RouteLookup,
  type RoutePace,
  type RouteRecord,
  type RouteTable,
  TooManyRouteChanges,
} from '../../src/routing/port.ts';
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

const NUMBER = '+35315550100';

const IRELAND: RouteAuthor = { accountSid: ACCOUNT, credentialSid: `SK${'1'.repeat(32)}`, region: 'ie1' };
const AMERICA: RouteAuthor = { accountSid: ACCOUNT, credentialSid: ACCOUNT, region: 'us1' };

/** What a route table and an edge's look-up do together. */
export function routingConformance(
  name: string,
  setUp: (
    clock: VirtualClock,
    delayMs: number,
    pace: RoutePace,
  ) => Promise<Routes & { tearDown(): Promise<void> }>,
): void {
  describe(`RouteTable and RouteLookup: ${name}`, () => {
    let clock: VirtualClock;
    let routes: Awaited<ReturnType<typeof setUp>>;
    const open = async (delayMs: number, pace = ROUTE_PACE) => {
      routes = await setUp(clock, delayMs, pace);
    };
    const region = async (kind: RouteKind = 'phone-number', key = NUMBER) => {
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

    it('shows the record, where calls go and what has not taken effect yet', async () => {
      await open(60_000);
      expect(await routes.table.state('phone-number', NUMBER)).toEqual({
        record: undefined,
        activeRegion: 'us1',
        pending: undefined,
      });
      await routes.table.save(routeRecord('ie1'));
      expect(await routes.table.state('phone-number', NUMBER)).toEqual({
        record: routeRecord('ie1'),
        activeRegion: 'us1',
        pending: { region: 'ie1', effectiveAt: clock.now() + 60_000 },
      });
      await clock.advance(60_000);
      expect(await routes.table.state('phone-number', NUMBER)).toEqual({
        record: routeRecord('ie1'),
        activeRegion: 'ie1',
        pending: undefined,
      });
    });

    it('does not begin the propagation again when only the name changes', async () => {
      await open(60_000);
      await routes.table.save(routeRecord('ie1'));
      await clock.advance(30_000);
      await routes.table.save(routeRecord('ie1', { friendlyName: 'sales' }));
      await becomes('us1 default');
      await clock.advance(30_000);
      expect(await region()).toBe('ie1 explicit');
      expect((await routes.table.fetch('phone-number', NUMBER))?.friendlyName).toBe('sales');
    });

    it('names the record that decided', async () => {
      await open(0);
      expect((await routes.lookup.lookup('phone-number', NUMBER)).sid).toBeNull();
      await routes.table.save(routeRecord('ie1'));
      await becomes('ie1 explicit');
      expect((await routes.lookup.lookup('phone-number', NUMBER)).sid).toBe(routeRecord('ie1').sid);
    });

    it('builds a change on the record there is, and leaves all as it is when that fails', async () => {
      await open(0);
      const name = (before: RouteRecord | undefined) =>
        routeRecord('ie1', { friendlyName: `${before?.friendlyName ?? 'none'}+` });
      await routes.table.change('phone-number', NUMBER, name, null);
      expect((await routes.table.change('phone-number', NUMBER, name, null)).friendlyName).toBe('none++');
      const failing = () => {
        throw new Error('refused');
      };
      await expect(routes.table.change('phone-number', NUMBER, failing, null)).rejects.toThrow('refused');
      expect((await routes.table.fetch('phone-number', NUMBER))?.friendlyName).toBe('none++');
      expect(await routes.table.changes('phone-number', NUMBER)).toHaveLength(2);
    });

    it('puts writers of one key in one order, and the audit shows each of them', async () => {
      await open(0);
      let sids = 0;
      const write = (voiceRegion: RegionId, by: RouteAuthor) =>
        routes.table.change(
          'phone-number',
          NUMBER,
          (before) => {
            sids += 1;
            const first = { sid: `QQ${String(sids).padStart(32, '0')}`, createdAt: sids };
            const { sid, createdAt } = before ?? first;
            return routeRecord(voiceRegion, { sid, createdAt });
          },
          by,
        );
      const written = await Promise.all(
        Array.from({ length: 20 }, (_, n) => (n % 2 ? write('ie1', IRELAND) : write('us1', AMERICA))),
      );
      expect(new Set(written.map(({ sid, createdAt }) => `${sid} ${createdAt}`)).size).toBe(1);
      const trail = (await routes.table.changes('phone-number', NUMBER)).toReversed();
      expect(trail).toHaveLength(20);
      expect(trail.filter(({ by }) => by?.region === 'ie1')).toHaveLength(10);
      expect(trail.map(({ before }) => before)).toEqual([
        null,
        ...trail.map(({ after }) => after).slice(0, -1),
      ]);
      expect(trail.every(({ after, by }) => after?.voiceRegion === by?.region)).toBe(true);
      const kept = await routes.table.fetch('phone-number', NUMBER);
      expect(kept?.voiceRegion).toBe(trail.at(-1)?.after?.voiceRegion);
    });

    it('keeps who changed what from which Region, and when calls follow', async () => {
      await open(60_000);
      await routes.table.save(routeRecord('ie1'), IRELAND);
      const set = clock.now();
      await clock.advance(5_000);
      await routes.table.remove('phone-number', NUMBER);
      const terms = { sid: routeRecord('ie1').sid, voiceRegion: 'ie1', friendlyName: 'main line' };
      expect(await routes.table.changes('phone-number', NUMBER)).toEqual([
        {
          at: set + 5_000,
          accountSid: ACCOUNT,
          by: null,
          before: terms,
          after: null,
          effectiveAt: set + 65_000,
        },
        { at: set, accountSid: ACCOUNT, by: IRELAND, before: null, after: terms, effectiveAt: set + 60_000 },
      ]);
      expect(await routes.table.changes('sip-domain', NUMBER)).toEqual([]);
    });

    it('keeps a bounded number of changes, the latest ones', async () => {
      await open(0);
      for (let n = 0; n < CHANGES_KEPT + 5; n++) {
        await routes.table.save(routeRecord('ie1', { friendlyName: `name ${n}` }));
      }
      const trail = await routes.table.changes('phone-number', NUMBER);
      expect(trail).toHaveLength(CHANGES_KEPT);
      expect(trail[0]?.after?.friendlyName).toBe(`name ${CHANGES_KEPT + 4}`);
    });

    it('lists the records of an account, newest first, in parts', async () => {
      await open(0);
      const another = `AC${'f'.repeat(32)}`;
      const keys = ['+1', '+2', '+3'];
      for (const [n, key] of keys.entries()) {
        await routes.table.save(
          routeRecord('ie1', { key, createdAt: n + 1, sid: `QQ${String(n).repeat(32)}` }),
        );
      }
      await routes.table.save(routeRecord('au1', { key: '+4', accountSid: another }));
      const listed = async (part: { offset?: number; limit?: number; upTo?: number } = {}) => {
        const { items, hasMore } = await routes.table.list(ACCOUNT, { offset: 0, limit: 50, ...part });
        return [items.map(({ record }) => record.key), hasMore];
      };
      expect(await listed()).toEqual([['+3', '+2', '+1'], false]);
      expect(await listed({ limit: 2 })).toEqual([['+3', '+2'], true]);
      expect(await listed({ offset: 2, limit: 2 })).toEqual([['+1'], false]);
      expect(await listed({ upTo: 2 })).toEqual([['+2', '+1'], false]);
      await routes.table.remove('phone-number', '+2');
      // The key was given up, and somebody else has it now.
      await routes.table.save(routeRecord('au1', { key: '+3', accountSid: another }));
      expect(await listed()).toEqual([['+1'], false]);
      expect(await listed({ limit: 1 })).toEqual([['+1'], false]);
      expect((await routes.table.list(another, { offset: 0, limit: 50 })).items).toHaveLength(2);
    });

    it('refuses changes beyond its pace, and neither reads nor what belongs to other changes', async () => {
      // A window that no machine is too slow for
      await open(0, { changes: 3, windowMs: 3_600_000 });
      const set = (voiceRegion: RegionId, key = NUMBER) =>
        routes.table.change('phone-number', key, () => routeRecord(voiceRegion, { key }), IRELAND);
      for (const id of ['us1', 'ie1', 'au1'] as const) await set(id);
      const refused = await set('us1').catch((error: unknown) => error);
      if (!(refused instanceof TooManyRouteChanges)) throw new Error('the fourth change was taken');
      expect(refused.retryAfterMs).toBeGreaterThan(0);
      expect(refused.retryAfterMs).toBeLessThanOrEqual(3_600_000);
      await expect(set('us1', '+1')).rejects.toThrow(TooManyRouteChanges);
      expect((await routes.table.fetch('phone-number', NUMBER))?.voiceRegion).toBe('au1');
      expect(await routes.table.changes('phone-number', NUMBER)).toHaveLength(3);
      await becomes('au1 explicit');
      await routes.table.save(routeRecord('ie1'));
      await becomes('ie1 explicit');
      await routes.table.remove('phone-number', NUMBER);
      await becomes('us1 default');
    });

    it('refuses a delay beyond five minutes', async () => {
      await open(0);
      await expect(setUp(clock, 300_001, ROUTE_PACE)).rejects.toThrow(/300000/);
    });
  });
}
