import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { RouteLookup } from '../../../src/routing/port.ts';
import { createRouteLookup } from '../../../src/routing/redis-lookup.ts';
import { connectRedis } from '../../../src/storage/redis/connect.ts';
import { routeRecord } from '../../conformance/routing.ts';
import { until } from '../../support/until.ts';

const NUMBER = '+35315550100';
const ENTRY = JSON.stringify({ record: routeRecord('ie1'), previousRegion: null, effectiveAt: 0 });

const bulk = (text: string) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;

/** A server that speaks just enough of Redis' protocol (RESP2) to be taken for one, and answers reads as told. */
class FakeRedis {
  /** What HGET gets; null: nothing, and nothing more on that connection, as if its far end were gone. */
  answer: string | null = '$-1\r\n';
  asked = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #silent = new Set<Socket>();

  constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
      socket.on('data', (data) => {
        // A client's command is an array of bulk strings; its first one is its name.
        for (const [, name] of data.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
          const reply = this.#reply((name ?? '').toUpperCase());
          if (reply === null) this.#silent.add(socket);
          if (reply !== null && !this.#silent.has(socket)) socket.write(reply);
        }
      });
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #reply(command: string): string | null {
    if (command === 'INFO') return bulk('redis_version:7.0.0\r\nloading:0\r\n');
    if (command === 'SUBSCRIBE') return `*3\r\n${bulk('subscribe')}${bulk('channel')}:1\r\n`;
    if (command !== 'HGET') return '+OK\r\n';
    this.asked += 1;
    return this.answer;
  }
}

describe('a look-up in a Redis that is there and does not answer as it should', () => {
  let server: FakeRedis;
  let clock: VirtualClock;
  let redis: Redis;
  let subscriber: Redis;
  let lookup: RouteLookup;
  const ask = (key = NUMBER) => lookup.lookup('phone-number', key);

  beforeEach(async () => {
    server = new FakeRedis();
    const url = await server.listen();
    clock = new VirtualClock();
    redis = connectRedis(url, 'routes', silentLogger);
    subscriber = connectRedis(url, 'changes', silentLogger);
    lookup = createRouteLookup({ redis, subscriber, clock, maxAgeMs: 5_000 });
    await until('both connections', () => redis.status === 'ready' && subscriber.status === 'ready');
    await until('the subscription to have taken hold', async () => {
      await ask('+1');
      const before = server.asked;
      await ask('+1');
      return server.asked === before;
    });
    server.answer = bulk(ENTRY);
  });
  afterEach(async () => {
    await lookup.close();
    redis.disconnect();
    subscriber.disconnect();
    await server.close();
  });

  const failures = [
    ['is loading its data', '-LOADING Redis is loading the dataset in memory\r\n', /LOADING/],
    ['is a replica that refuses', "-READONLY You can't write against a read only replica.\r\n", /READONLY/],
    ['is a replica without its master', '-MASTERDOWN Link with MASTER is down\r\n', /MASTERDOWN/],
    ['is busy with a script', '-BUSY Redis is busy running a script\r\n', /BUSY/],
    ['has another password now', '-NOAUTH Authentication required.\r\n', /NOAUTH/],
    ['is full', '-OOM command not allowed\r\n', /OOM/],
    ['holds a damaged entry', bulk('{"record":'), /damaged/],
    ['took the request and went silent', null, /timed out/],
  ] as const;

  it.each(failures)('fails, remembering nothing, when it %s', async (_what, answer, error) => {
    server.answer = answer;
    await expect(ask()).rejects.toThrow(error);
  });

  it.each(failures)(
    'gives a remembered answer within its time and none after it, when it %s',
    async (_what, answer, error) => {
      await ask();
      server.answer = answer;
      await clock.advance(5_000);
      expect(await ask()).toMatchObject({ region: 'ie1', ageMs: 5_000 });
      await clock.advance(1);
      await expect(ask()).rejects.toThrow(error);
      server.answer = bulk(ENTRY);
      await until('routes again', async () => (await ask().catch(() => undefined))?.region === 'ie1');
    },
  );

  it('fails all calls that shared one read, and asks again for the next', async () => {
    server.answer = '-LOADING Redis is loading the dataset in memory\r\n';
    const results = await Promise.allSettled([ask(), ask(), ask()]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    server.answer = bulk(ENTRY);
    expect((await ask()).region).toBe('ie1');
  });

  it('fails while it is being reconnected to', async () => {
    await ask();
    await clock.advance(5_001);
    await server.close();
    await until('the connection to be gone', () => redis.status !== 'ready');
    await expect(ask()).rejects.toThrow();
    await expect(ask('+999')).rejects.toThrow();
    server = new FakeRedis(); // for the end of this test; nobody connects to it
    await server.listen();
  });
});
