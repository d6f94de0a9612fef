import { lookup } from 'node:dns/promises';
import type { BlockList } from 'node:net';
import type { Logger } from '../core/logger.ts';
import { parseUri } from '../sip/message/uri.ts';

/**
 * The carrier may always send us calls (DESIGN §6, TRUNKLINE_INGRESS_ALLOW): adds every address of its host. A name
 * that does not resolve is said, and its calls are refused until the edge is started again.
 */
export async function allowCarrier(
  list: BlockList,
  carrier: string | undefined,
  logger: Logger,
): Promise<void> {
  const host = carrier === undefined ? undefined : parseUri(carrier)?.host;
  if (host === undefined) return;
  try {
    for (const { address, family } of await lookup(host, { all: true })) {
      list.addAddress(address, family === 6 ? 'ipv6' : 'ipv4');
    }
  } catch (error) {
    logger.error(
      { error, host }, // its URI may hold a password
      `the host of TRUNKLINE_CARRIER, ${host}, has no address: its calls are refused`,
    );
  }
}
