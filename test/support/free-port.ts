import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** A port of 127.0.0.1 that was free a moment ago, for TCP and for UDP. */
export function freePort(): Promise<number> {
  return freePorts(1);
}

/** The first of `count` consecutive ports of 127.0.0.1 that were free a moment ago, for TCP and for UDP. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    // Below the ports that systems hand out on their own.
    const first = 11_000 + Math.floor(Math.random() * (19_000 - 11_000 - count));
    const ports = Array.from({ length: count }, (_, place) => first + place);
    const free = await Promise.all(ports.flatMap((port) => [bindsTcp(port), bindsUdp(port)]));
    if (free.every(Boolean)) return first;
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
