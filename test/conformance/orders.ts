import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallOrder, OrderReply } from '../../src/call/orders.ts';
import {
  type CallPace,
  type OrderReceiver,
  type OrderSender,
  OrderUnanswered,
} from '../../src/queue/port.ts';
import { ACCOUNT, sid } from '../support/call-record.ts';

interface Backend {
  readonly sender: OrderSender;
  readonly receiver: OrderReceiver;
  /** Four calls a second. */
  readonly pace: CallPace;
  /** Resolves when what was received and sent before can be relied on. */
  ready(): Promise<void>;
  tearDown(): Promise<void>;
}

const order = (n: number): CallOrder => ({ kind: 'end', callSid: sid('CA', n), status: 'completed' });

/** What every pair of OrderSender and OrderReceiver, and every CallPace, does. */
export function ordersConformance(name: string, setUp: () => Promise<Backend>): void {
  describe(`orders: ${name}`, () => {
    let backend: Backend;
    beforeEach(async () => {
      backend = await setUp();
    });
    afterEach(async () => {
      await Promise.all([backend.sender.close(), backend.receiver.close()]);
      await backend.tearDown();
    });

    it('carries orders to the worker they are for, and each answer to whoever asked', async () => {
      const seen: [string, CallOrder][] = [];
      const answers = new Map<string, (reply: OrderReply) => void>();
      for (const worker of ['w1', 'w2']) {
        backend.receiver.receive(worker, (taken) => {
          seen.push([worker, taken]);
          return new Promise((resolve) => answers.set(taken.callSid, resolve));
        });
      }
      await backend.ready();
      const sent = [backend.sender.send('w1', order(1)), backend.sender.send('w2', order(2))];
      await expect.poll(() => answers.size).toBe(2);
      answers.get(sid('CA', 2))?.({ ok: true, recordingSid: sid('RE', 2) });
      answers.get(sid('CA', 1))?.({ ok: false, reason: 'gone', message: 'over' });
      expect(await Promise.all(sent)).toEqual([
        { ok: false, reason: 'gone', message: 'over' },
        { ok: true, recordingSid: sid('RE', 2) },
      ]);
      expect(seen).toEqual([
        ['w1', order(1)],
        ['w2', order(2)],
      ]);
    });

    it('answers wrong-state for a handler that fails', async () => {
      backend.receiver.receive('w1', () => Promise.reject(new Error('not now')));
      await backend.ready();
      const reply = await backend.sender.send('w1', order(1));
      expect(reply).toEqual({ ok: false, reason: 'wrong-state', message: 'not now' });
    });

    it('says so when nobody listens', async () => {
      await backend.ready();
      await expect(backend.sender.send('w9', order(1))).rejects.toBeInstanceOf(OrderUnanswered);
    });

    it('gives each call of an account its moment, and accounts their own', async () => {
      const begun = performance.now();
      for (let call = 0; call < 4; call++) {
        const wait = await backend.pace.next(ACCOUNT);
        expect(wait).toBeLessThanOrEqual(call * 250);
        expect(wait + performance.now() - begun).toBeGreaterThan(call * 250 - 2); // two clocks in whole ms
      }
      expect(await backend.pace.next(`AC${'d'.repeat(32)}`)).toBe(0);
    });
  });
}
