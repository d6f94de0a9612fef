import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KeptRecord, RecordKind, Records } from '../../src/config/records/port.ts';

interface Thing extends KeptRecord {
  readonly owner: string;
  readonly name: string;
  readonly count: number;
}

const THINGS: RecordKind<Thing> = {
  name: 'things',
  parentOf: ({ owner }) => owner,
  keyOf: ({ owner, name }) => `${owner} ${name}`,
};

/** Nothing but its SID is unique about it. */
const PLAIN: RecordKind<Thing> = { name: 'plain-things', parentOf: ({ owner }) => owner };

const thing = (n: number, fields: Partial<Thing> = {}): Thing => ({
  sid: `TH${String(n).padStart(2, '0')}`,
  createdAt: n,
  owner: 'one',
  name: `name ${n}`,
  count: 0,
  ...fields,
});

const MANY = Array.from({ length: 20 }, (_, n) => n);

export interface RecordStores {
  things: Records<Thing>;
  plain: Records<Thing>;
  /** Records of the same kind in another Region. */
  elsewhere: Records<Thing>;
  version(): Promise<number>;
  tearDown(): Promise<void>;
}

/** What `Records` of every kind do, wherever they are kept. */
export function recordsConformance(
  name: string,
  setUp: (create: { things: typeof THINGS; plain: typeof PLAIN }) => Promise<RecordStores>,
): void {
  describe(`Records: ${name}`, () => {
    let backend: RecordStores;
    beforeEach(async () => {
      backend = await setUp({ things: THINGS, plain: PLAIN });
    });
    afterEach(() => backend.tearDown());

    it('keeps, finds, counts and lists in order of creation, each parent for itself', async () => {
      const { things } = backend;
      for (const n of [3, 1, 2]) expect(await things.create(thing(n))).toBe('created');
      expect(await things.create(thing(4, { owner: 'two', name: 'name 1' }))).toBe('created');
      expect(await things.list('one')).toEqual([1, 2, 3].map((n) => thing(n)));
      expect(await things.list('two')).toEqual([thing(4, { owner: 'two', name: 'name 1' })]);
      expect(await things.list('nobody')).toEqual([]);
      expect([await things.count('one'), await things.count('two'), await things.count('nobody')]).toEqual([
        3, 1, 0,
      ]);
      expect(await things.fetch('TH02')).toEqual(thing(2));
      expect(await things.fetch('TH99')).toBeUndefined();
      expect(await things.find('one name 2')).toEqual(thing(2));
      expect(await things.find('one name 9')).toBeUndefined();
    });

    it('lists what was created in the same millisecond by SID', async () => {
      const { plain } = backend;
      for (const n of [3, 1, 2]) await plain.create(thing(n, { createdAt: 5 }));
      expect((await plain.list('one')).map(({ sid }) => sid)).toEqual(['TH01', 'TH02', 'TH03']);
    });

    it('finds nothing by key where nothing has to be unique', async () => {
      const { plain } = backend;
      await plain.create(thing(1));
      expect(await plain.create(thing(2, { name: 'name 1' }))).toBe('created');
      expect(await plain.find('one name 1')).toBeUndefined();
    });

    it('creates one of many with the same key', async () => {
      const { things } = backend;
      const results = await Promise.all(MANY.map((n) => things.create(thing(n, { name: 'same' }))));
      expect(results.filter((result) => result === 'created')).toHaveLength(1);
      expect(results.filter((result) => result === 'taken')).toHaveLength(19);
      expect(await things.count('one')).toBe(1);
      expect(await things.find('one same')).toEqual((await things.list('one'))[0]);
    });

    it('creates one of many with the same SID, and never replaces a record', async () => {
      const { plain } = backend;
      const results = await Promise.all(MANY.map((n) => plain.create(thing(1, { count: n }))));
      expect(results.filter((result) => result === 'created')).toHaveLength(1);
      const kept = await plain.fetch('TH01');
      expect(await plain.create(thing(1, { count: 99 }))).toBe('taken');
      expect(await plain.fetch('TH01')).toEqual(kept);
    });

    it('takes no more than the limit, of each parent, at once or one by one', async () => {
      const { things } = backend;
      const results = await Promise.all(MANY.map((n) => things.create(thing(n), 7)));
      expect(results.filter((result) => result === 'created')).toHaveLength(7);
      expect(results.filter((result) => result === 'full')).toHaveLength(13);
      expect(await things.count('one')).toBe(7);
      expect(await things.create(thing(50, { owner: 'two' }), 7)).toBe('created');
      const [first] = await things.list('one');
      expect(await things.remove(first?.sid ?? '')).toBe(true);
      expect(await things.create(thing(51), 7)).toBe('created');
      expect(await things.create(thing(52), 7)).toBe('full');
      expect(await things.find('one name 52')).toBeUndefined();
    });

    it('says taken, not full, of a key that somebody has', async () => {
      const { things } = backend;
      await things.create(thing(1), 1);
      expect(await things.create(thing(2, { name: 'name 1' }), 1)).toBe('taken');
    });

    it('loses no change of many writers', async () => {
      const { things } = backend;
      await things.create(thing(1));
      const more = (before: Thing) => ({ ...before, count: before.count + 1 });
      await Promise.all(Array.from({ length: 50 }, () => things.change('TH01', more)));
      expect((await things.fetch('TH01'))?.count).toBe(50);
      expect(await things.list('one')).toEqual([thing(1, { count: 50 })]);
    });

    it('changes a key, frees the old one, and refuses one that another record has', async () => {
      const { things } = backend;
      await things.create(thing(1));
      await things.create(thing(2));
      expect(await things.change('TH01', (before) => ({ ...before, name: 'name 2' }))).toBe('taken');
      expect(await things.fetch('TH01')).toEqual(thing(1));
      const renamed = thing(1, { name: 'new' });
      expect(await things.change('TH01', (before) => ({ ...before, name: 'new' }))).toEqual(renamed);
      expect(await things.find('one new')).toEqual(renamed);
      expect(await things.find('one name 1')).toBeUndefined();
      expect(await things.create(thing(3, { name: 'name 1' }))).toBe('created');
      expect(await things.change('TH09', (before) => before)).toBeUndefined();
    });

    it('gives one key to one of many that change to it', async () => {
      const { things } = backend;
      await Promise.all(MANY.map((n) => things.create(thing(n))));
      const results = await Promise.all(
        MANY.map((n) => things.change(thing(n).sid, (before) => ({ ...before, name: 'wanted' }))),
      );
      expect(results.filter((result) => result !== 'taken')).toHaveLength(1);
      expect((await things.list('one')).filter((one) => one.name === 'wanted')).toEqual([
        await things.find('one wanted'),
      ]);
    });

    it('leaves a record as it is when the change throws, or would make another record of it', async () => {
      const { things } = backend;
      await things.create(thing(1));
      const refuse = () => {
        throw new Error('not so');
      };
      await expect(things.change('TH01', refuse)).rejects.toThrow('not so');
      for (const other of [{ sid: 'TH07' }, { createdAt: 9 }, { owner: 'two' }]) {
        await expect(things.change('TH01', (before) => ({ ...before, ...other }))).rejects.toThrow(
          'cannot be changed',
        );
      }
      expect(await things.list('one')).toEqual([thing(1)]);
    });

    it('removes once, with the key', async () => {
      const { things } = backend;
      await things.create(thing(1));
      const results = await Promise.all(MANY.map(() => things.remove('TH01')));
      expect(results.filter(Boolean)).toHaveLength(1);
      expect(await things.remove('TH01')).toBe(false);
      expect(await things.fetch('TH01')).toBeUndefined();
      expect(await things.find('one name 1')).toBeUndefined();
      expect(await things.list('one')).toEqual([]);
      expect(await things.create(thing(1))).toBe('created');
    });

    it('ends the same way whoever of a remover and many writers is first', async () => {
      const { things } = backend;
      await things.create(thing(1));
      const writes = MANY.map((n) => things.change('TH01', (before) => ({ ...before, name: `new ${n}` })));
      const [removed] = await Promise.all([things.remove('TH01'), ...writes]);
      expect(removed).toBe(true);
      expect([await things.fetch('TH01'), await things.list('one')]).toEqual([undefined, []]);
      for (const n of MANY) expect(await things.find(`one new ${n}`)).toBeUndefined();
    });

    it('counts every change of any kind, and only changes', async () => {
      const { things, plain, version } = backend;
      const grows = async (change: () => Promise<unknown>) => {
        const before = await version();
        await change();
        return (await version()) > before;
      };
      expect(await grows(() => things.create(thing(1)))).toBe(true);
      expect(await grows(() => things.create(thing(1)))).toBe(false);
      expect(await grows(() => plain.create(thing(2)))).toBe(true);
      expect(await grows(() => things.change('TH01', (before) => ({ ...before, count: 1 })))).toBe(true);
      expect(await grows(() => things.list('one'))).toBe(false);
      expect(await grows(() => things.remove('TH09'))).toBe(false);
      expect(await grows(() => things.remove('TH01'))).toBe(true);
    });

    it('shares nothing with another Region', async () => {
      const { things, elsewhere } = backend;
      await things.create(thing(1));
      expect([await elsewhere.fetch('TH01'), await elsewhere.find('one name 1')]).toEqual([
        undefined,
        undefined,
      ]);
      expect(await elsewhere.create(thing(1, { count: 5 }))).toBe('created');
      expect(await elsewhere.remove('TH01')).toBe(true);
      expect(await things.fetch('TH01')).toEqual(thing(1));
    });
  });
}
