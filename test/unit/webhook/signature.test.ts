import fc from 'fast-check';
import twilio from 'twilio';
import { describe, expect, it } from 'vitest';
import { signRequest } from '../../../src/webhook/signature.ts';

const TOKEN = '12345';
const base = { CallSid: 'CA1234567890ABCDE', Digits: '1234', To: '+18005551212' };
const withNumber = (number: string) => ({ ...base, Caller: number, From: number });

describe('signRequest', () => {
  it.each([
    ['https://example.com/myapp.php?foo=1&bar=2', withNumber('+12349013030'), 'vNe7KK2kJwCsxc9K3OLkkKB3qqI='],
    [
      'https://mycompany.com/myapp.php?foo=1&bar=2',
      withNumber('+14158675309'),
      'RSOYDt4T1cUTdK1PDd93/VVr8B8=',
    ],
    ['https://example.com/myapp', withNumber('+12349013030'), 'NGAgWNhdnsLF8j385frvrQoi9sg='],
  ])('signs the form of a POST to %s', (url, params, signature) => {
    expect(signRequest(TOKEN, url, params, 'POST')).toBe(signature);
  });

  it('signs the URL alone for GET', () => {
    const url = 'https://example.com/voice?CallSid=CA1&From=%2B15551230000';
    expect(signRequest(TOKEN, url, { CallSid: 'CA1' }, 'GET')).toBe('O46CB6MNjmoalC4oeV3T4sWHLEI=');
  });

  it('signs userinfo and fragment as if they were not there', () => {
    const signature = signRequest(TOKEN, 'https://example.com/myapp', base, 'POST');
    expect(signRequest(TOKEN, 'https://u:p@example.com/myapp#ct=200', base, 'POST')).toBe(signature);
    expect(signRequest(TOKEN, 'https://example.com/a@b', base, 'POST')).not.toBe(signature);
  });

  it('agrees with the official validator on repeated parameters, ports, queries and any text', () => {
    const params = fc.dictionary(
      fc.string({ minLength: 1, unit: 'grapheme' }).filter((name) => name !== '__proto__'),
      fc.oneof(fc.string({ unit: 'grapheme' }), fc.array(fc.string({ unit: 'grapheme' }))),
    );
    const url = fc.constantFrom(
      'https://example.com/',
      'https://example.com:8443/a/b?x=1&y=%20z',
      'http://example.com:80/?q=a%27b',
      'http://127.0.0.1:5000/path;v=1?empty=',
    );
    fc.assert(
      fc.property(url, params, (url, params) => {
        const signature = signRequest('a token', url, params, 'POST');
        expect(twilio.validateRequest('a token', signature, url, params)).toBe(true);
        expect(twilio.validateRequest('another', signature, url, params)).toBe(false);
      }),
    );
  });
});
