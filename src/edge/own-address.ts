import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { SipListener } from '../sip/agent/port.ts';
import type { SipUri } from '../sip/message/uri.ts';
import { DEFAULT_PORT } from '../sip/transport/resolve.ts';

/**
 * Claims that a SIP URI leads to a socket of this process: its port is that of a listener, and its host an address
 * that the listener is bound to or advertises. What must be looked up first is not known to be ours.
 */
export function isOwnAddress(uri: SipUri, listeners: readonly SipListener[]): boolean {
  const host = (uri.params.get('maddr') || uri.host).toLowerCase().replace(/^\[|\]$/g, '');
  const port = uri.port ?? DEFAULT_PORT;
  return listeners.some(
    ({ bound, advertised }) =>
      (port === bound.port && isAt(host, bound.address)) ||
      (port === advertised.port && isAt(host, advertised.address)),
  );
}

/** An address is the same in whatever spelling; an advertised one may be a name. */
function isAt(host: string, address: string): boolean {
  if (isIP(host) === 0 || isIP(address) === 0) return host === address.toLowerCase();
  return addressesOf(address).check(host, familyOf(host));
}

const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** A socket on every address has all those of the machine, and 0.0.0.0 leads to it as loopback does. */
function addressesOf(address: string): BlockList {
  const addresses = new BlockList();
  addresses.addAddress(address, familyOf(address));
  if (!WILDCARDS.has(address)) return addresses;
  addresses.addSubnet('127.0.0.0', 8, 'ipv4');
  for (const each of WILDCARDS) addresses.addAddress(each, familyOf(each));
  for (const found of Object.values(networkInterfaces()).flatMap((list) => list ?? []))
    addresses.addAddress(found.address, familyOf(found.address));
  return addresses;
}

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');
