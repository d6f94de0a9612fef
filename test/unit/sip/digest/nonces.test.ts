import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../../src/core/clock.ts';
import { CountingIds, RandomIds } from '../../../../src/core/ids.ts';
import { Nonces } from '../../../../src/sip/digest/nonces.ts';

const LIFETIME_MS = 10_000;

function world(remembered = 100) {
  const clock = new VirtualClock();
  const ids = new CountingIds();
  return { clock, ids, nonces: new Nonces({ clock, ids, lifetimeMs: LIFETIME_MS, remembered }) };
}

describe('a nonce', () => {
  it('is good for whom it was made, until it is too old', () => {
    const { clock, nonces } = world();
    const nonce = nonces.make('ann');
    expect(nonces.isFresh(nonce, 'ann')).toBe(true);
    expect(nonces.isFresh(nonce, 'bob')).toBe(false);
    clock.tick(LIFETIME_MS);
    expect(nonces.isFresh(nonce, 'ann')).toBe(true);
    clock.tick(1);
    expect(nonces.isFresh(nonce, 'ann')).toBe(false);
  });

  it('cannot be made up, changed, or brought from another process', () => {
    const { clock, nonces } = world();
    const nonce = nonces.make('ann');
    const other = new Nonces({ clock, ids: new RandomIds() }).make('ann');
    const younger = `f${nonce.slice(1)}`;
    const cut = nonce.slice(0, -1);
    for (const foreign of ['', 'abc', cut, `${nonce}0`, younger, other, 'é'.repeat(nonce.length)]) {
      expect(nonces.isFresh(foreign, 'ann'), foreign).toBe(false);
    }
  });

  it('is the same for a request and its repetitions, until it is used or half a minute has passed', () => {
    const { clock, nonces } = world();
    const nonce = nonces.make('ann', 'INVITE one');
    clock.tick(LIFETIME_MS);
    expect(nonces.make('ann', 'INVITE one')).toBe(nonce);
    const others = [nonces.make('ann', 'INVITE two'), nonces.make('bob', 'INVITE one'), nonces.make('ann')];
    expect(new Set([nonce, ...others]).size).toBe(4);
    expect(nonces.use(nonce, 1)).toBe(true);
    const next = nonces.make('ann', 'INVITE one');
    expect(next).not.toBe(nonce);
    expect([nonces.isFresh(next, 'ann'), nonces.isFresh(next, 'bob')]).toEqual([true, false]);
    const early = nonces.make('ann', 'INVITE three');
    clock.tick(32_000);
    expect(nonces.make('ann', 'INVITE three')).not.toBe(early);
    expect(nonces.isFresh(nonces.make('ann', 'INVITE three'), 'ann')).toBe(true);
  });

  it('leaves nothing behind until it is used', () => {
    const { nonces } = world();
    for (let n = 0; n < 1_000; n++) nonces.isFresh(nonces.make('ann'), 'ann');
    expect(nonces.size).toBe(0);
  });

  it('is good once for each count, in whatever order they come', () => {
    const { nonces } = world();
    const nonce = nonces.make('ann');
    expect([1, 3, 2, 2, 3, 1].map((count) => nonces.use(nonce, count))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(nonces.use(nonce, 100)).toBe(true);
    expect(nonces.use(nonce, 69)).toBe(true); // 31 behind
    expect(nonces.use(nonce, 68)).toBe(false); // too far behind to be told from a replay
    expect(nonces.use(nonce, 0xffff_ffff)).toBe(true);
    expect(nonces.use(nonce, 0xffff_ffff)).toBe(false);
  });

  it('is good once for who does not count, and then for nobody', () => {
    const { nonces } = world();
    const nonce = nonces.make('ann');
    expect(nonces.use(nonce, undefined)).toBe(true);
    expect(nonces.use(nonce, undefined)).toBe(false);
    expect(nonces.use(nonce, 7)).toBe(false);
    const counted = nonces.make('ann');
    expect(nonces.use(counted, 1)).toBe(true);
    expect(nonces.use(counted, undefined)).toBe(false);
    expect(nonces.use(nonces.make('ann'), 0)).toBe(false); // counting begins with 1
  });

  it('that was used and had to be forgotten is fresh no more', () => {
    const { clock, nonces } = world(2);
    const first = nonces.make('ann');
    const unused = nonces.make('ann');
    clock.tick(1);
    const [second, third] = [nonces.make('ann'), nonces.make('ann')];
    for (const nonce of [first, second, third]) expect(nonces.use(nonce, 1)).toBe(true);
    expect(nonces.size).toBe(2);
    expect(nonces.isFresh(first, 'ann')).toBe(false);
    expect(nonces.isFresh(unused, 'ann')).toBe(false); // who knows
    expect(nonces.isFresh(second, 'ann')).toBe(true);
    expect(nonces.use(second, 1)).toBe(false);
  });

  it('is forgotten when it is too old', () => {
    const { clock, nonces } = world();
    nonces.use(nonces.make('ann'), 1);
    clock.tick(LIFETIME_MS + 1);
    nonces.use(nonces.make('ann'), 1);
    expect(nonces.size).toBe(1);
  });
});
