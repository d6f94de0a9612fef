import { createSocket } from 'node:dgram';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { answerToStun, isStun } from '../../../../src/sip/transport/stun.ts';
import { bindUdp } from '../../../../src/sip/transport/udp.ts';
import { message, type Station, station } from '../../../conformance/sip-transport.ts';
import { until } from '../../../support/until.ts';

const TRANSACTION = 'b7e7a701bc34d686fa87dfae';
const binding = (attributes = '') =>
  Buffer.from(
    `0001${(attributes.length / 2).toString(16).padStart(4, '0')}2112a442${TRANSACTION}${attributes}`,
    'hex',
  );

describe('STUN', () => {
  // The addresses and the transaction of the sample responses in RFC 5769 §2.2 and §2.3, without their other attributes
  test.each([
    [{ address: '192.0.2.1', port: 32853 }, '002000080001a147e112a643'],
    [
      { address: '2001:db8:1234:5678:11:2233:4455:6677', port: 32853 },
      '002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9',
    ],
  ])('tells where a Binding request came from: %j', (from, attribute) => {
    const length = (attribute.length / 2).toString(16).padStart(4, '0');
    expect(answerToStun(binding(), from)?.toString('hex')).toBe(
      `0101${length}2112a442${TRANSACTION}${attribute}`,
    );
  });

  test('a peer of RFC 3489 gets the address as it is', () => {
    const old = Buffer.from(`00010000${'ab'.repeat(16)}`, 'hex');
    expect(answerToStun(old, { address: '10.0.0.2', port: 5060 })?.toString('hex')).toBe(
      `0101000c${'ab'.repeat(16)}00010008000113c40a000002`,
    );
  });

  test('an attribute that must be understood and is not: 420 with its number (RFC 8489 §6.3.1)', () => {
    const answer = answerToStun(binding('0003000400000006'), { address: '10.0.0.2', port: 5060 });
    expect(answer?.toString('hex')).toBe(`011100102112a442${TRANSACTION}0009000400000414000a000200030000`);
  });

  test('credentials are ignored, indications and answers get none', () => {
    const from = { address: '10.0.0.2', port: 5060 };
    expect(answerToStun(binding('00060004616e6e61'), from)?.readUInt16BE(0)).toBe(0x0101);
    for (const type of ['0011', '0101', '0111', '0003']) {
      const other = Buffer.concat([Buffer.from(type, 'hex'), binding().subarray(2)]);
      expect(isStun(other)).toBe(true);
      expect(answerToStun(other, from)).toBeUndefined();
    }
  });

  test('whatever looks like it is read without failing, and answered with little', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 200 }), (bytes) => {
        const padded = bytes.subarray(0, bytes.length - (bytes.length % 4));
        const datagram = Buffer.concat([binding(), Buffer.from(padded)]);
        datagram.writeUInt16BE(padded.length, 2);
        expect(isStun(datagram)).toBe(true);
        const answer = answerToStun(datagram, { address: '2001:db8::1', port: 1 });
        expect(answer?.length ?? 0).toBeLessThanOrEqual(datagram.length + 24);
      }),
    );
  });
});

describe('a UDP listener', () => {
  const open: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });

  test('answers STUN, keeps quiet about line ends, and takes neither for SIP', async () => {
    const server: Station = await station(bindUdp);
    open.push(() => server.socket.close());
    const socket = createSocket('udp4');
    open.push(() => socket.close());
    const heard: Buffer[] = [];
    socket.on('message', (datagram) => heard.push(datagram));
    const { address, port } = server.socket.bound;
    for (const datagram of [Buffer.from('\r\n\r\n'), Buffer.from('\0'), binding(), message('sip')]) {
      socket.send(datagram, port, address);
    }
    await until('the message and the answer', () => server.received.length > 0 && heard.length > 0);
    expect(server.received.map(({ text }) => text)).toEqual([message('sip').toString()]);
    expect(server.malformed).toEqual([]);
    expect(heard).toHaveLength(1);
    const mine = socket.address().port ^ 0x2112;
    expect(heard[0]?.toString('hex')).toContain(`002000080001${mine.toString(16).padStart(4, '0')}`);
  });
});
