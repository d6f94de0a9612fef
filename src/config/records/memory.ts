import { type KeptRecord, type RecordKind, type Records, replacement } from './port.ts';

/** Records within one process: replay and tests. */
export function createMemoryRecords<T extends KeptRecord>(
  kind: RecordKind<T>,
  changed: () => void = () => {},
): Records<T> {
  const records = new Map<string, T>();
  const list = (parent: string) =>
    [...records.values()]
      .filter((record) => kind.parentOf(record) === parent)
      .sort((a, b) => a.createdAt - b.createdAt || (a.sid < b.sid ? -1 : 1));
  const find = (key: string) =>
    kind.keyOf && [...records.values()].find((record) => kind.keyOf?.(record) === key);
  const holder = (record: T) => (kind.keyOf ? find(kind.keyOf(record)) : undefined);

  return {
    async create(record, limit) {
      if (records.has(record.sid) || holder(record)) return 'taken';
      if (limit !== undefined && list(kind.parentOf(record)).length >= limit) return 'full';
      records.set(record.sid, record);
      changed();
      return 'created';
    },
    async change(sid, next) {
      const before = records.get(sid);
      if (!before) return undefined;
      const after = replacement(kind, before, next);
      const other = holder(after);
      if (other && other.sid !== sid) return 'taken';
      records.set(sid, after);
      changed();
      return after;
    },
    async fetch(sid) {
      return records.get(sid);
    },
    async find(key) {
      return find(key);
    },
    async list(parent) {
      return list(parent);
    },
    async count(parent) {
      return list(parent).length;
    },
    async remove(sid) {
      const removed = records.delete(sid);
      if (removed) changed();
      return removed;
    },
  };
}
