import { BucketError } from './ports.ts';

/** What every adapter can store: S3's limit, and no segment that means something to a file system. */
const LONGEST_KEY = 1_024; // bytes, https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html

/** Refuses keys that leave the bucket or that not every adapter can store. */
export function assertKey(key: string): void {
  const bad =
    Buffer.byteLength(key) > LONGEST_KEY ||
    /[\0\\]/.test(key) ||
    key.split('/').some((segment) => segment === '' || segment.startsWith('.'));
  if (bad) {
    throw new BucketError(
      `${JSON.stringify(key.slice(0, 200))} is not an object key: expected segments joined by single "/", none of them empty or beginning with "."`,
      false,
    );
  }
}
