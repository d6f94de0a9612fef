import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import { isStoreAway, StoreAway } from '../../../src/core/outage.ts';
import { connectRedis, disconnectRedis } from '../../../src/storage/redis/connect.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

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

it('waits for a Redis that was just lost, refuses at once while it stays away, and goes on when it is back', async () => {
  const own = await startRedis();
  const redis = connectRedis(own.url, 'lost', silentLogger);
  await redis.set('kept', '1');
  await own.kill();
  const refused = await until('a command is refused without being tried', async () => {
    const error: unknown = await redis.get('kept').catch((reason: unknown) => reason);
    expect(isStoreAway(error)).toBe(true);
    return error instanceof StoreAway && error;
  });
  expect(refused.message).toMatch(/^the Redis of lost has been away for \d+ s$/);
  const many = await redis.pipeline().get('kept').get('kept').exec();
  expect(many?.map(([error]) => error instanceof StoreAway)).toEqual([true, true]);
  await expect(redis.multi().get('kept').exec()).rejects.toThrow();
  await own.start();
  await until('it is back', () => redis.status === 'ready');
  expect(await redis.get('kept')).toBe('1');
  await disconnectRedis(redis);
  await own.stop();
});
