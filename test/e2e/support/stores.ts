import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { bucketFiles } from '../../support/bucket-files.ts';
import type { RegionalWorld } from './regional-world.ts';

/** The stores of an installation that hold a text, in a name or in what lies there. */
export async function storesWith(
  { redis, trunkline }: Pick<RegionalWorld, 'redis' | 'trunkline'>,
  text: string,
): Promise<string[]> {
  const inRedis = await Promise.all(
    Object.entries(redis).map(async ([name, { url }]) =>
      (await contents(url)).includes(text) ? [`${name} redis`] : [],
    ),
  );
  const inBuckets = (['us1', 'ie1'] as const).flatMap((region) => {
    const found = bucketFiles(trunkline.home, region).some(
      (path) => path.includes(text) || readFileSync(path).includes(text),
    );
    return found ? [`${region} bucket`] : [];
  });
  return [...inRedis.flat(), ...inBuckets].sort();
}

/** Every key and value of a Redis as one text. */
async function contents(url: string): Promise<string> {
  const redis = new Redis(url);
  try {
    const keys: string[] = await redis.keys('*');
    const values = await Promise.all(keys.map((key) => readValue(redis, key)));
    return JSON.stringify([keys, values]);
  } finally {
    redis.disconnect();
  }
}

async function readValue(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, '0', '-1');
    case 'stream':
      return redis.xrange(key, '-', '+');
    default:
      return null; // it expired meanwhile
  }
}
