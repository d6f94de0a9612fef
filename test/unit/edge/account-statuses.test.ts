import { expect, it } from 'vitest';
import type { Account } from '../../../src/config/accounts.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { createAccountStatuses } from '../../../src/edge/account-statuses.ts';

function world() {
  const clock = new VirtualClock();
  const kept = new Map<string, Account>();
  const reads: string[] = [];
  const store = { away: false };
  const set = (sid: string, status: Account['status']) =>
    kept.set(sid, { sid, status, friendlyName: '', ownerAccountSid: sid, createdAt: 0, updatedAt: 0 });
  const fetch = async (sid: string) => {
    reads.push(sid);
    if (store.away) throw new Error('Redis is away');
    return kept.get(sid);
  };
  const statuses = createAccountStatuses({ accounts: { fetch }, clock, logger: silentLogger });
  return { clock, set, store, reads, statuses };
}

it('reads what an account is, once for the calls of a few seconds', async () => {
  const { clock, set, statuses, reads } = world();
  set('AC1', 'suspended');
  expect(await Promise.all([statuses.of('AC1'), statuses.of('AC1')])).toEqual(['suspended', 'suspended']);
  expect(await statuses.of('AC2')).toBe('active'); // it has no record
  set('AC1', 'active');
  expect(await statuses.of('AC1')).toBe('suspended');
  expect(reads).toEqual(['AC1', 'AC2']);
  clock.tick(3_001);
  expect(await statuses.of('AC1')).toBe('active');
});

it('goes by what it last knew while accounts cannot be read, at first that they are active', async () => {
  const { clock, set, store, statuses } = world();
  set('AC1', 'closed');
  await statuses.of('AC1');
  store.away = true;
  clock.tick(3_001);
  expect(await statuses.of('AC1')).toBe('closed');
  expect(await statuses.of('AC2')).toBe('active');
});
