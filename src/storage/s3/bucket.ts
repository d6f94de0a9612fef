import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat as statFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { assertKey } from '../object-key.ts';
import { type Bucket, BucketError, type ObjectInfo } from '../ports.ts';
import { S3Failure } from './failure.ts';

type Sdk = typeof import('@aws-sdk/client-s3');

export interface S3BucketOptions {
  /** `http://…` or `https://…`; the bucket is addressed by path. */
  readonly endpoint: string;
  /** The S3 region that requests are signed for, not a Region of ours. */
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly bucket: string;
}

/** Our choice: an object store that does not even connect, or goes silent, is retried by the queue. */
const TIMEOUTS = { connectionTimeout: 5_000, requestTimeout: 30_000, throwOnRequestTimeout: true } as const;

/** The SDK would write to the console what our errors say anyway. */
const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/**
 * A bucket of an S3-compatible store. The SDK is loaded on first use, so that processes that carry audio and
 * merely hold the port never pay for it.
 */
export function createS3Bucket(options: S3BucketOptions): Bucket {
  return new S3Bucket(options);
}

class S3Bucket implements Bucket {
  readonly name: string;
  readonly #options: S3BucketOptions;
  #loading: Promise<{ readonly sdk: Sdk; readonly client: S3Client }> | undefined;

  constructor(options: S3BucketOptions) {
    this.name = options.bucket;
    this.#options = options;
  }

  ensure(): Promise<void> {
    return this.#attempt('create the bucket', async ({ sdk, client }) => {
      try {
        await client.send(new sdk.HeadBucketCommand({ Bucket: this.name }));
      } catch (error) {
        if (!new S3Failure(error).missing) throw error;
        await client.send(new sdk.CreateBucketCommand({ Bucket: this.name })).catch((created: unknown) => {
          if (!new S3Failure(created).alreadyOurs) throw created; // another process was faster
        });
      }
    });
  }

  async put(key: string, body: Buffer | string, contentType: string): Promise<void> {
    assertKey(key);
    const bytes = Buffer.from(body);
    await this.#attempt(`put ${key}`, async ({ sdk, client }) => {
      await client.send(
        new sdk.PutObjectCommand({
          Bucket: this.name,
          Key: key,
          Body: bytes,
          ContentLength: bytes.length,
          ContentType: contentType,
        }),
      );
    });
  }

  async putFile(key: string, path: string, contentType: string, sha256: string): Promise<void> {
    assertKey(key);
    await this.#attempt(`put ${key} from ${path}`, async ({ sdk, client }) => {
      const { size } = await statFile(path);
      const sent = createHash('sha256');
      const body = Readable.from(hashing(createReadStream(path), sent));
      const command = new sdk.PutObjectCommand({
        Bucket: this.name,
        Key: key,
        Body: body,
        ContentLength: size,
        ContentType: contentType,
      });
      // Signed with the expected hash instead of UNSIGNED-PAYLOAD: the server itself refuses anything else.
      // https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
      command.middlewareStack.add(
        (next) => (args) => {
          const { request } = args;
          if (isRequest(request)) request.headers['x-amz-content-sha256'] = sha256;
          return next(args);
        },
        { step: 'build', name: 'expectedSha256' },
      );
      try {
        await client.send(command);
      } finally {
        body.destroy();
      }
      const actual = sent.digest('hex');
      if (actual === sha256) return;
      // A server that does not verify the payload has stored something else.
      await client.send(new sdk.DeleteObjectCommand({ Bucket: this.name, Key: key }));
      throw new BucketError(`${path} has SHA-256 ${actual}, expected ${sha256}`, true);
    });
  }

  async get(key: string): Promise<Buffer | undefined> {
    assertKey(key);
    return this.#find(`get ${key}`, async ({ sdk, client }) => {
      const { Body } = await client.send(new sdk.GetObjectCommand({ Bucket: this.name, Key: key }));
      return Body && Buffer.from(await Body.transformToByteArray());
    });
  }

  async stream(key: string, range?: { start: number; end?: number }) {
    assertKey(key);
    return this.#find(`get ${key}`, async ({ sdk, client }) => {
      const Range = range && `bytes=${range.start}-${range.end ?? ''}`;
      const { Body, ContentLength, ContentRange } = await client.send(
        new sdk.GetObjectCommand({ Bucket: this.name, Key: key, ...(Range && { Range }) }),
      );
      if (!(Body instanceof Readable)) return undefined;
      const bytes = ContentLength ?? 0;
      const total = Number(ContentRange?.split('/')[1] ?? bytes); // `bytes 0-99/1234`, RFC 9110 §14.4
      return { body: Body, bytes, total };
    });
  }

  async stat(key: string): Promise<ObjectInfo | undefined> {
    assertKey(key);
    return this.#find(`look at ${key}`, async ({ sdk, client }) => {
      const head = await client.send(new sdk.HeadObjectCommand({ Bucket: this.name, Key: key }));
      return { key, bytes: head.ContentLength ?? 0 };
    });
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    for (let token: string | undefined; ; ) {
      const page = await this.#attempt(`list ${prefix}`, ({ sdk, client }) =>
        client.send(
          new sdk.ListObjectsV2Command({
            Bucket: this.name,
            Prefix: prefix,
            ...(token && { ContinuationToken: token }),
          }),
        ),
      );
      for (const { Key, Size } of page.Contents ?? []) if (Key) yield { key: Key, bytes: Size ?? 0 };
      token = page.NextContinuationToken;
      if (!page.IsTruncated || !token) return;
    }
  }

  async delete(key: string): Promise<void> {
    assertKey(key);
    await this.#attempt(`delete ${key}`, async ({ sdk, client }) => {
      await client.send(new sdk.DeleteObjectCommand({ Bucket: this.name, Key: key }));
    });
  }

  async close(): Promise<void> {
    (await this.#loading)?.client.destroy();
  }

  /** As `#attempt`, but an object that does not exist is undefined. */
  #find<T>(what: string, work: (s3: { sdk: Sdk; client: S3Client }) => Promise<T>): Promise<T | undefined> {
    return this.#attempt(what, async (s3) => {
      try {
        return await work(s3);
      } catch (error) {
        if (new S3Failure(error).noSuchObject) return undefined;
        throw error;
      }
    });
  }

  async #attempt<T>(what: string, work: (s3: { sdk: Sdk; client: S3Client }) => Promise<T>): Promise<T> {
    try {
      this.#loading ??= this.#connect();
      return await work(await this.#loading);
    } catch (error) {
      if (error instanceof BucketError) throw error;
      const failure = new S3Failure(error);
      throw new BucketError(
        `bucket ${this.name} at ${this.#options.endpoint} cannot ${what}: ${failure.description}`,
        failure.retryable,
        { cause: error },
      );
    }
  }

  async #connect(): Promise<{ sdk: Sdk; client: S3Client }> {
    const sdk = await import('@aws-sdk/client-s3');
    const { endpoint, region, accessKeyId, secretAccessKey } = this.#options;
    const client = new sdk.S3Client({
      endpoint,
      region,
      credentials: { accessKeyId, secretAccessKey },
      forcePathStyle: true,
      // Stores other than AWS's refuse the newer default checksums.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: TIMEOUTS,
      logger: SILENT,
    });
    return { sdk, client };
  }
}

async function* hashing(parts: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const part of parts) {
    hash.update(part);
    yield part;
  }
}

function isRequest(value: unknown): value is { headers: Record<string, string> } {
  return typeof value === 'object' && value !== null && 'headers' in value;
}
