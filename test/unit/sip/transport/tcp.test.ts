import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../../src/core/clock.ts';
import { bindTcp } from '../../../../src/sip/transport/tcp.ts';
import { bindUdp } from '../../../../src/sip/transport/udp.ts';
import { message, type Station, station } from '../../../conformance/sip-transport.ts';
import { until } from '../../../support/until.ts';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

async function listening(options: Parameters<typeof station>[1] = {}): Promise<Station> {
  const made = await station(bindTcp, options);
  opened.push(() => made.socket.close());
  return made;
}

/** A client that writes raw bytes and keeps what it reads. */
async function client(
  server: Station,
): Promise<{ socket: Socket; read: () => string; closed: () => boolean }> {
  const { address, port } = server.socket.bound;
  const socket = connect(port, address);
  opened.push(() => socket.destroy());
  let text = '';
  let closed = false;
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  await until('a connection', () => !socket.connecting);
  return { socket, read: () => text, closed: () => closed };
}

describe('a TCP listener', () => {
  test('cuts the stream into messages however it arrives, and answers keep-alives', async () => {
    const server = await listening();
    const { socket, read } = await client(server);
    const bytes = Buffer.concat([message('one', 'body'), Buffer.from('\r\n\r\n'), message('two')]);
    for (const byte of bytes) {
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until('two messages', () => server.received.length === 2);
    await until('the pong', () => read() === '\r\n');
    expect(server.received.map((r) => r.text)).toEqual([
      message('one', 'body').toString(),
      message('two').toString(),
    ]);
  });

  test('closes a connection whose bytes cannot be cut into messages, and says why', async () => {
    const server = await listening();
    const { socket, closed } = await client(server);
    socket.write('OPTIONS sip:a SIP/2.0\r\nTo: x\r\n\r\n');
    await until('the end', closed);
    expect(server.malformed).toHaveLength(1);
    expect(server.received).toEqual([]);
  });

  test('takes no message beyond the limit', async () => {
    const server = await listening({ limits: { maxMessage: 1_000 } });
    const { socket, closed } = await client(server);
    socket.write(message('long', 'x'.repeat(2_000)));
    await until('the end', closed);
    expect(server.malformed).toHaveLength(1);
  });

  test('takes no connection beyond the limit', async () => {
    const server = await listening({ limits: { maxConnections: 1 } });
    const first = await client(server);
    const second = await client(server);
    await until('the second refused', second.closed);
    expect([first.closed(), server.socket.connections]).toEqual([false, 1]);
  });

  test('closes who sends nothing or half a message soon, and who fell silent later', async () => {
    const clock = new VirtualClock();
    const server = await listening({ clock, limits: { incompleteMs: 30_000, idleMs: 600_000 } });
    const silent = await client(server);
    const slow = await client(server);
    const good = await client(server);
    good.socket.write(message('hello'));
    slow.socket.write(message('hello'));
    await until('two messages', () => server.received.length === 2);
    slow.socket.write('OPTIONS sip:');
    good.socket.write('\r\n\r\n');
    await until('the pong', () => good.read() === '\r\n');
    await clock.advance(40_000);
    await until('two closed', () => silent.closed() && slow.closed());
    expect(good.closed()).toBe(false);
    await clock.advance(600_000);
    await until('the last closed', good.closed);
    await until('none left', () => server.socket.connections === 0);
    await clock.advance(10_000);
    expect(clock.pending).toBe(0);
  });

  test('closes a peer that does not read', async () => {
    const server = await listening({ limits: { maxUnread: 100_000 } });
    const deaf = await client(server);
    deaf.socket.pause();
    deaf.socket.write(message('hello'));
    await until('the message', () => server.received.length === 1);
    const from = server.received[0]?.from;
    if (!from) throw new Error('no origin');
    const failures: Error[] = [];
    const big = message('big', 'x'.repeat(60_000));
    for (let i = 0; i < 500 && from.connection?.open; i++) {
      server.socket.send(big, from, { over: from.connection, failed: (error) => failures.push(error) });
    }
    expect(from.connection?.open).toBe(false);
    await until('failures', () => failures.length > 0);
  });

  test('a response whose connection is gone goes to a new one (RFC 3261 §18.2.2)', async () => {
    const server = await listening();
    const other = await listening();
    other.socket.send(message('request'), server.socket.bound);
    await until('the request', () => server.received.length === 1);
    const from = server.received[0]?.from;
    if (!from) throw new Error('no origin');
    const { port } = other.socket.bound;
    await other.socket.close();
    await until('the connection gone', () => !from.connection?.open);
    const again = await listening({ port });
    server.socket.send(message('response'), again.socket.bound, { over: from.connection });
    await until('the response', () => again.received.length === 1);
  });
});

test('UDP keep-alives are no messages', async () => {
  const a = await station(bindUdp);
  const b = await station(bindUdp);
  opened.push(
    () => a.socket.close(),
    () => b.socket.close(),
  );
  a.socket.send(Buffer.from('\r\n\r\n'), b.socket.bound);
  a.socket.send(Buffer.alloc(4), b.socket.bound);
  a.socket.send(message('real'), b.socket.bound);
  await until('the message', () => b.received.length > 0);
  expect(b.received).toHaveLength(1);
});
