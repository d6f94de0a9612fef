import { promises as dns } from 'node:dns';
import { isIP } from 'node:net';
import type { Endpoint } from '../../media/format.ts';
import type { SipUri } from '../message/uri.ts';

/** Addresses of a host name, best first; rejects when there are none. */
export type Lookup = (host: string) => Promise<readonly string[]>;

/** A records through the system's resolver. */
export async function lookupA(host: string): Promise<readonly string[]> {
  return (await dns.lookup(host, { family: 4, all: true })).map((found) => found.address);
}

/** RFC 3261 §19.1.2: the port of sip over UDP and TCP where the URI names none. */
export const DEFAULT_PORT = 5060;

/**
 * Where a request for this URI goes (RFC 3263 §4 without NAPTR and SRV: numeric hosts and A records). The answer is
 * immediate for numeric hosts, so that requests of one dialog keep their order.
 */
export function resolveTarget(uri: SipUri, lookup: Lookup): Endpoint | Promise<Endpoint> {
  const host = uri.params.get('maddr') || uri.host; // §19.1.1: maddr overrides the host
  const port = uri.port ?? DEFAULT_PORT;
  if (isIP(host) !== 0) return { address: host, port };
  return lookup(host).then(([address]) => {
    if (address === undefined) throw new Error(`no address found for host ${host}`);
    return { address, port };
  });
}

/** The transport a URI asks for (RFC 3263 §4.1), or undefined. */
export function transportOf(uri: SipUri): 'udp' | 'tcp' | undefined {
  const transport = uri.params.get('transport')?.toLowerCase();
  return transport === 'udp' || transport === 'tcp' ? transport : undefined;
}
