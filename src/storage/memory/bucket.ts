import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { assertKey } from '../object-key.ts';
import { type Bucket, BucketError } from '../ports.ts';

/** Objects within one process: replay and tests. */
export function createMemoryBucket(name = 'memory'): Bucket {
  const objects = new Map<string, Buffer>();

  return {
    name,
    async ensure() {},
    async put(key, body) {
      assertKey(key);
      objects.set(key, Buffer.from(body));
    },
    async putFile(key, path, _contentType, sha256) {
      assertKey(key);
      const body = await readFile(path).catch((error: unknown) => {
        throw new BucketError(`cannot read ${path}`, false, { cause: error });
      });
      const actual = createHash('sha256').update(body).digest('hex');
      if (actual !== sha256) throw new BucketError(`${path} has SHA-256 ${actual}, expected ${sha256}`, true);
      objects.set(key, body);
    },
    async get(key) {
      assertKey(key);
      const body = objects.get(key);
      return body && Buffer.from(body);
    },
    async stream(key, range) {
      assertKey(key);
      const body = objects.get(key);
      if (!body) return undefined;
      const start = range?.start ?? 0;
      if (range && start >= body.length) {
        throw new BucketError(`${key} has ${body.length} bytes, none from ${start}`, false);
      }
      const part = body.subarray(start, (range?.end ?? body.length - 1) + 1);
      return { body: Readable.from([part]), bytes: part.length, total: body.length };
    },
    async stat(key) {
      assertKey(key);
      const body = objects.get(key);
      return body && { key, bytes: body.length };
    },
    async *list(prefix) {
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix));
      keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      for (const key of keys) {
        const body = objects.get(key);
        if (body) yield { key, bytes: body.length };
      }
    },
    async delete(key) {
      assertKey(key);
      objects.delete(key);
    },
    async close() {},
  };
}
