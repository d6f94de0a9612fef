import type { CallOrder, OrderReply } from '../../call/orders.ts';
import { type OrderReceiver, type OrderSender, OrderUnanswered } from '../port.ts';

/** Orders within one process: tests. */
export function createMemoryOrders(): { readonly sender: OrderSender; readonly receiver: OrderReceiver } {
  const handlers = new Map<string, (order: CallOrder) => Promise<OrderReply>>();
  return {
    sender: {
      async send(worker, order) {
        const handler = handlers.get(worker);
        if (!handler) throw new OrderUnanswered(`worker ${worker} takes no orders: it is gone`);
        return await handler(order).catch((error: unknown): OrderReply => {
          const message = error instanceof Error ? error.message : String(error);
          return { ok: false, reason: 'wrong-state', message };
        });
      },
      async close() {},
    },
    receiver: {
      receive(worker, handler) {
        handlers.set(worker, handler);
      },
      async close() {
        handlers.clear();
      },
    },
  };
}
