import type { OrderedDocument } from '../call/orders.ts';
import type { Clock } from '../core/clock.ts';
import type { Scenario } from './scenario.ts';

type Order = Scenario['orders'][number];

/** A call as the API commands it. */
interface OrderedCall {
  redirect(document: OrderedDocument): void;
  /** Ends it whatever its state. */
  end(): void;
}

/** Has the API order what a scenario says, counted from now. */
export function scheduleOrders(orders: readonly Order[], call: OrderedCall, clock: Clock): void {
  for (const order of orders) {
    clock.after(order.at, () => {
      if ('status' in order) call.end();
      else call.redirect(documentOf(order));
    });
  }
}

function documentOf(order: Exclude<Order, { status: unknown }>): OrderedDocument {
  if ('twiml' in order) return { kind: 'twiml', twiml: order.twiml };
  const { url, method } = order;
  return { kind: 'url', url, method, fallbackUrl: '', fallbackMethod: 'POST' };
}
