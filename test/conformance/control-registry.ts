import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EdgeProcess, EdgeRegistry } from '../../src/control/registry.ts';
import { until } from '../support/until.ts';

const TTL_MS = 60_000;

const dublin: EdgeProcess = {
  process: 'edge-b',
  edges: ['dublin', 'london-ix'],
  host: '10.0.0.2',
  port: 7001,
};
const everywhere: EdgeProcess = {
  process: 'edge-a',
  edges: ['ashburn', 'dublin'],
  host: '10.0.0.1',
  port: 7000,
};

/**
 * What every EdgeRegistry does. `open` gives another process's view of the same registry; `pass` lets that much time
 * go by.
 */
export function edgeRegistryConformance(
  name: string,
  setUp: () => Promise<{
    open(): EdgeRegistry;
    pass(ms: number): Promise<void>;
    tearDown(): Promise<void>;
  }>,
): void {
  describe(`EdgeRegistry: ${name}`, () => {
    let backend: Awaited<ReturnType<typeof setUp>>;
    let registry: EdgeRegistry;
    beforeEach(async () => {
      backend = await setUp();
      registry = backend.open();
    });
    afterEach(() => backend.tearDown());

    it('is empty at first', async () => {
      expect(await registry.list()).toEqual([]);
      expect(await registry.byEdge('dublin')).toEqual([]);
    });

    it('lists what was announced, by name, and finds who serves an edge', async () => {
      await registry.announce(dublin, TTL_MS);
      await registry.announce(everywhere, TTL_MS);
      const other = backend.open();
      expect(await other.list()).toEqual([everywhere, dublin]);
      expect(await other.byEdge('dublin')).toEqual([everywhere, dublin]);
      expect(await other.byEdge('london-ix')).toEqual([dublin]);
      expect(await other.byEdge('tokyo')).toEqual([]);
    });

    it('replaces what a process said before', async () => {
      await registry.announce(dublin, TTL_MS);
      const moved = { ...dublin, port: 7002, edges: ['frankfurt'] as const };
      await registry.announce(moved, TTL_MS);
      expect(await registry.list()).toEqual([moved]);
      expect(await registry.byEdge('dublin')).toEqual([]);
    });

    it('forgets a process that withdraws, and takes it back when it announces itself again', async () => {
      await registry.announce(dublin, TTL_MS);
      await registry.announce(everywhere, TTL_MS);
      await backend.open().withdraw('edge-b');
      expect(await registry.list()).toEqual([everywhere]);
      await registry.withdraw('edge-never-seen');
      await registry.announce(dublin, TTL_MS);
      expect(await registry.list()).toEqual([everywhere, dublin]);
    });

    it('forgets a process that is no longer heard of, and keeps one that is', async () => {
      await registry.announce(dublin, 300);
      await registry.announce(everywhere, TTL_MS);
      expect(await registry.list()).toHaveLength(2);
      await backend.pass(300);
      await until('the silent one to vanish', async () => (await registry.list()).length === 1);
      expect(await registry.byEdge('dublin')).toEqual([everywhere]);
      await registry.announce(dublin, TTL_MS);
      expect(await registry.list()).toEqual([everywhere, dublin]);
    });
  });
}
