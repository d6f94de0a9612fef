import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFilesystemBucket } from '../../../src/storage/filesystem/bucket.ts';
import { createS3Bucket } from '../../../src/storage/s3/bucket.ts';
import { freePort } from '../../support/free-port.ts';
import { notRun } from '../../support/peers.ts';

describe('the filesystem bucket', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'trunkline-buckets-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('lays objects out by their key and leaves no temporary file behind', async () => {
    const bucket = createFilesystemBucket({ root, name: 'trunkline-ie1' });
    await bucket.put('accounts/AC1/calls/2026/11/03/CA1.json', '{}', 'application/json');
    await expect(bucket.putFile('a.wav', join(root, 'missing'), 'audio/wav', '')).rejects.toThrow();
    const files = await readdir(join(root, 'trunkline-ie1'), { recursive: true, withFileTypes: true });
    expect(files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name))).toEqual([
      join(root, 'trunkline-ie1/accounts/AC1/calls/2026/11/03/CA1.json'),
    ]);
  });

  if (existsSync('/dev/full')) {
    it('says that a full disk may have room later', async () => {
      const incoming = join(root, 'full/.incoming');
      await mkdir(incoming, { recursive: true });
      // Whatever temporary file is opened next leads to a device without room.
      for (let n = 0; n < 50; n++) await symlink('/dev/full', join(incoming, `${process.pid}-${n}`));
      const bucket = createFilesystemBucket({ root, name: 'full' });
      await expect(bucket.put('a', 'a', 'text/plain')).rejects.toMatchObject({
        retryable: true,
        message: expect.stringContaining('ENOSPC'),
      });
      expect(await bucket.get('a')).toBeUndefined();
    });
  } else notRun('a full disk', 'this system has no /dev/full');

  it.each(['../elsewhere', '', '/tmp'])('refuses the name %j', (name) => {
    expect(() => createFilesystemBucket({ root, name })).toThrow(/not an object key/);
  });
});

describe('the S3 bucket', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.close();
    server?.closeAllConnections();
    server = undefined;
  });
  const bucketAt = (port: number) =>
    createS3Bucket({
      endpoint: `http://127.0.0.1:${port}`,
      accessKeyId: 'k',
      secretAccessKey: 's',
      region: 'us-east-1',
      bucket: 'trunkline-ie1',
    });
  const answering = (status: number, code: string) =>
    new Promise<number>((resolve) => {
      server = createServer((request, response) => {
        request.resume();
        request.on('end', () => {
          response.writeHead(status, { 'content-type': 'application/xml' });
          response.end(`<Error><Code>${code}</Code><Message>said the server</Message></Error>`);
        });
      }).listen(0, '127.0.0.1', () => {
        const address = server?.address();
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });

  it.each([
    [503, 'SlowDown', true],
    [500, 'InternalError', true],
    [403, 'AccessDenied', false],
    [404, 'NoSuchBucket', false],
  ])(
    'names the endpoint, the bucket and the reason: %d %s, retryable %s',
    async (status, code, retryable) => {
      const port = await answering(status, code);
      const bucket = bucketAt(port);
      await expect(bucket.get('a')).rejects.toMatchObject({
        name: 'BucketError',
        retryable,
        message: expect.stringMatching(
          new RegExp(`trunkline-ie1 at http://127.0.0.1:${port} cannot get a: ${code}.*${status}`),
        ),
      });
      await bucket.close();
    },
  );

  it('says that a server that is away may be back later', async () => {
    const bucket = bucketAt(await freePort());
    await expect(bucket.put('a', 'a', 'text/plain')).rejects.toMatchObject({ retryable: true });
    await bucket.close();
  });
});
