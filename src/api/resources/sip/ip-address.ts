import { isIPv4, isIPv6 } from 'node:net';
import { invalid } from '../../api-error.ts';
import type { Parameters } from '../../parameters.ts';

/** Who calls, by address: the address itself, or all that begin with its first bits. */
export interface AddressRange {
  /** In its one canonical form (IPv6: RFC 5952). */
  readonly ipAddress: string;
  /** 0–32 for IPv4, 0–128 for IPv6. */
  readonly cidrPrefixLength: number;
}

/** Address Validation Error. */
export const INVALID_ADDRESS = 21238;

/**
 * Reads `IpAddress` and `CidrPrefixLength`; the whole address counts where no prefix is given. A prefix is kept with
 * the address as it was given, host bits and all.
 *
 * @param before what an update leaves as it is
 * @throws ApiError 21238
 */
export function readAddress(form: Parameters, before?: AddressRange): AddressRange {
  const given = form.filled('IpAddress');
  const ipAddress = given === undefined ? before?.ipAddress : canonical(given);
  if (ipAddress === undefined) {
    throw invalid(
      INVALID_ADDRESS,
      'IpAddress is required: an IPv4 address such as 192.0.2.1, or an IPv6 one.',
    );
  }
  const max = bitsOf(ipAddress);
  const prefix = form.integer('CidrPrefixLength', INVALID_ADDRESS, { min: 0, max });
  const kept = before && bitsOf(before.ipAddress) === max ? before.cidrPrefixLength : max;
  return { ipAddress, cidrPrefixLength: prefix ?? kept };
}

function bitsOf(ipAddress: string): number {
  return isIPv4(ipAddress) ? 32 : 128;
}

function canonical(given: string): string {
  if (isIPv4(given)) return given;
  const refuse = (why: string) => invalid(INVALID_ADDRESS, `IpAddress '${given}' is not valid: ${why}.`);
  const [address = '', prefix] = given.split('/');
  if (prefix !== undefined && (isIPv4(address) || isIPv6(address))) {
    throw refuse(`give ${address} as IpAddress and ${prefix} as CidrPrefixLength`);
  }
  if (!isIPv6(given) || given.includes('%')) {
    throw refuse('it must be one complete IPv4 or IPv6 address, without wildcards, names or ports');
  }
  const written = new URL(`http://[${given}]/`).hostname.slice(1, -1);
  // Sockets report such a peer as IPv4 (RFC 4291 §2.5.5.2), so the entry would never match.
  if (written.startsWith('::ffff:')) throw refuse('write an IPv4 address as such');
  return written;
}
