import { describe, expect, it } from 'vitest';
import {
  INNER_HEADER_BYTES,
  innerFields,
  parseInner,
  writeInnerHeader,
} from '../../../src/media/inner-packet.ts';
import { ntpMiddle, parseRtcp, writeRtcp } from '../../../src/media/rtcp.ts';
import { parseEvent, writeEvent } from '../../../src/media/rtp-event.ts';
import { parseRtp, rtpFields, writeRtpHeader } from '../../../src/media/rtp-packet.ts';

describe('RTP packet', () => {
  it('writes and reads the fixed header', () => {
    const packet = Buffer.alloc(14);
    const header = {
      marker: true,
      payloadType: 101,
      sequence: 65_535,
      timestamp: 2 ** 32 - 1,
      ssrc: 0xdeadbeef,
    };
    writeRtpHeader(packet, header);
    expect(packet.toString('hex')).toBe('80e5ffffffffffffdeadbeef0000');
    const fields = rtpFields();
    expect(parseRtp(packet, fields)).toBe(true);
    expect(fields).toEqual({ ...header, start: 12, end: 14 });
  });

  it('finds the payload behind CSRCs and an extension and before padding', () => {
    // V=2, padding, extension, 1 CSRC; extension of one word; 2 bytes of payload; 2 of padding
    const packet = Buffer.from('b1000001000000020000000311111111bede000199999999aabb0002', 'hex');
    const fields = rtpFields();
    expect(parseRtp(packet, fields)).toBe(true);
    expect(packet.subarray(fields.start, fields.end).toString('hex')).toBe('aabb');
  });

  it.each([
    ['too short', '8000000100000002000000'],
    ['another version', '400000010000000200000003'],
    ['CSRCs beyond the end', '820000010000000200000003'],
    ['an extension beyond the end', '90000001000000020000000300000009'],
    ['padding longer than the packet', 'a00000010000000200000003ff'],
    ['padding of nothing', 'a0000001000000020000000300'],
  ])('refuses %s', (_, hex) => {
    expect(parseRtp(Buffer.from(hex, 'hex'), rtpFields())).toBe(false);
  });
});

describe('telephone event', () => {
  it('is written and read', () => {
    const payload = new Uint8Array(4);
    const event = { event: 11, end: true, volume: 10, duration: 960 };
    writeEvent(event, payload);
    expect(Buffer.from(payload).toString('hex')).toBe('0b8a03c0');
    expect(parseEvent(payload)).toEqual(event);
    expect(parseEvent(payload.subarray(0, 3))).toBeUndefined();
  });
});

describe('inner packet', () => {
  it('is written and read', () => {
    const packet = Buffer.alloc(INNER_HEADER_BYTES);
    const fields = {
      kind: 'event',
      codec: 'PCMA',
      marker: true,
      passed: true,
      handle: 0xfedcba98,
      source: 1,
      timestamp: 0xffffffff,
      sequence: 65_535,
    } as const;
    writeInnerHeader(packet, fields);
    const read = innerFields();
    expect(parseInner(packet, read)).toBe(true);
    expect(read).toEqual(fields);
  });

  it('is not mistaken for RTP nor the other way round', () => {
    const packet = Buffer.alloc(40);
    writeInnerHeader(packet, innerFields());
    expect(parseRtp(packet, rtpFields())).toBe(false);
    writeRtpHeader(packet, rtpFields());
    expect(parseInner(packet, innerFields())).toBe(false);
  });
});

describe('RTCP', () => {
  const block = {
    ssrc: 7,
    fractionLost: 3,
    lost: -2,
    highestSequence: 70_000,
    jitter: 12,
    lastReport: 0x12345678,
    delaySinceLastReport: 65_536,
  };

  it('writes SR with a report block, SDES and BYE, and reads them', () => {
    const at = Date.UTC(2026, 0, 1, 0, 0, 0, 500);
    const packet = writeRtcp({
      ssrc: 5,
      cname: 'edge@192.0.2.1',
      sender: { at, timestamp: 160, packets: 10, octets: 1_600 },
      block,
      bye: true,
    });
    expect(packet.length % 4).toBe(0);
    expect([packet.readUInt8(0), packet.readUInt8(1)]).toEqual([0x81, 200]);
    expect(packet.readUInt32BE(8)).toBe(at / 1_000 - 0.5 + 2_208_988_800);
    expect(packet.readUInt32BE(12)).toBe(2 ** 31);
    expect(packet.toString('latin1')).toContain('edge@192.0.2.1');
    expect(parseRtcp(packet)).toEqual({ senderReport: ntpMiddle(at), blocks: [block], bye: true });
  });

  it('writes RR while nothing was sent', () => {
    const packet = writeRtcp({ ssrc: 5, cname: 'x', sender: undefined, block: undefined, bye: false });
    expect(packet.toString('hex')).toBe('80c9000100000005' + '81ca00020000000501017800');
    expect(parseRtcp(packet)).toEqual({ senderReport: undefined, blocks: [], bye: false });
  });

  it('refuses what is no RTCP', () => {
    expect(parseRtcp(Buffer.from('80c900ff00000005', 'hex'))).toBeUndefined();
    expect(parseRtcp(Buffer.from('8000000100000005', 'hex'))).toBeUndefined();
    expect(parseRtcp(Buffer.alloc(3))).toBeUndefined();
  });
});
