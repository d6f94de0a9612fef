import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import { connectRedis, disconnectRedis } from '../../../src/storage/redis/connect.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

let server: TestRedis;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const open = () => connectRedis(server.url, 'test', silentLogger);

it('runs the commands of one turn in the order in which they were given, transactions among them', async () => {
  const redis = open();
  const answers = await Promise.all([
    redis.set('order', '1'),
    redis.get('order'),
    redis.multi().incr('order').incr('order').exec(),
    redis.get('order'),
    redis.pipeline().incr('order').get('order').exec(),
    redis.eval("return redis.call('INCR', KEYS[1])", 1, 'order'),
  ]);
  const [, first, transaction, second, pipeline, last] = answers;
  expect([first, second, last]).toEqual(['1', '3', 5]);
  expect(transaction).toEqual([
    [null, 2],
    [null, 3],
  ]);
  expect(pipeline).toEqual([
    [null, 4],
    [null, '4'],
  ]);
  await disconnectRedis(redis);
});

it('answers the commands of the turn in which the connection breaks once it is back', async () => {
  const redis = open();
  await redis.ping();
  const before = Array.from({ length: 20 }, () => redis.incr('broken'));
  redis.stream.destroy();
  const after = Array.from({ length: 20 }, () => redis.incr('broken'));
  const counts = await Promise.all([...before, ...after]);
  expect(counts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
  await disconnectRedis(redis);
});

it('lets what was sent in the same turn go out before it says goodbye', async () => {
  const redis = open();
  await redis.ping();
  const counting = Array.from({ length: 20 }, () => redis.incr('goodbye'));
  await disconnectRedis(redis);
  expect(await Promise.all(counting)).toHaveLength(20);
});
