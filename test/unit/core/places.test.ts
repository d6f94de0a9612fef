import { describe, expect, it } from 'vitest';
import { Places } from '../../../src/core/places.ts';

const never = new AbortController().signal;

/** Lets everything that can go on go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('places', () => {
  it('are taken in turn, no more at once than there are', async () => {
    const places = new Places(2);
    const order: number[] = [];
    const take = async (name: number) => {
      const place = await places.take(never);
      order.push(name);
      return place;
    };
    const taken = [1, 2, 3, 4].map(take);
    await settle();
    expect(order).toEqual([1, 2]);
    const first = await taken[0];
    first?.[Symbol.dispose]();
    first?.[Symbol.dispose](); // gives back once
    await settle();
    expect(order).toEqual([1, 2, 3]);
  });

  it('are not lost to who gave up waiting', async () => {
    const places = new Places(1);
    const first = await places.take(never);
    const impatient = new AbortController();
    const given = places.take(impatient.signal);
    const last = places.take(never);
    impatient.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    first[Symbol.dispose]();
    (await last)[Symbol.dispose]();
    (await places.take(never))[Symbol.dispose]();
  });

  it('are not lost to who gives up in the moment of its turn', async () => {
    const places = new Places(1);
    const first = await places.take(never);
    const impatient = new AbortController();
    const given = places.take(impatient.signal);
    first[Symbol.dispose]();
    impatient.abort(new Error('enough'));
    await given.then((place) => place[Symbol.dispose]()).catch(() => {});
    (await places.take(never))[Symbol.dispose]();
  });
});
