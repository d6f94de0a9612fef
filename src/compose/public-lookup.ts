import type { Lookup } from '../sip/transport/resolve.ts';
import { isPrivateAddress } from '../webhook/private-address.ts';

/** The public addresses of a host name; none when TRUNKLINE_ALLOW_PRIVATE forbids those it has. */
export function publicLookup(lookup: Lookup): Lookup {
  return async (host) => {
    const found = await lookup(host);
    const allowed = found.filter((address) => !isPrivateAddress(address));
    if (found.length > 0 && allowed.length === 0) {
      throw new Error(`${host} has private addresses only, and TRUNKLINE_ALLOW_PRIVATE is false`);
    }
    return allowed;
  };
}
