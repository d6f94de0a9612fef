import { expect, it } from 'vitest';
import { ACCOUNTS, type Account } from '../../../src/config/accounts.ts';
import { createMemoryRecords } from '../../../src/config/records/memory.ts';
import { areRelated } from '../../../src/config/related-accounts.ts';

const account = (sid: string, ownerAccountSid: string): Account => ({
  sid,
  ownerAccountSid,
  friendlyName: sid,
  status: 'active',
  createdAt: 0,
  updatedAt: 0,
});

it.each([
  ['main', 'main', true],
  ['main', 'east', true],
  ['east', 'main', true],
  ['east', 'west', false], // subaccounts of one parent
  ['main', 'other', false],
  ['east', 'other', false],
  ['unheard-of', 'main', false],
  ['unheard-of', 'unheard-of', true],
])('%s and %s: %s', async (one, other, related) => {
  const accounts = createMemoryRecords(ACCOUNTS);
  for (const [sid, owner] of [
    ['main', 'main'],
    ['east', 'main'],
    ['west', 'main'],
    ['other', 'other'],
  ] as const)
    await accounts.create(account(sid, owner));
  expect(await areRelated(accounts, [one, other])).toBe(related);
});
