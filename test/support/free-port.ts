import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** Below the ports that systems hand out on their own. */
const FIRST = 11_000;

/** Ports of each process that runs tests: what one of them looked up and has yet to bind, no other may find free. */
const SHARE = 1_000;
const PROCESSES = 8;

const first = FIRST + ((Number(process.env['VITEST_POOL_ID'] ?? 1) - 1) % PROCESSES) * SHARE;
let next = first + Math.floor(Math.random() * SHARE);

/** A port of 127.0.0.1 that was free a moment ago, for TCP and for UDP. */
export function freePort(): Promise<number> {
  return freePorts(1);
}

/**
 * The first of `count` consecutive ports of 127.0.0.1 that were free a moment ago, for TCP and for UDP. The tests of one
 * file get others each time, until they have had a thousand.
 */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    if (next + count > first + SHARE) next = first;
    const found = next;
    next += count;
    const ports = Array.from({ length: count }, (_, place) => found + place);
    const free = await Promise.all(ports.flatMap((port) => [bindsTcp(port), bindsUdp(port)]));
    if (free.every(Boolean)) return found;
  }
}

function bindsTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function bindsUdp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(false));
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });
}
