import { describe, expect, it } from 'vitest';
import { listed } from '../../../src/edge/source-address.ts';

const networks = (...all: string[]) =>
  listed(
    all.map((each) => {
      const [ipAddress = '', prefix] = each.split('/');
      return { ipAddress, cidrPrefixLength: Number(prefix ?? (ipAddress.includes(':') ? 128 : 32)) };
    }),
  );

describe('an address in an access control list', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['192.0.2.0/24', '192.0.2.255', true],
    ['192.0.2.77/24', '192.0.2.1', true], // the bits behind the prefix do not matter
    ['192.0.2.0/24', '192.0.3.0', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['192.0.2.1', '::ffff:192.0.2.1', true], // as a socket for both families writes it
    ['192.0.2.1', '::FFFF:192.0.2.1', true],
    ['::ffff:192.0.2.1/32', '192.0.2.1', true],
    ['2001:db8::/32', '2001:db8:1::5', true],
    ['2001:db8::/32', '2001:db9::5', false],
    ['fe80::1', 'fe80::1%eth0', true],
    ['::/0', '2001:db8::1', true],
    ['::/0', '192.0.2.1', false],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['192.0.2.0/33', '192.0.2.0', false],
    ['192.0.2.0/-1', '192.0.2.0', false],
    ['nonsense', '192.0.2.1', false],
    ['192.0.2.1', 'nonsense', false],
  ])('%s: %s %s', (network, address, is) => {
    expect(networks(network)(address)).toBe(is);
    expect(networks('198.51.100.0/24', network)(address)).toBe(is);
  });

  it('nobody’s, in a list of none', () => {
    expect(networks()('192.0.2.1')).toBe(false);
  });
});
