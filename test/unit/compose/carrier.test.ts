import { BlockList } from 'node:net';
import { expect, it } from 'vitest';
import { allowCarrier } from '../../../src/compose/carrier.ts';
import { readSettings } from '../../../src/compose/settings.ts';
import { silentLogger } from '../../../src/core/logger.ts';

it.each([
  ['sip:203.0.113.7:5080', '203.0.113.7', 'ipv4'],
  ['sip:[2001:db8::7]:5060;transport=tcp', '2001:db8::7', 'ipv6'],
  ['sip:localhost', '127.0.0.1', 'ipv4'],
] as const)('lets the carrier %s call in', async (carrier, address, family) => {
  const list = new BlockList();
  await allowCarrier(list, carrier, silentLogger);
  expect(list.check(address, family)).toBe(true);
  expect(list.check('203.0.113.8')).toBe(false);
});

it('says that a carrier has no address and goes on', async () => {
  const said: string[] = [];
  const logger = { ...silentLogger, error: (_: object, message = '') => void said.push(message) };
  await allowCarrier(new BlockList(), 'sip:nowhere.invalid', logger);
  expect(said).toEqual([expect.stringContaining('nowhere.invalid')]);
});

it('allows loopback when nothing is said', () => {
  const { ingressAllow } = readSettings({}).settings;
  expect(ingressAllow.check('127.8.9.10')).toBe(true);
  expect(ingressAllow.check('203.0.113.8')).toBe(false);
});
