import { describe, expect, it } from 'vitest';
import {
  appendHeader,
  Headers,
  headerKey,
  prependHeader,
  removeHeader,
  setHeader,
} from '../../../../src/sip/message/headers.ts';

describe('Headers', () => {
  const headers = new Headers([
    { name: 'v', value: 'SIP/2.0/UDP a, SIP/2.0/UDP b' },
    { name: 'X-Note', value: 'one, two' },
    { name: 'VIA', value: 'SIP/2.0/UDP c' },
    { name: 'Contact', value: '"a, b" <sip:a,b@c>;q="1,2", <sip:d@e>' },
    { name: 'Subject', value: '' },
  ]);

  it('compares names without case, compact forms as the long ones', () => {
    for (const name of ['Via', 'via', 'V', 'v', 'ViA']) {
      expect(headers.get(name)).toBe('SIP/2.0/UDP a, SIP/2.0/UDP b');
      expect(headers.all(name)).toHaveLength(2);
    }
    expect(headers.has('x-note')).toBe(true);
    expect(headers.get('s')).toBe('');
    expect(headers.get('Route')).toBeUndefined();
    expect(headers.all('Route')).toEqual([]);
    expect(['m', 'O', 'x', 'K', 'call-id', 'I'].map(headerKey)).toEqual([
      'contact',
      'event',
      'session-expires',
      'supported',
      'call-id',
      'call-id',
    ]);
  });

  it('splits lists over all lines, but not in quotes and brackets', () => {
    expect(headers.list('Via')).toEqual(['SIP/2.0/UDP a', 'SIP/2.0/UDP b', 'SIP/2.0/UDP c']);
    expect(headers.list('Contact')).toEqual(['"a, b" <sip:a,b@c>;q="1,2"', '<sip:d@e>']);
    expect(headers.list('Subject')).toEqual([]);
  });

  it('keeps lines as they came', () => {
    expect(headers.lines[2]).toEqual({ name: 'VIA', value: 'SIP/2.0/UDP c' });
    expect(headers.firstRepeated(new Set(['contact', 'via']))).toBe('via');
    expect(headers.firstRepeated(new Set(['contact']))).toBeUndefined();
  });

  it('is built from a record, an array standing for several lines', () => {
    const built = Headers.of({ Via: ['one', 'two'], To: 'you', Route: undefined });
    expect(built.lines.map((line) => `${line.name}: ${line.value}`)).toEqual([
      'Via: one',
      'Via: two',
      'To: you',
    ]);
  });

  it('changes by making another', () => {
    const names = (h: Headers) => h.lines.map((line) => line.name).join(' ');
    expect(prependHeader(headers, 'Via', 'x').get('via')).toBe('x');
    expect(names(appendHeader(headers, 'Route', 'x'))).toBe('v X-Note VIA Contact Subject Route');
    expect(names(removeHeader(headers, 'Via'))).toBe('X-Note Contact Subject');
    expect(names(setHeader(headers, 'Via', 'x'))).toBe('Via X-Note Contact Subject');
    expect(names(setHeader(headers, 'To', 'x'))).toBe('v X-Note VIA Contact Subject To');
    expect(headers.lines).toHaveLength(5);
  });
});
