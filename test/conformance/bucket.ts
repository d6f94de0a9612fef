import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { restoreIndex } from '../../src/runtime/index-restoration.ts';
import { createMemoryCallStore } from '../../src/storage/memory/call-store.ts';
import { type Bucket, BucketError } from '../../src/storage/ports.ts';
import { ACCOUNT } from '../support/call-record.ts';
import { putFinished } from '../support/finished-objects.ts';

const sha256 = (body: Buffer) => createHash('sha256').update(body).digest('hex');

async function keys(bucket: Bucket, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const object of bucket.list(prefix)) found.push(object.key);
  return found;
}

/** What every Bucket does. `setUp` opens one that need not exist yet. */
export function bucketConformance(
  name: string,
  setUp: () => Promise<{ bucket: Bucket; tearDown(): Promise<void> }>,
): void {
  describe(`Bucket: ${name}`, () => {
    let bucket: Bucket;
    let tearDown: () => Promise<void>;
    let folder: string;
    beforeAll(async () => {
      ({ bucket, tearDown } = await setUp());
      await bucket.ensure();
      folder = await mkdtemp(join(tmpdir(), 'trunkline-bucket-'));
    });
    afterAll(async () => {
      await bucket.close();
      await tearDown();
      await rm(folder, { recursive: true, force: true });
    });

    it('is created once, however often it is asked to be', async () => {
      await bucket.ensure();
      await bucket.ensure();
    });

    it('stores text and bytes and replaces them', async () => {
      await bucket.put('put/a.json', '{"ä":1}', 'application/json');
      expect((await bucket.get('put/a.json'))?.toString()).toBe('{"ä":1}');
      const bytes = randomBytes(100_000);
      await bucket.put('put/a.json', bytes, 'audio/wav');
      expect(await bucket.get('put/a.json')).toEqual(bytes);
      expect(await bucket.stat('put/a.json')).toEqual({ key: 'put/a.json', bytes: 100_000 });
    });

    it('stores an empty object', async () => {
      await bucket.put('put/empty', '', 'text/plain');
      expect(await bucket.get('put/empty')).toEqual(Buffer.alloc(0));
      expect(await bucket.stat('put/empty')).toEqual({ key: 'put/empty', bytes: 0 });
    });

    it('says when there is nothing', async () => {
      expect(await bucket.get('none/a')).toBeUndefined();
      expect(await bucket.stat('none/a')).toBeUndefined();
      expect(await bucket.stream('none/a')).toBeUndefined();
      expect(await bucket.stream('none/a', { start: 3 })).toBeUndefined();
      expect(await keys(bucket, 'none/')).toEqual([]);
    });

    it('is not confused by a folder of the same name', async () => {
      await bucket.put('folder/x/y', 'y', 'text/plain');
      expect(await bucket.get('folder/x')).toBeUndefined();
      expect(await bucket.stat('folder/x')).toBeUndefined();
    });

    it('streams files and verifies them', async () => {
      const body = randomBytes(3_000_000);
      const path = join(folder, 'a.wav');
      await writeFile(path, body);
      await bucket.putFile('file/a.wav', path, 'audio/wav', sha256(body));
      expect((await bucket.get('file/a.wav'))?.equals(body)).toBe(true);
    });

    it('refuses a file whose hash is not the expected one, retryably, and leaves no object', async () => {
      const path = join(folder, 'b.wav');
      await writeFile(path, 'not what was recorded');
      const storing = bucket.putFile(
        'file/b.wav',
        path,
        'audio/wav',
        sha256(Buffer.from('what was recorded')),
      );
      await expect(storing).rejects.toMatchObject({ name: 'BucketError', retryable: true });
      expect(await bucket.get('file/b.wav')).toBeUndefined();
      expect(await keys(bucket, 'file/b')).toEqual([]);
    });

    it('keeps the old object when a replacement fails its check', async () => {
      const path = join(folder, 'c.wav');
      await bucket.put('file/c.wav', 'old', 'audio/wav');
      await writeFile(path, 'broken');
      await expect(
        bucket.putFile('file/c.wav', path, 'audio/wav', sha256(Buffer.from('new'))),
      ).rejects.toThrow(BucketError);
      expect((await bucket.get('file/c.wav'))?.toString()).toBe('old');
    });

    it('does not retry a file that does not exist', async () => {
      const storing = bucket.putFile('file/d.wav', join(folder, 'missing.wav'), 'audio/wav', '0'.repeat(64));
      await expect(storing).rejects.toMatchObject({ name: 'BucketError', retryable: false });
      expect(await bucket.stat('file/d.wav')).toBeUndefined();
    });

    it('streams whole objects and ranges', async () => {
      await bucket.put('stream/a', '0123456789', 'text/plain');
      const read = async (range?: { start: number; end?: number }) => {
        const part = await bucket.stream('stream/a', range);
        return part && { ...part, body: (await buffer(part.body)).toString() };
      };
      expect(await read()).toEqual({ body: '0123456789', bytes: 10, total: 10 });
      expect(await read({ start: 3 })).toEqual({ body: '3456789', bytes: 7, total: 10 });
      expect(await read({ start: 3, end: 5 })).toEqual({ body: '345', bytes: 3, total: 10 });
      expect(await read({ start: 8, end: 99 })).toEqual({ body: '89', bytes: 2, total: 10 });
      await expect(bucket.stream('stream/a', { start: 10 })).rejects.toMatchObject({ retryable: false });
      await bucket.put('stream/empty', '', 'text/plain');
      const empty = await bucket.stream('stream/empty');
      expect(empty && (await buffer(empty.body)).length).toBe(0);
    });

    it('lists in key order, by prefix', async () => {
      const stored = ['list/b/1', 'list/a-', 'list/a/2', 'list/a/1', 'list/a0', 'list/é', 'list/b'];
      for (const key of stored.filter((k) => k !== 'list/b')) await bucket.put(key, key, 'text/plain');
      expect(await keys(bucket, 'list/')).toEqual([
        'list/a-',
        'list/a/1',
        'list/a/2',
        'list/a0',
        'list/b/1',
        'list/é',
      ]);
      expect(await keys(bucket, 'list/a/')).toEqual(['list/a/1', 'list/a/2']);
      expect(await keys(bucket, 'list/a')).toEqual(['list/a-', 'list/a/1', 'list/a/2', 'list/a0']);
      expect(await keys(bucket, 'list/b/1')).toEqual(['list/b/1']);
      for await (const object of bucket.list('list/b')) expect(object.bytes).toBe(8);
    });

    it('deletes, twice if need be', async () => {
      await bucket.put('delete/a', 'a', 'text/plain');
      await bucket.delete('delete/a');
      await bucket.delete('delete/a');
      expect(await bucket.get('delete/a')).toBeUndefined();
      expect(await keys(bucket, 'delete/')).toEqual([]);
    });

    it('survives concurrent writers of one key: one of them wins as a whole', async () => {
      const bodies = Array.from({ length: 8 }, (_, n) => Buffer.alloc(50_000, n));
      await Promise.all(bodies.map((body) => bucket.put('race/a', body, 'audio/wav')));
      const winner = await bucket.get('race/a');
      expect(bodies.some((body) => winner?.equals(body))).toBe(true);
    });

    it('gives a store that lost everything its index back', async () => {
      const { calls, recordings, transcriptions } = await putFinished(bucket, 3);
      const clock = new VirtualClock();
      const store = createMemoryCallStore(clock);
      const options = { index: store.index, bucket, clock, logger: silentLogger };
      expect(await restoreIndex(options, new AbortController().signal)).toBe(9);
      expect((await store.list(ACCOUNT, {}, 0, 9)).items).toEqual(calls);
      expect((await store.listRecordings(ACCOUNT, {}, 0, 9)).items).toEqual(recordings);
      expect((await store.listTranscriptions(ACCOUNT, {}, 0, 9)).items).toEqual(transcriptions);
      expect(await restoreIndex(options, new AbortController().signal)).toBe(0);
    });

    it.each([
      '',
      '/a',
      'a/',
      'a//b',
      '../a',
      'a/../b',
      'a/./b',
      '.hidden',
      'a\\b',
      'a\0b',
      'x'.repeat(1_025),
    ])('refuses the key %j', async (key) => {
      await expect(bucket.put(key, 'x', 'text/plain')).rejects.toMatchObject({ retryable: false });
      await expect(bucket.get(key)).rejects.toThrow(BucketError);
      await expect(bucket.delete(key)).rejects.toThrow(BucketError);
    });
  });
}
