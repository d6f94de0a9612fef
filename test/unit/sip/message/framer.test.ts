import { describe, expect, it } from 'vitest';
import { type Framed, StreamFramer } from '../../../../src/sip/message/framer.ts';
import { cpuMs } from '../../../support/cpu-time.ts';

const show = (framed: readonly Framed[]) =>
  framed.map((f) => (f.kind === 'message' ? f.data.toString('latin1') : f.kind));
const message = (body: string, length = `Content-Length: ${body.length}`) =>
  `A b SIP/2.0\r\n${length}\r\n\r\n${body}`;

describe('StreamFramer', () => {
  it('cuts by Content-Length, in any spelling', () => {
    const framer = new StreamFramer();
    const messages = [
      message('abc'),
      message('', 'l:0'),
      message('xy', 'CONTENT-LENGTH :\r\n  2'),
      message('\r\n\r\n'),
    ];
    expect(show(framer.push(Buffer.from(messages.join(''))))).toEqual(messages);
    expect(framer.pending).toBe(0);
  });

  it('waits for what is missing', () => {
    const framer = new StreamFramer();
    expect(framer.push(Buffer.from('A b SIP/2.0\r\nContent-Length: 2\r\n'))).toEqual([]);
    expect(framer.push(Buffer.from('\r\nx'))).toEqual([]);
    expect(show(framer.push(Buffer.from('y')))).toHaveLength(1);
  });

  it('reports pings and passes over single line ends', () => {
    const framer = new StreamFramer();
    expect(show(framer.push(Buffer.from('\r\n\r\n')))).toEqual(['ping']);
    expect(show(framer.push(Buffer.from(`\r\n${message('')}\r\n\r\n\r\n${message('')}`)))).toEqual([
      message(''),
      'ping',
      message(''),
    ]);
    expect(show(framer.push(Buffer.from('\r')))).toEqual([]);
    expect(show(framer.push(Buffer.from('\n\r')))).toEqual([]);
    expect(show(framer.push(Buffer.from('\n')))).toEqual(['ping']);
  });

  it.each([
    ['no length', 'A b SIP/2.0\r\nVia: x\r\n\r\n'],
    ['a negative length', message('', 'Content-Length: -1')],
    ['two lengths that differ', message('', 'Content-Length: 1\r\nl: 2')],
    ['a length over the limit', message('', 'Content-Length: 2000')],
    ['a length beyond numbers', message('', `Content-Length: ${'9'.repeat(40)}`)],
    ['headers over the limit', 'x'.repeat(1_001)],
  ])('gives a stream up with %s', (_, text) => {
    const framer = new StreamFramer(1_000);
    const framed = framer.push(Buffer.from(message('') + text));
    expect(show(framed)).toEqual([message(''), 'fatal']);
    expect(framer.push(Buffer.from(message('')))).toEqual([]);
    expect(framer.pending).toBe(0);
  });

  it('hands out copies: the chunk may be reused', () => {
    const framer = new StreamFramer();
    const chunk = Buffer.from(message('abc'));
    const [framed] = framer.push(chunk);
    chunk.fill(0);
    expect(framed?.kind === 'message' && framed.data.toString()).toBe(message('abc'));
  });

  it('reads one message of the limit byte by byte in linear time', () => {
    const framer = new StreamFramer();
    const whole = Buffer.from(message('x'.repeat(65_000)));
    const took = cpuMs(() => {
      let found = 0;
      for (let i = 0; i < whole.length; i++) found += framer.push(whole.subarray(i, i + 1)).length;
      expect(found).toBe(1);
    });
    expect(took).toBeLessThan(2_000); // rescans would take minutes
  });

  it('carries many messages in one read', () => {
    const framer = new StreamFramer(1_000);
    expect(framer.push(Buffer.from(message('abc').repeat(5_000)))).toHaveLength(5_000);
  });
});
