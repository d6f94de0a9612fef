import { isIPv6 } from 'node:net';
import type { Endpoint } from '../../media/format.ts';

/**
 * STUN (RFC 8489 §5) on a SIP port, as devices use it to keep a NAT binding open (RFC 5626 §3.5.2):
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     |0 0|     STUN Message Type     |         Message Length        |
 *     |                         Magic Cookie                          |
 *     |                     Transaction ID (96 bits)                  |
 */
const HEADER = 20;
const MAGIC_COOKIE = 0x2112a442;

const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const BINDING_ERROR = 0x0111;

const MAPPED_ADDRESS = 0x0001;
const ERROR_CODE = 0x0009;
const UNKNOWN_ATTRIBUTES = 0x000a;
const XOR_MAPPED_ADDRESS = 0x0020;

/** USERNAME, MESSAGE-INTEGRITY, REALM and NONCE mean nothing in a keep-alive, and do no harm (RFC 5626 §8). */
const IGNORED: ReadonlySet<number> = new Set([0x0006, 0x0008, 0x0014, 0x0015]);
/** From here up an attribute need not be understood (RFC 8489 §14). */
const OPTIONAL = 0x8000;
/** Our choice: an error names no more, so that it is about as long as the request it answers. */
const MOST_NAMED = 4;

/** Claims a datagram is STUN: no SIP message begins with its two zero bits and its length (RFC 8489 §5). */
export function isStun(datagram: Buffer): boolean {
  const first = datagram[0];
  if (first === undefined || first >= 0x40 || datagram.length < HEADER) return false;
  const length = datagram.readUInt16BE(2);
  return length % 4 === 0 && length === datagram.length - HEADER;
}

/**
 * The answer to a Binding request: where it came from, which is all that a keep-alive wants to know. Undefined for
 * whatever else STUN carries. Peers of RFC 3489 have no cookie and get the address as it is.
 */
export function answerToStun(datagram: Buffer, from: Endpoint): Buffer | undefined {
  if (datagram.readUInt16BE(0) !== BINDING_REQUEST) return undefined;
  const modern = datagram.readUInt32BE(4) === MAGIC_COOKIE;
  const unknown = unknownAttributes(datagram);
  if (unknown.length > 0) return message(BINDING_ERROR, datagram, [unknownError(), unknownList(unknown)]);
  const mask = modern ? datagram.subarray(4, HEADER) : Buffer.alloc(HEADER - 4);
  const type = modern ? XOR_MAPPED_ADDRESS : MAPPED_ADDRESS;
  return message(BINDING_SUCCESS, datagram, [attribute(type, addressValue(from, mask))]);
}

/** Attributes that had to be understood and are not (RFC 8489 §6.3.1). */
function unknownAttributes(datagram: Buffer): number[] {
  const found = new Set<number>();
  for (let at = HEADER; at + 4 <= datagram.length; ) {
    const type = datagram.readUInt16BE(at);
    if (type < OPTIONAL && !IGNORED.has(type)) found.add(type);
    at += 4 + 4 * Math.ceil(datagram.readUInt16BE(at + 2) / 4);
  }
  return [...found].slice(0, MOST_NAMED);
}

/** RFC 8489 §14.8: class 4, number 20, no phrase. */
const unknownError = () => attribute(ERROR_CODE, Buffer.from([0, 0, 4, 20]));

function unknownList(types: readonly number[]): Buffer {
  const value = Buffer.alloc(2 * types.length);
  for (const [i, type] of types.entries()) value.writeUInt16BE(type, 2 * i);
  return attribute(UNKNOWN_ATTRIBUTES, value);
}

/** Family, port and address, under a mask of the cookie and the transaction (RFC 8489 §14.2; zeros: §14.1). */
function addressValue({ address, port }: Endpoint, mask: Buffer): Buffer {
  const bytes = bytesOf(address);
  const value = Buffer.alloc(4 + bytes.length);
  value.writeUInt8(bytes.length === 4 ? 1 : 2, 1);
  value.writeUInt16BE(port ^ mask.readUInt16BE(0), 2);
  for (const [i, byte] of bytes.entries()) value.writeUInt8(byte ^ (mask[i] ?? 0), 4 + i);
  return value;
}

function bytesOf(address: string): readonly number[] {
  if (!isIPv6(address)) return address.split('.').map(Number);
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':').flatMap(groupBytes));
  const [first, last] = [groups(head), groups(tail ?? '')];
  const middle = tail === undefined ? 0 : 16 - first.length - last.length;
  return [...first, ...Array.from({ length: middle }, () => 0), ...last];
}

/** A group of an IPv6 address; the last may be an IPv4 address. */
function groupBytes(group: string): readonly number[] {
  if (group.includes('.')) return group.split('.').map(Number);
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
}

/** Values are padded to four bytes, which the length does not count (RFC 8489 §14). */
function attribute(type: number, value: Buffer): Buffer {
  const padded = Buffer.alloc(4 + 4 * Math.ceil(value.length / 4));
  padded.writeUInt16BE(type, 0);
  padded.writeUInt16BE(value.length, 2);
  value.copy(padded, 4);
  return padded;
}

function message(type: number, request: Buffer, attributes: readonly Buffer[]): Buffer {
  const body = Buffer.concat(attributes);
  const head = Buffer.from(request.subarray(0, HEADER));
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(body.length, 2);
  return Buffer.concat([head, body]);
}
