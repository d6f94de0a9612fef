import { BlockList, isIP, isIPv6 } from 'node:net';

/** A network of addresses: an address alone has all its bits as prefix. */
interface Network {
  readonly ipAddress: string;
  readonly cidrPrefixLength: number;
}

/** Without a zone, and IPv4 as IPv4 where a socket for both families writes `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2). */
function plain(address: string): string {
  const bare = address.split('%', 1)[0] ?? address;
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(bare) ? bare.slice(7) : bare;
}

const familyOf = (address: string) => (isIPv6(address) ? 'ipv6' : 'ipv4');

/** Claims that the address a packet came from is in the list. */
export function isListed(address: string, list: BlockList): boolean {
  const known = plain(address);
  return isIP(known) !== 0 && list.check(known, familyOf(known));
}

/** Claims that an address is in one of some networks. */
export type Listed = (address: string) => boolean;

/**
 * The networks of access control lists, to be asked. What is no address lets nobody in; and IPv6 networks let in
 * IPv6 alone, though a `BlockList` reads IPv4 addresses as mapped ones.
 */
export function listed(networks: readonly Network[]): Listed {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const { ipAddress, cidrPrefixLength } of networks) {
    const address = plain(ipAddress);
    const family = familyOf(address);
    const most = family === 'ipv6' ? 128 : 32;
    if (isIP(address) === 0 || cidrPrefixLength < 0 || cidrPrefixLength > most) continue;
    lists[family].addSubnet(address, cidrPrefixLength, family);
  }
  return (address) => isListed(address, lists[familyOf(plain(address))]);
}
