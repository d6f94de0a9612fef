import { describe, expect, it } from 'vitest';
import { isOwnAddress } from '../../../src/edge/own-address.ts';
import type { SipListener } from '../../../src/sip/agent/port.ts';
import { parseUri } from '../../../src/sip/message/uri.ts';

describe('an address of our own', () => {
  const listener = (address: string, port: number, advertise = address): SipListener => ({
    transport: 'udp',
    bound: { address, port },
    advertised: { address: advertise, port },
    label: 'dublin',
  });
  const listeners = [
    listener('10.0.0.1', 5060, 'edge.example.com'),
    listener('10.0.0.1', 5062, '8.8.4.4'),
    listener('2001:db8::1', 5064),
    listener('0.0.0.0', 5066, '8.8.4.4'),
  ];

  it.each([
    'sip:10.0.0.1',
    'sip:a@10.0.0.1:5060;transport=tcp',
    'sip:a@10.0.0.1:5062',
    'sip:a@8.8.4.4:5062',
    'sip:a@Edge.Example.com',
    'sip:a@[::ffff:10.0.0.1]',
    'sip:a@[2001:db8:0:0:0:0:0:1]:5064',
    'sip:a@127.0.0.1:5066',
    'sip:a@127.1.2.3:5066',
    'sip:a@0.0.0.0:5066',
    'sip:a@elsewhere.example:5066;maddr=8.8.4.4',
  ])('is %s', (text) => expect(own(text)).toBe(true));

  it.each([
    'sip:a@10.0.0.1:5064',
    'sip:a@10.0.0.2:5062',
    'sip:a@8.8.4.4',
    'sip:a@edge.example.com:5062',
    'sip:a@127.0.0.1:5062',
    'sip:a@[2001:db8::2]:5064',
    'sip:a@203.0.113.9:5066',
    'sip:a@10.0.0.1:5062;maddr=8.8.8.8',
  ])('is not %s', (text) => expect(own(text)).toBe(false));

  function own(text: string): boolean {
    const uri = parseUri(text);
    if (!uri) throw new Error(`${text} is no SIP URI`);
    return isOwnAddress(uri, listeners);
  }
});
