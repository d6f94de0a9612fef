import { describe, expect, test } from 'vitest';
import { parseUri } from '../../../../src/sip/message/uri.ts';
import { resolveTarget, transportOf } from '../../../../src/sip/transport/resolve.ts';

function uri(text: string) {
  const parsed = parseUri(text);
  if (!parsed) throw new Error(text);
  return parsed;
}

describe('where a URI leads', () => {
  const never = () => Promise.reject(new Error('no look-up expected'));
  test.each([
    ['sip:a@10.0.0.1', '10.0.0.1', 5060],
    ['sip:a@10.0.0.1:5070', '10.0.0.1', 5070],
    ['sip:a@[::1]:5070', '::1', 5070],
    ['sip:a@host.example;maddr=10.0.0.3', '10.0.0.3', 5060],
  ])('%s at once', (text, address, port) => {
    expect(resolveTarget(uri(text), never)).toEqual({ address, port });
  });

  test('a name by the first of its addresses', async () => {
    const lookup = async (host: string) => (host === 'pbx.example' ? ['10.0.0.7', '10.0.0.8'] : []);
    expect(await resolveTarget(uri('sip:a@pbx.example:5080'), lookup)).toEqual({
      address: '10.0.0.7',
      port: 5080,
    });
    await expect(resolveTarget(uri('sip:a@other.example'), lookup)).rejects.toThrow(/other\.example/);
  });
});

test('the transport a URI asks for', () => {
  expect(transportOf(uri('sip:a@h;transport=TCP'))).toBe('tcp');
  expect(transportOf(uri('sip:a@h;transport=udp'))).toBe('udp');
  expect(transportOf(uri('sip:a@h;transport=sctp'))).toBeUndefined();
  expect(transportOf(uri('sip:a@h'))).toBeUndefined();
});
