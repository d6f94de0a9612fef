import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TokenVault } from '../../src/config/accounts.ts';
import type { TokenVaultOptions } from '../../src/config/token-vault.ts';
import { VirtualClock } from '../../src/core/clock.ts';

const ONE = `AC${'1'.repeat(32)}`;
const TWO = `AC${'2'.repeat(32)}`;

export interface TokenVaults {
  /** A process's view of the same store, with what its settings give. */
  open(given?: TokenVaultOptions['given']): TokenVault;
  elsewhere: TokenVault;
  tearDown(): Promise<void>;
}

/** What every `TokenVault` does. */
export function tokensConformance(name: string, setUp: (clock: VirtualClock) => Promise<TokenVaults>): void {
  describe(`TokenVault: ${name}`, () => {
    let clock: VirtualClock;
    let backend: TokenVaults;
    beforeEach(async () => {
      clock = new VirtualClock();
      backend = await setUp(clock);
    });
    afterEach(() => backend.tearDown());

    const given = (token: string) => ({ accountSid: ONE, token });

    it('makes a token for an account that has none, once, however many ask at once', async () => {
      const vault = backend.open();
      expect(await vault.known(TWO)).toBeUndefined();
      const made = await Promise.all(Array.from({ length: 20 }, () => vault.tokensOf(TWO)));
      expect(new Set(made.map(({ primary }) => primary)).size).toBe(1);
      const [first] = made;
      expect(first?.primary).toMatch(/^[0-9a-f]{32}$/);
      expect(first?.secondary).toBeNull();
      expect(await backend.open().known(TWO)).toEqual(first);
    });

    it('makes different tokens for different accounts and Regions', async () => {
      const tokens = [
        await backend.open().tokensOf(ONE),
        await backend.open().tokensOf(TWO),
        await backend.elsewhere.tokensOf(ONE),
      ];
      expect(new Set(tokens.map(({ primary }) => primary)).size).toBe(3);
    });

    it('gives the first account the token of the settings, and only that account', async () => {
      const vault = backend.open(given('from the settings'));
      expect(await vault.tokensOf(ONE)).toMatchObject({ primary: 'from the settings', secondary: null });
      expect((await vault.tokensOf(TWO)).primary).not.toBe('from the settings');
    });

    it('rotates without a gap: both tokens hold until the secondary is promoted', async () => {
      const vault = backend.open(given('old'));
      expect(await vault.promote(ONE)).toBeUndefined();
      expect(await vault.removeSecondary(ONE)).toBe(false);
      clock.tick(1000);
      const both = await vault.addSecondary(ONE);
      expect(both.primary).toBe('old');
      expect(both.secondary).toMatch(/^[0-9a-f]{32}$/);
      expect(await backend.open(given('old')).tokensOf(ONE)).toEqual(both);
      clock.tick(1000);
      const promoted = await vault.promote(ONE);
      expect(promoted).toMatchObject({ primary: both.secondary, secondary: null, updatedAt: clock.now() });
      expect(await backend.open(given('old')).tokensOf(ONE)).toEqual(promoted);
      expect(await vault.promote(ONE)).toBeUndefined();
    });

    it('removes a secondary token, and keeps the primary', async () => {
      const vault = backend.open();
      const { primary } = await vault.tokensOf(TWO);
      await vault.addSecondary(TWO);
      expect(await vault.removeSecondary(TWO)).toBe(true);
      expect(await vault.tokensOf(TWO)).toMatchObject({ primary, secondary: null });
    });

    it('replaces a secondary token by another one', async () => {
      const vault = backend.open();
      const first = await vault.addSecondary(TWO);
      const second = await vault.addSecondary(TWO);
      expect(second.primary).toBe(first.primary);
      expect(second.secondary).not.toBe(first.secondary);
    });

    it('promotes once of many at once', async () => {
      const vault = backend.open();
      const { secondary } = await vault.addSecondary(TWO);
      const promoted = await Promise.all(Array.from({ length: 20 }, () => vault.promote(TWO)));
      expect(promoted.filter(Boolean)).toHaveLength(1);
      expect((await vault.tokensOf(TWO)).primary).toBe(secondary);
    });

    it('lets a token that was changed in the settings win over what was rotated before', async () => {
      const before = backend.open(given('old'));
      await before.addSecondary(ONE);
      await before.promote(ONE);
      await before.addSecondary(ONE);
      const after = backend.open(given('new'));
      expect(await after.tokensOf(ONE)).toMatchObject({ primary: 'new', secondary: null });
      const { secondary } = await after.addSecondary(ONE);
      await after.promote(ONE);
      expect((await backend.open(given('new')).tokensOf(ONE)).primary).toBe(secondary);
    });

    it('shows what was rotated to a process that knows no settings', async () => {
      const { secondary } = await backend.open(given('old')).addSecondary(ONE);
      expect(await backend.open().tokensOf(ONE)).toMatchObject({ primary: 'old', secondary });
    });
  });
}
