import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Binding, Registrations } from '../../src/config/registrations.ts';
import { VirtualClock } from '../../src/core/clock.ts';

const ONE = `AC${'1'.repeat(32)}`;
const TWO = `AC${'2'.repeat(32)}`;
const HOUR = 3_600_000;

export interface RegistrationStores {
  registrations: Registrations;
  elsewhere: Registrations;
  /** Milliseconds until the store forgets each of its keys by itself; -1: never. Undefined: it has no such keys. */
  lifetimes?(): Promise<readonly number[]>;
  tearDown(): Promise<void>;
}

/** What `Registrations` do, wherever they are kept. The clock starts at the machine's time. */
export function registrationsConformance(
  name: string,
  setUp: (clock: VirtualClock) => Promise<RegistrationStores>,
): void {
  describe(`Registrations: ${name}`, () => {
    let clock: VirtualClock;
    let backend: RegistrationStores;
    beforeEach(async () => {
      clock = new VirtualClock(Date.UTC(2026, 0, 15, 12));
      backend = await setUp(clock);
    });
    afterEach(async () => {
      await backend.registrations.close();
      await backend.elsewhere.close();
      await backend.tearDown();
    });

    const binding = (n: number, fields: Partial<Binding> = {}): Binding => ({
      id: `RB${String(n).padStart(32, '0')}`,
      accountSid: ONE,
      domainSid: 'SD1',
      aor: 'alice@acme',
      username: 'alice',
      contact: `sip:alice@192.0.2.${n}:5060`,
      identity: `alice@192.0.2.${n}:5060`,
      callId: `call-${n}`,
      cseq: 1,
      path: ['<sip:edge.example.com;lr>'],
      flow: { edge: 'dublin', process: 'edge-1', transport: 'tcp', address: `192.0.2.${n}`, port: 4000 + n },
      userAgent: n % 2 === 0 ? null : 'Ünit 1.0',
      createdAt: clock.now() + n,
      updatedAt: clock.now() + n,
      expiresAt: clock.now() + HOUR,
      ...fields,
    });
    const add = (one: Binding) => backend.registrations.change(one.aor, (before) => [...before, one]);

    it('knows nothing of an address that nobody registered', async () => {
      const { registrations } = backend;
      expect(await registrations.bindings('bob@acme')).toEqual([]);
      expect(await registrations.list({ accountSid: ONE })).toEqual([]);
      expect(await registrations.change('bob@acme', () => undefined)).toEqual([]);
      expect(await registrations.change('bob@acme', () => [])).toEqual([]);
    });

    it('keeps every field, oldest first, and says what there is after each change', async () => {
      const { registrations } = backend;
      expect(await add(binding(2))).toEqual([binding(2)]);
      expect(await add(binding(1))).toEqual([binding(1), binding(2)]);
      expect(await registrations.bindings('alice@acme')).toEqual([binding(1), binding(2)]);
      expect(await registrations.change('alice@acme', () => undefined)).toEqual([binding(1), binding(2)]);
      expect(await registrations.change('alice@acme', (all) => all.slice(1))).toEqual([binding(2)]);
      expect(await registrations.change('alice@acme', () => [])).toEqual([]);
      expect(await registrations.list({ domainSid: 'SD1' })).toEqual([]);
    });

    it('loses none of fifty changes at once', async () => {
      const { registrations } = backend;
      const numbers = Array.from({ length: 50 }, (_, n) => n);
      await Promise.all(numbers.map((n) => add(binding(n))));
      expect(await registrations.bindings('alice@acme')).toEqual(numbers.map((n) => binding(n)));
      const without = (n: number) => (all: readonly Binding[]) =>
        all.filter(({ id }) => id !== binding(n).id);
      await Promise.all(numbers.slice(1).map((n) => registrations.change('alice@acme', without(n))));
      expect(await registrations.bindings('alice@acme')).toEqual([binding(0)]);
      expect(await registrations.list({ accountSid: ONE })).toEqual([binding(0)]);
    });

    it('keeps a limit that the change sets, however many come at once', async () => {
      const { registrations } = backend;
      const atMostTen = (n: number) =>
        registrations.change('alice@acme', (all) => (all.length < 10 ? [...all, binding(n)] : undefined));
      await Promise.all(Array.from({ length: 50 }, (_, n) => atMostTen(n)));
      expect(await registrations.bindings('alice@acme')).toHaveLength(10);
    });

    it('leaves everything as it is when the change throws', async () => {
      await add(binding(1));
      const change = backend.registrations.change('alice@acme', () => {
        throw new Error('not so');
      });
      await expect(change).rejects.toThrow('not so');
      expect(await backend.registrations.bindings('alice@acme')).toEqual([binding(1)]);
    });

    it('never shows what has expired, to readers, to changes or in lists', async () => {
      const { registrations } = backend;
      const short = binding(1, { expiresAt: clock.now() + 60_000 });
      const long = binding(2);
      await add(short);
      await add(long);
      clock.tick(59_999);
      expect(await registrations.bindings('alice@acme')).toEqual([short, long]);
      clock.tick(1);
      expect(await registrations.bindings('alice@acme')).toEqual([long]);
      expect(await registrations.list({ domainSid: 'SD1' })).toEqual([long]);
      let seen: readonly Binding[] = [];
      await registrations.change('alice@acme', (all) => {
        seen = all;
        return undefined;
      });
      expect(seen).toEqual([long]);
      const gone = binding(3, { expiresAt: clock.now() });
      expect(await registrations.change('alice@acme', (all) => [...all, gone])).toEqual([long]);
      clock.tick(HOUR);
      expect(await registrations.bindings('alice@acme')).toEqual([]);
      expect(await registrations.list({ accountSid: ONE })).toEqual([]);
    });

    it('lists by domain and by account, by address, and nobody else’s', async () => {
      const { registrations } = backend;
      const bob = binding(3, { aor: 'bob@acme', username: 'bob' });
      const other = binding(4, { aor: 'alice@east', domainSid: 'SD2' });
      const foreign = binding(5, { aor: 'alice@beta', domainSid: 'SD3', accountSid: TWO });
      for (const one of [foreign, other, bob, binding(2), binding(1)]) await add(one);
      expect(await registrations.list({ domainSid: 'SD1' })).toEqual([binding(1), binding(2), bob]);
      expect(await registrations.list({ accountSid: ONE })).toEqual([binding(1), binding(2), other, bob]);
      expect(await registrations.list({ domainSid: 'SD3' })).toEqual([foreign]);
      expect(await registrations.list({ accountSid: TWO })).toEqual([foreign]);
    });

    it('follows an address whose domain was deleted and created by another account', async () => {
      const { registrations } = backend;
      const old = binding(1);
      const fresh = binding(2, { domainSid: 'SD9', accountSid: TWO });
      await add(old);
      await add(fresh);
      expect(await registrations.list({ domainSid: 'SD1' })).toEqual([old]);
      expect(await registrations.list({ domainSid: 'SD9' })).toEqual([fresh]);
      await registrations.change('alice@acme', (all) => all.filter(({ domainSid }) => domainSid === 'SD9'));
      expect(await registrations.list({ domainSid: 'SD1' })).toEqual([]);
      expect(await registrations.list({ accountSid: ONE })).toEqual([]);
      expect(await registrations.list({ accountSid: TWO })).toEqual([fresh]);
    });

    it('belongs to one Region', async () => {
      await add(binding(1));
      expect(await backend.elsewhere.bindings('alice@acme')).toEqual([]);
      expect(await backend.elsewhere.list({ accountSid: ONE })).toEqual([]);
    });

    it('leaves nothing behind that the store would keep for ever', async () => {
      if (!backend.lifetimes) return expect(name).toBe('memory'); // a process forgets all of it when it ends
      await add(binding(1, { expiresAt: clock.now() + 2 * HOUR }));
      await add(binding(2, { aor: 'bob@acme' }));
      clock.tick(60_000);
      await backend.registrations.change('alice@acme', (all) => all);
      const lifetimes = await backend.lifetimes();
      expect(lifetimes).toHaveLength(4); // two addresses, the domain's list and the account's
      for (const ms of lifetimes) {
        expect(ms).toBeGreaterThan(0);
        expect(ms).toBeLessThanOrEqual(2 * HOUR);
      }
      for (const aor of ['alice@acme', 'bob@acme']) await backend.registrations.change(aor, () => []);
      expect(await backend.lifetimes()).toEqual([]);
    });
  });
}
