import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import { type Clock, sleep } from '../../core/clock.ts';
import type { Endpoint } from '../../media/format.ts';

/** How long a refusal by the other host may take to come back. Our choice: far above a round trip. */
const REFUSAL_MS = 300;

/** An address for a host name, IPv4 first; rejects with the system's error. */
export async function addressOf(host: string): Promise<string> {
  if (isIP(host)) return host;
  return (await lookup(host, { order: 'ipv4first' })).address;
}

/** The address of ours that packets to `to` leave from; rejects when there is no way there. */
export async function localAddressTowards(to: Endpoint): Promise<string> {
  const socket = await connected(to);
  const { address } = socket.address();
  socket.close();
  return address;
}

/**
 * Claims that nothing is bound to this UDP port: the other host answers a datagram with ICMP "port unreachable". The
 * datagram is the keep-alive of RFC 5626 §3.5.1, which SIP elements ignore. False when nothing is said.
 */
export async function isRefused(to: Endpoint, clock: Clock): Promise<boolean> {
  const socket = await connected(to);
  const refused = new AbortController();
  socket.on('error', () => refused.abort());
  socket.send('\r\n\r\n');
  await sleep(clock, REFUSAL_MS, refused.signal).catch(() => {}); // aborted: refused
  socket.close();
  return refused.signal.aborted;
}

function connected(to: Endpoint): Promise<Socket> {
  const socket = createSocket(isIPv6(to.address) ? 'udp6' : 'udp4');
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.connect(to.port, to.address, () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
