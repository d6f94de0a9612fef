import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, SystemClock } from '../../src/core/clock.ts';
import {
  type Bind,
  type Origin,
  TRANSPORT_LIMITS,
  type TransportLimits,
  type TransportSocket,
} from '../../src/sip/transport/port.ts';
import { until } from '../support/until.ts';

/** A bound socket and what it received. */
export interface Station {
  readonly socket: TransportSocket;
  readonly received: { readonly text: string; readonly from: Origin }[];
  readonly malformed: string[];
}

export async function station(
  bind: Bind,
  options: { clock?: Clock; limits?: Partial<TransportLimits>; port?: number } = {},
): Promise<Station> {
  const received: Station['received'] = [];
  const malformed: string[] = [];
  const socket = await bind({
    host: '127.0.0.1',
    port: options.port ?? 0,
    clock: options.clock ?? new SystemClock(),
    limits: { ...TRANSPORT_LIMITS, ...options.limits },
    receive: (message, from) => received.push({ text: message.toString('latin1'), from }),
    malformed: (reason) => malformed.push(reason),
    error: (error) => {
      throw error;
    },
  });
  return { socket, received, malformed };
}

export function message(name: string, body = ''): Buffer {
  const head = `OPTIONS sip:${name} SIP/2.0\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.from(head + body, 'latin1');
}

/** What an agent relies on, of whatever carries its messages. */
export function transportConformance(name: string, bindOf: () => Bind, reliable: boolean): void {
  describe(name, () => {
    let a: Station;
    let b: Station;

    beforeEach(async () => {
      const bind = bindOf();
      a = await station(bind);
      b = await station(bind);
    });
    afterEach(() => Promise.all([a.socket.close(), b.socket.close()]));

    it('has its own address', () => {
      expect(a.socket.bound.address).toBe('127.0.0.1');
      expect(a.socket.bound.port).toBeGreaterThan(0);
      expect(a.socket.bound.port).not.toBe(b.socket.bound.port);
    });

    it('refuses a port that is taken, with the system’s code', async () => {
      await expect(station(bindOf(), { port: a.socket.bound.port })).rejects.toMatchObject({
        code: 'EADDRINUSE',
      });
    });

    it('delivers messages whole, in order, byte for byte', async () => {
      const bytes = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('');
      for (let i = 0; i < 20; i++) a.socket.send(message(`m${i}`, bytes), b.socket.bound);
      await until('twenty messages', () => b.received.length === 20);
      expect(b.received.map((r) => r.text)).toEqual(
        Array.from({ length: 20 }, (_, i) => message(`m${i}`, bytes).toString('latin1')),
      );
    });

    it('answers reach the sender where its message came from', async () => {
      a.socket.send(message('question'), b.socket.bound);
      await until('the question', () => b.received.length === 1);
      const from = b.received[0]?.from;
      if (!from) throw new Error('no origin');
      expect(from.connection !== undefined).toBe(reliable);
      b.socket.send(message('answer'), from, { over: from.connection });
      await until('the answer', () => a.received.length === 1);
      expect(a.received[0]?.text).toContain('answer');
      expect([a.socket.connections, b.socket.connections]).toEqual(reliable ? [1, 1] : [0, 0]);
    });

    it('tells of failure only where the network does', async () => {
      const gone = (await station(bindOf())).socket;
      await gone.close();
      const failures: Error[] = [];
      a.socket.send(message('lost'), gone.bound, { failed: (error) => failures.push(error) });
      a.socket.send(message('found'), b.socket.bound, { failed: (error) => failures.push(error) });
      await until('the other message', () => b.received.length === 1);
      if (reliable) await until('the failure', () => failures.length === 1);
      else expect(failures).toEqual([]);
    });

    it('uses an established connection and opens none where only that will do', async () => {
      const failures: Error[] = [];
      const options = { established: true, failed: (error: Error) => failures.push(error) };
      b.socket.send(message('hello'), a.socket.bound);
      await until('the greeting', () => a.received.length === 1);
      const flow = a.received[0]?.from;
      if (!flow) throw new Error('no origin');
      a.socket.send(message('over-the-flow'), { address: flow.address, port: flow.port }, options);
      await until('the message', () => b.received.length === 1);
      expect(failures).toEqual([]);
      const stranger = await station(bindOf());
      a.socket.send(message('nobody-asked'), stranger.socket.bound, options);
      if (reliable) await until('the failure', () => failures.length === 1);
      else await until('the datagram', () => stranger.received.length === 1);
      expect(stranger.received).toHaveLength(reliable ? 0 : 1);
      await stranger.socket.close();
    });

    it('fails, and does not throw, once it is closed; closing again is harmless', async () => {
      await a.socket.close();
      await a.socket.close();
      const failures: Error[] = [];
      a.socket.send(message('late'), b.socket.bound, { failed: (error) => failures.push(error) });
      await until('the failure', () => failures.length === 1);
    });

    it('holds no connection after closing', async () => {
      a.socket.send(message('x'), b.socket.bound);
      await until('the message', () => b.received.length === 1);
      await a.socket.close();
      await until('no connections', () => a.socket.connections + b.socket.connections === 0);
    });
  });
}
