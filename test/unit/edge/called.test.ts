import { describe, expect, it } from 'vitest';
import { calledBy } from '../../../src/edge/called.ts';

const called = (user: string, host: string) => calledBy({ user, host }, 'trunkline.localhost');

describe('who an INVITE is for', () => {
  it.each([
    ['+12025550143', '127.0.0.1', { kind: 'number', number: '+12025550143', namedEdge: undefined }],
    ['+12025550143', 'pbx.example.com', { kind: 'number', number: '+12025550143', namedEdge: undefined }],
    [
      '+12025550143',
      'sip.dublin.twilio.com',
      { kind: 'number', number: '+12025550143', namedEdge: 'dublin' },
    ],
    [
      '+12025550143',
      'ie1.trunkline.localhost',
      { kind: 'number', number: '+12025550143', namedEdge: 'dublin' },
    ],
    [
      'alice',
      'acme.sip.trunkline.localhost',
      { kind: 'sip-domain', name: 'acme', user: 'alice', namedEdge: undefined },
    ],
    [
      'alice',
      'ACME.sip.Dublin.twilio.com',
      { kind: 'sip-domain', name: 'acme', user: 'alice', namedEdge: 'dublin' },
    ],
    [
      'alice',
      'a.b.sip.us1-ix.twilio.com',
      { kind: 'sip-domain', name: 'a.b', user: 'alice', namedEdge: 'ashburn-ix' },
    ],
    [
      '+1555',
      'east.pstn.frankfurt.twilio.com',
      { kind: 'trunk', name: 'east', user: '+1555', namedEdge: 'frankfurt' },
    ],
  ])('%s at %s', (user, host, expected) => {
    expect(called(user, host)).toEqual(expected);
  });

  it.each([
    ['alice', '127.0.0.1'],
    ['12025550143', '127.0.0.1'],
    ['+0123', '127.0.0.1'],
    ['', '127.0.0.1'],
    ['alice', 'acme.sip.atlantis.twilio.com'],
  ])('nobody: %s at %s', (user, host) => {
    expect(called(user, host).kind).toBe('nobody');
  });
});
