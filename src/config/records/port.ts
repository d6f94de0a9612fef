/** What every kept record has. */
export interface KeptRecord {
  readonly sid: string;
  /** Milliseconds since the Unix epoch; lists are in this order. */
  readonly createdAt: number;
}

/** A kind of record: how it is named in the store, to what it belongs, and what must be unique about it. */
export interface RecordKind<T extends KeptRecord> {
  /** Part of its keys: `sip-domains`. */
  readonly name: string;
  /** The SID it belongs to and is listed under: an account, a list, a domain. */
  readonly parentOf: (record: T) => string;
  /** No two records of the kind have the same key; undefined where nothing has to be unique. */
  readonly keyOf?: (record: T) => string;
}

/** Records of one kind: a Region's own, or the global ones. */
export interface Records<T extends KeptRecord> {
  /**
   * Adds a record in one step with its checks: `taken` when another one has its key, `full` when its parent has
   * `limit` records already. Then nothing is added.
   */
  create(record: T, limit?: number): Promise<'created' | 'taken' | 'full'>;
  /**
   * Replaces a record by what `next` makes of it, in one step: `next` may run more than once, and throws to leave
   * the record as it is. `taken` when the new key is another record's; undefined when there is no such record. SID,
   * parent and creation stay: anything else is refused.
   */
  change(sid: string, next: (before: T) => T): Promise<T | 'taken' | undefined>;
  fetch(sid: string): Promise<T | undefined>;
  /** The record with this key. */
  find(key: string): Promise<T | undefined>;
  /** Oldest first; those of one millisecond by SID. */
  list(parent: string): Promise<readonly T[]>;
  count(parent: string): Promise<number>;
  /** False when there was none. */
  remove(sid: string): Promise<boolean>;
}

/** What `next` makes of a record. @throws Error when that would be another record, or one of another parent */
export function replacement<T extends KeptRecord>(kind: RecordKind<T>, before: T, next: (before: T) => T): T {
  const after = next(before);
  const stays =
    after.sid === before.sid &&
    after.createdAt === before.createdAt &&
    kind.parentOf(after) === kind.parentOf(before);
  if (!stays) throw new Error(`${before.sid}: SID, parent and creation of a record cannot be changed`);
  return after;
}
