import { expect, it } from 'vitest';
import { SystemClock, VirtualClock } from '../../src/core/clock.ts';
import { RandomIds } from '../../src/core/ids.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { createMemoryOrders } from '../../src/queue/memory/orders.ts';
import { createMemoryCallPace } from '../../src/queue/memory/pace.ts';
import { OrderUnanswered } from '../../src/queue/port.ts';
import { createRedisOrderReceiver, createRedisOrderSender } from '../../src/queue/redis/orders.ts';
import { createRedisCallPace } from '../../src/queue/redis/pace.ts';
import { REGIONS } from '../../src/region/region.ts';
import { connectRedis, disconnectRedis } from '../../src/storage/redis/connect.ts';
import { sid } from '../support/call-record.ts';
import { startRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { ordersConformance } from './orders.ts';

ordersConformance('memory', async () => ({
  ...createMemoryOrders(),
  pace: createMemoryCallPace(new VirtualClock(), 4),
  ready: async () => {},
  tearDown: async () => {},
}));

async function openRedis(answerMs?: number) {
  const server = await startRedis();
  const connect = () => connectRedis(server.url, 'test', silentLogger);
  const connections = [connect(), connect(), connect()] as const;
  const [redis, subscriber, other] = connections;
  const shared = { redis, region: REGIONS.ie1, logger: silentLogger };
  const clock = new SystemClock();
  return {
    server,
    sender: createRedisOrderSender({
      ...shared,
      subscriber,
      clock,
      ids: new RandomIds(),
      ...(answerMs !== undefined && { answerMs }),
    }),
    receiver: createRedisOrderReceiver({ ...shared, subscriber: other }),
    pace: createRedisCallPace({ redis, region: REGIONS.ie1, callsPerSecond: 4 }),
    // Subscriptions are commands on their connection: one more command answered there means that they hold.
    ready: async () => {
      await Promise.all([subscriber.subscribe('ready'), other.subscribe('ready')]);
    },
    tearDown: async () => {
      await Promise.all(connections.map(disconnectRedis));
      await server.stop();
    },
  };
}

ordersConformance('a real Redis', () => openRedis());

it('gives an order up that its worker does not answer', async () => {
  const { sender, receiver, ready, tearDown } = await openRedis(100);
  receiver.receive('w1', () => new Promise(() => {}));
  await ready();
  const order = { kind: 'end', callSid: sid('CA', 1), status: 'completed' } as const;
  await expect(sender.send('w1', order)).rejects.toThrow(OrderUnanswered);
  await Promise.all([sender.close(), receiver.close()]);
  await tearDown();
});

it('takes orders again after Redis went away and came back', async () => {
  const { server, sender, receiver, ready, tearDown } = await openRedis();
  receiver.receive('w1', async () => ({ ok: true }));
  await ready();
  await server.kill();
  await server.start();
  const order = { kind: 'end', callSid: sid('CA', 1), status: 'completed' } as const;
  await until('an order is answered', async () => {
    const reply = await sender.send('w1', order).catch(() => undefined);
    return reply?.ok === true;
  });
  await Promise.all([sender.close(), receiver.close()]);
  await tearDown();
});
