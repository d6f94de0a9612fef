import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFilesystemBucket } from '../../src/storage/filesystem/bucket.ts';
import { createMemoryBucket } from '../../src/storage/memory/bucket.ts';
import type { Bucket } from '../../src/storage/ports.ts';
import { createS3Bucket } from '../../src/storage/s3/bucket.ts';
import { notRun } from '../support/peers.ts';
import { rgwMissing, startRgw } from '../support/rgw.ts';
import { bucketConformance } from './bucket.ts';

bucketConformance('memory', async () => ({ bucket: createMemoryBucket(), tearDown: async () => {} }));

bucketConformance('filesystem', async () => {
  const root = await mkdtemp(join(tmpdir(), 'trunkline-buckets-'));
  return {
    bucket: createFilesystemBucket({ root, name: 'trunkline-ie1' }),
    tearDown: () => rm(root, { recursive: true, force: true }),
  };
});

const missing = rgwMissing();
if (missing) notRun('Bucket: S3 on Ceph RGW', missing);
else {
  bucketConformance('S3 on Ceph RGW', async () => {
    const server = await startRgw();
    const { endpoint, accessKeyId, secretAccessKey } = server;
    const bucket = createS3Bucket({
      endpoint,
      accessKeyId,
      secretAccessKey,
      region: 'us-east-1',
      bucket: 'trunkline-ie1',
    });
    return { bucket, tearDown: () => server.stop() };
  });
}

const endpoint = process.env['TEST_S3_ENDPOINT'];
if (!endpoint) notRun('Bucket: S3 on MinIO or AWS', 'TEST_S3_ENDPOINT is not set');
else {
  bucketConformance(`S3 at ${endpoint}`, async () => {
    const bucket = createS3Bucket({
      endpoint,
      accessKeyId: process.env['TEST_S3_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: process.env['TEST_S3_SECRET_ACCESS_KEY'] ?? '',
      region: process.env['TEST_S3_REGION'] ?? 'us-east-1',
      bucket: process.env['TEST_S3_BUCKET'] ?? 'trunkline-conformance',
    });
    await bucket.ensure();
    await empty(bucket);
    return { bucket, tearDown: async () => {} };
  });
}

/** Removes what an earlier run left in a bucket that is kept. */
async function empty(bucket: Bucket): Promise<void> {
  for await (const { key } of bucket.list('')) await bucket.delete(key);
}
