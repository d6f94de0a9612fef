import type { Redis } from 'ioredis';
import type { CallOrder, OrderReply } from '../../call/orders.ts';
import type { Clock } from '../../core/clock.ts';
import type { Ids } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { Region } from '../../region/region.ts';
import { type OrderReceiver, type OrderSender, OrderUnanswered } from '../port.ts';

/** Our choice: long enough for a worker that fetches a document at that moment, short enough for a REST client. */
const ANSWER_MS = 5_000;

interface Envelope {
  readonly id: string;
  /** The channel on which the answer is awaited. */
  readonly answerTo: string;
  readonly order: CallOrder;
}

interface Answer {
  readonly id: string;
  readonly reply: OrderReply;
}

export interface OrderConnections {
  readonly region: Region;
  /** The Region's Redis; its owner opens and closes both connections. */
  readonly redis: Redis;
  /** Listens only, and renews no subscription by itself. */
  readonly subscriber: Redis;
  readonly logger: Logger;
}

const ordersTo = (region: Region, worker: string) => `${region.keyPrefix}orders:${worker}`;

/**
 * Orders by publish and subscribe: an order to a worker that does not listen is refused at once instead of waiting
 * for a process that may never come back.
 */
export function createRedisOrderSender(
  options: OrderConnections & { readonly clock: Clock; readonly ids: Ids; readonly answerMs?: number },
): OrderSender {
  const { region, redis, subscriber, clock, ids, logger, answerMs = ANSWER_MS } = options;
  const answerTo = `${region.keyPrefix}order-answers:${ids.token(8)}`;
  const waiting = new Map<string, (reply: OrderReply) => void>();
  const stop = subscribe(subscriber, answerTo, logger, (text) => {
    const { id, reply }: Answer = JSON.parse(text);
    waiting.get(id)?.(reply);
  });

  return {
    async send(worker, order) {
      const id = ids.token(8);
      let give: (reply: OrderReply) => void = () => {};
      const answer = new Promise<OrderReply | undefined>((resolve) => {
        give = resolve;
        waiting.set(id, resolve);
      });
      const patience = clock.after(answerMs, () => give(timedOut));
      try {
        const envelope: Envelope = { id, answerTo, order };
        const listeners = await redis.publish(ordersTo(region, worker), JSON.stringify(envelope));
        if (listeners === 0) throw new OrderUnanswered(`worker ${worker} takes no orders: it is gone`);
        const reply = await answer;
        if (reply === timedOut || !reply) {
          throw new OrderUnanswered(`worker ${worker} did not answer within ${answerMs} ms`);
        }
        return reply;
      } finally {
        patience.cancel();
        waiting.delete(id);
      }
    },
    close: stop,
  };
}

const timedOut: OrderReply = { ok: false, reason: 'gone', message: 'no answer in time' };

export function createRedisOrderReceiver({
  region,
  redis,
  subscriber,
  logger,
}: OrderConnections): OrderReceiver {
  const stops: (() => Promise<void>)[] = [];
  const carryOut = async (
    { id, answerTo, order }: Envelope,
    handler: (order: CallOrder) => Promise<OrderReply>,
  ) => {
    const reply = await handler(order).catch((error: unknown): OrderReply => {
      const message = error instanceof Error ? error.message : String(error);
      logger.error(
        { CallSid: order.callSid, order: order.kind, err: error },
        'an order could not be carried out',
      );
      return { ok: false, reason: 'wrong-state', message };
    });
    const answer: Answer = { id, reply };
    await redis.publish(answerTo, JSON.stringify(answer));
  };

  return {
    receive(worker, handler) {
      const stop = subscribe(subscriber, ordersTo(region, worker), logger, (text) => {
        const envelope: Envelope = JSON.parse(text);
        carryOut(envelope, handler).catch((error: unknown) => {
          logger.warn({ CallSid: envelope.order.callSid, err: error }, 'an order could not be answered');
        });
      });
      stops.push(stop);
    },
    async close() {
      await Promise.all(stops.splice(0).map((stop) => stop()));
    },
  };
}

/** Hears a channel for as long as the connection's owner keeps it, across reconnects; returns what ends it. */
function subscribe(
  subscriber: Redis,
  channel: string,
  logger: Logger,
  onMessage: (text: string) => void,
): () => Promise<void> {
  const heard = (from: string, text: string) => {
    if (from !== channel) return;
    try {
      onMessage(text);
    } catch (error) {
      logger.error({ channel, err: error }, 'a message on a channel of orders could not be read');
    }
  };
  // A failure is followed by another `ready`.
  const connected = () => void subscriber.subscribe(channel).catch(() => {});
  subscriber.on('message', heard);
  subscriber.on('ready', connected);
  if (subscriber.status === 'ready') connected();
  return async () => {
    subscriber.off('message', heard);
    subscriber.off('ready', connected);
    if (subscriber.status === 'ready') await subscriber.unsubscribe(channel).catch(() => {});
  };
}
