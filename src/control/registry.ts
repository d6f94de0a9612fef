import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import { EDGE_IDS, type EdgeId } from '../region/edge.ts';

/** An edge process: the edges it serves and where workers reach it. */
export interface EdgeProcess {
  readonly process: string;
  readonly edges: readonly EdgeId[];
  readonly host: string;
  readonly port: number;
}

/**
 * Who serves which edge: how a worker finds the egress of a call. Edge processes announce themselves in every Region's
 * own registry, so that a worker needs no other Region's, and nothing global, to make calls.
 */
export interface EdgeRegistry {
  /** Says "this process is there" for `ttlMs`; to be repeated well before that has passed. */
  announce(edge: EdgeProcess, ttlMs: number): Promise<void>;
  /** Takes a process that stops out at once. */
  withdraw(process: string): Promise<void>;
  /** Processes whose time has not run out, in the order of their names. */
  list(): Promise<readonly EdgeProcess[]>;
  /** The processes of `list` that serve `edge`. */
  byEdge(edge: EdgeId): Promise<readonly EdgeProcess[]>;
}

const edgeProcess: z.ZodType<EdgeProcess> = z.object({
  process: z.string(),
  edges: z.array(z.enum(EDGE_IDS)),
  host: z.string(),
  port: z.int(),
});

/** Names of processes, some of which may have expired; what each said is under a key of its own, which does. */
const NAMES = 'trunkline:edge-processes';
const keyOf = (process: string) => `trunkline:edge-process:${process}`;

/**
 * Drops names whose entry has expired. In a script, because a process may announce itself between the look and the
 * removal. KEYS: the set, then the entries; ARGV: the names, in the order of the entries.
 */
const PRUNE = `
for i, name in ipairs(ARGV) do
  if redis.call('EXISTS', KEYS[i + 1]) == 0 then redis.call('SREM', KEYS[1], name) end
end
`;

/** The registry in a Region's Redis, or in any other. The connection stays its owner's. */
export function createRedisEdgeRegistry({ redis }: { readonly redis: Redis }): EdgeRegistry {
  async function list(): Promise<readonly EdgeProcess[]> {
    const names = (await redis.smembers(NAMES)).sort();
    if (names.length === 0) return [];
    const keys = names.map(keyOf);
    const entries = await redis.mget(keys);
    const expired = names.filter((_, index) => entries[index] === null);
    if (expired.length > 0) {
      await redis.eval(PRUNE, expired.length + 1, NAMES, ...expired.map(keyOf), ...expired);
    }
    return entries.flatMap((entry) => (entry ? [edgeProcess.parse(JSON.parse(entry))] : []));
  }

  return {
    async announce(edge, ttlMs) {
      const key = keyOf(edge.process);
      const results = await redis
        .multi()
        .set(key, JSON.stringify(edge), 'PX', ttlMs)
        .sadd(NAMES, edge.process)
        .exec();
      for (const [error] of results ?? []) if (error) throw error;
    },
    async withdraw(process) {
      await redis.multi().del(keyOf(process)).srem(NAMES, process).exec();
    },
    list,
    async byEdge(edge) {
      return (await list()).filter((entry) => entry.edges.includes(edge));
    },
  };
}

/** A registry of one process's own. */
export function createMemoryEdgeRegistry({ clock }: { readonly clock: Clock }): EdgeRegistry {
  const entries = new Map<string, { readonly edge: EdgeProcess; readonly until: number }>();

  async function list(): Promise<readonly EdgeProcess[]> {
    const now = clock.monotonic();
    for (const [name, { until }] of entries) if (until <= now) entries.delete(name);
    return [...entries.values()]
      .map(({ edge }) => edge)
      .sort((a, b) => (a.process < b.process ? -1 : a.process > b.process ? 1 : 0));
  }

  return {
    async announce(edge, ttlMs) {
      entries.set(edge.process, { edge, until: clock.monotonic() + ttlMs });
    },
    async withdraw(process) {
      entries.delete(process);
    },
    list,
    async byEdge(edge) {
      return (await list()).filter((entry) => entry.edges.includes(edge));
    },
  };
}
