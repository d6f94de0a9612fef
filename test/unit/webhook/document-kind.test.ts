import { describe, expect, it } from 'vitest';
import { documentKind } from '../../../src/webhook/document-kind.ts';
import { isPrivateAddress } from '../../../src/webhook/private-address.ts';

describe('documentKind', () => {
  it.each([
    ['text/xml', 'twiml'],
    ['application/xml', 'twiml'],
    ['text/html', 'twiml'],
    ['text/plain', 'text'],
    ['audio/mpeg', 'audio'],
    ['audio/basic', 'audio'],
  ])('takes %s as %s', (contentType, kind) => {
    expect(documentKind({ url: 'http://a/', contentType })).toBe(kind);
  });

  it.each(['', 'application/json', 'image/png', 'application/octet-stream'])(
    'refuses "%s"',
    (contentType) => {
      expect(documentKind({ url: 'http://a/', contentType })).toMatchObject({
        code: 12300,
        level: 'error',
        url: 'http://a/',
      });
    },
  );
});

describe('isPrivateAddress', () => {
  it.each([
    '10.1.2.3',
    '127.0.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '[::1]',
    'fe80::1%eth0',
    'fc00::1',
    'fdff::1',
    'ff02::1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
  ])('%s is', (address) => expect(isPrivateAddress(address)).toBe(true));

  it.each([
    '8.8.8.8',
    '172.32.0.1',
    '100.128.0.1',
    '11.0.0.1',
    '2001:4860:4860::8888',
    '::ffff:8.8.8.8',
    'localhost',
    'example.com',
    '',
  ])('%s is not', (address) => expect(isPrivateAddress(address)).toBe(false));
});
