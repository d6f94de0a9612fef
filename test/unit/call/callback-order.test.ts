import { describe, expect, it } from 'vitest';
import { CallbackOrder } from '../../../src/call/callback-order.ts';
import { VirtualClock } from '../../../src/core/clock.ts';

/** Deliveries that the test ends, in the order in which they began. */
function deliveries() {
  const clock = new VirtualClock();
  const order = new CallbackOrder(clock);
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const deliver = (call: string, id: string, last = false) =>
    order.deliver(call, id, last, () => {
      begun.push(`${call} ${id}`);
      return new Promise((resolve, reject) => {
        ends.set(`${call} ${id}`, (error) => (error ? reject(error) : resolve()));
      });
    });
  return { clock, order, begun, deliver, end: (key: string, error?: Error) => ends.get(key)?.(error) };
}

describe('the callbacks of one call', () => {
  it('are delivered one after the other, those of others meanwhile', async () => {
    const { clock, order, begun, deliver, end } = deliveries();
    const all = ['0', '1', '2'].map((id) => deliver('A', id));
    const other = deliver('B', '0');
    await clock.advance(60_000);
    expect(begun).toEqual(['A 0', 'B 0']);
    end('A 0');
    await clock.advance(0);
    expect(begun).toEqual(['A 0', 'B 0', 'A 1']);
    end('A 1');
    await clock.advance(0);
    end('A 2');
    end('B 0');
    await Promise.all([...all, other]);
    await clock.advance(0);
    expect(begun.at(-1)).toBe('A 2');
    expect(order.size).toBe(0);
  });

  it('wait for one that is tried again', async () => {
    const { clock, begun, deliver, end } = deliveries();
    const first = deliver('A', '0');
    const second = deliver('A', '1');
    await clock.advance(0);
    end('A 0', new Error('refused'));
    await expect(first).rejects.toThrow('refused');
    await clock.advance(2_000);
    expect(begun).toEqual(['A 0']);
    const again = deliver('A', '0');
    await clock.advance(20_000);
    expect(begun).toEqual(['A 0', 'A 0']);
    end('A 0');
    await again;
    await clock.advance(0);
    expect(begun).toEqual(['A 0', 'A 0', 'A 1']);
    end('A 1');
    await second;
  });

  it('do not wait for ever for one that is not delivered', async () => {
    const { clock, order, begun, deliver, end } = deliveries();
    const first = deliver('A', '0');
    const second = deliver('A', '1');
    await clock.advance(0);
    end('A 0', new Error('refused'));
    await expect(first).rejects.toThrow('refused');
    await clock.advance(29_000);
    expect(begun).toEqual(['A 0']);
    await clock.advance(1_000);
    expect(begun).toEqual(['A 0', 'A 1']);
    end('A 1');
    await second;
    await clock.advance(0);
    expect(order.size).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('go on at once after one that is given up', async () => {
    const { clock, begun, deliver, end } = deliveries();
    const first = deliver('A', '0', true);
    const second = deliver('A', '1');
    await clock.advance(0);
    end('A 0', new Error('refused'));
    await expect(first).rejects.toThrow('refused');
    await clock.advance(0);
    expect(begun).toEqual(['A 0', 'A 1']);
    end('A 1');
    await second;
  });
});
