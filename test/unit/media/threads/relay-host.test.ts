import { createSocket } from 'node:dgram';
import { describe, expect, it } from 'vitest';
import { INNER_HEADER_BYTES, innerFields, writeInnerHeader } from '../../../../src/media/inner-packet.ts';
import { parseRtcp, writeRtcp } from '../../../../src/media/rtcp.ts';
import { createRelayHost } from '../../../../src/media/threads/relay-host.ts';
import { until } from '../../../support/until.ts';
import { PCMA, PCMU, type Peer, Stage } from './stage.ts';

const speech = new Uint8Array(160).fill(0x12);

/** A worker's inner socket played by the test: what it got of which leg, and a way to send. */
async function innerSocket() {
  const socket = createSocket('udp4');
  const got: Buffer[] = [];
  socket.on('message', (packet) => got.push(packet));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    endpoint: { address: '127.0.0.1', port: socket.address().port },
    got,
    send(handle: number, to: number, code: number) {
      const packet = Buffer.alloc(INNER_HEADER_BYTES + 160, code);
      writeInnerHeader(packet, { ...innerFields(), handle });
      socket.send(packet, to, '127.0.0.1');
    },
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}

describe('the relay', () => {
  it('opens even ports and gives back what is closed', async () => {
    await using stage = new Stage();
    const relay = await stage.relay();
    const legs = await Promise.all([1, 2, 3].map(() => relay.open('127.0.0.1')));
    expect(legs.every((leg) => leg.port % 2 === 0 && leg.port >= 20_000 && leg.port < 30_000)).toBe(true);
    expect(new Set(legs.map((leg) => leg.port)).size).toBe(3);
    expect(new Set(legs.map((leg) => leg.handle)).size).toBe(3);
    expect(await relay.census()).toEqual({ legs: 3, sockets: 6 });
    await Promise.all(legs.map((leg) => leg.close()));
    expect(await relay.census()).toEqual({ legs: 0, sockets: 0 });
  });

  it('passes over ports somebody else holds and says when none is left', async () => {
    await using stage = new Stage();
    const probe = await stage.relay();
    const first = (await probe.open('127.0.0.1')).port; // keeps this pair
    await probe.open('127.0.0.1');
    const relay = await stage.relay({ ports: { first, last: first + 5 } });
    const open: number[] = [];
    for (;;) {
      const port = await relay.open('127.0.0.1').then(
        (leg) => leg.port,
        (error: Error) => error.message,
      );
      if (typeof port === 'string') {
        expect(port).toContain(`no pair of free UDP ports from ${first} to ${first + 5}`);
        break;
      }
      open.push(port);
    }
    expect(open.length).toBeLessThanOrEqual(2);
    expect(open).not.toContain(first);
  });

  it('uses a freed port again', async () => {
    await using stage = new Stage();
    const found = await stage.relay();
    const leg = await found.open('127.0.0.1');
    await leg.close();
    const relay = await stage.relay({ ports: { first: leg.port, last: leg.port + 1 } });
    for (let i = 0; i < 3; i++) {
      const only = await relay.open('127.0.0.1');
      expect(only.port).toBe(leg.port);
      await only.close();
    }
  });

  it('sends silence on time to a peer nobody talks to', async () => {
    await using stage = new Stage();
    const relay = await stage.relay();
    const peer = await stage.peer();
    const leg = await relay.open('127.0.0.1');
    leg.configure(peer.endpoint, PCMA, 'sendrecv');
    await until('half a second of silence', () => peer.arrivals.length >= 26);
    expect(peer.arrivals.every(({ payload, payloadType }) => payloadType === 8 && payload[0] === 0xd5)).toBe(
      true,
    );
    expect(peer.discontinuities()).toEqual([]);
    await until('the stream is in step with time', () => peer.inStep);
  });

  it('sends nothing on hold, passes nothing on, and resumes with the marker', async () => {
    await using stage = new Stage();
    await using worker = await innerSocket();
    const relay = await stage.relay();
    const peer = await stage.peer();
    const leg = await relay.open('127.0.0.1');
    leg.attach(worker.endpoint);
    leg.configure(peer.endpoint, PCMU, 'sendrecv');
    await until('it sends', () => peer.arrivals.length > 3);
    leg.configure(peer.endpoint, PCMU, 'inactive');
    await relay.census(); // commands are handled in order: hold has begun
    const began = performance.now();
    const held = await settled(() => peer.arrivals.length);
    peer.send(leg.port, 0, speech, 160);
    worker.send(leg.handle, relay.inner.port, 0x12);
    expect(await settled(() => peer.arrivals.length + worker.got.length)).toBe(held);
    const lasted = performance.now() - began;
    leg.configure(peer.endpoint, PCMU, 'sendonly');
    await until('it sends again', () => peer.arrivals.length > held + 3);
    const [before, after] = [peer.arrivals[held - 1], peer.arrivals[held]];
    expect(after?.marker).toBe(true);
    expect(after?.sequence).toBe(((before?.sequence ?? 0) + 1) & 0xffff);
    const advanced = ((after?.timestamp ?? 0) - (before?.timestamp ?? 0)) >>> 0;
    expect(advanced / 8).toBeGreaterThanOrEqual(lasted - 20);
    expect(peer.discontinuities()).toEqual([]); // and no more than the time that passed
    peer.send(leg.port, 0, speech, 160);
    expect(await settled(() => worker.got.length)).toBe(0);
    leg.configure(peer.endpoint, PCMU, 'recvonly');
    peer.send(leg.port, 0, speech, 160);
    await until('it passes on again', () => worker.got.length === 1);
  });

  it('answers to where packets come from, and to nobody who joins in', async () => {
    await using stage = new Stage();
    await using worker = await innerSocket();
    const relay = await stage.relay();
    const [announced, real, stranger] = [await stage.peer(), await stage.peer(), await stage.peer()];
    const leg = await relay.open('127.0.0.1');
    leg.attach(worker.endpoint);
    leg.configure(announced.endpoint, PCMU, 'sendrecv');
    await until('the announced address is used first', () => announced.arrivals.length > 2);
    real.send(leg.port, 0, speech, 160);
    await until('then the real one', () => real.arrivals.length > 2);
    const before = announced.arrivals.length;
    stranger.send(leg.port, 0, speech, 160);
    stranger.send(leg.port, 101, Uint8Array.of(5, 0x80, 3, 0xc0), 0);
    real.send(leg.port, 0, speech, 160);
    const sofar = real.arrivals.length;
    await until('it still goes to the real one', () => real.arrivals.length > sofar + 5);
    expect(stranger.arrivals).toEqual([]);
    expect(announced.arrivals.length).toBeLessThanOrEqual(before + 1);
    await until('both packets', () => worker.got.length >= 2);
    expect(worker.got.length).toBe(2);
    const stats = await leg.close();
    expect(stats.packetsIn).toBe(2);
  });

  it('takes audio from the attached worker only', async () => {
    await using stage = new Stage();
    await using worker = await innerSocket();
    await using stranger = await innerSocket();
    const relay = await stage.relay();
    const peer = await stage.peer();
    const leg = await relay.open('127.0.0.1');
    leg.attach(worker.endpoint);
    leg.configure(peer.endpoint, PCMU, 'sendrecv');
    await until('it sends', () => peer.arrivals.length > 2);
    stranger.send(leg.handle, relay.inner.port, 0x66);
    worker.send(leg.handle + 1, relay.inner.port, 0x55);
    worker.send(leg.handle, relay.inner.port, 0x44);
    const heard = (code: number) => peer.arrivals.some(({ payload }) => payload[0] === code);
    await until('the worker is heard', () => heard(0x44));
    leg.attach(undefined);
    await relay.census();
    worker.send(leg.handle, relay.inner.port, 0x33);
    await settled(() => peer.arrivals.filter(({ payload }) => payload[0] !== 0xff).length);
    expect([heard(0x66), heard(0x55), heard(0x33)]).toEqual([false, false, false]);
    expect(peer.discontinuities()).toEqual([]);
  });

  it('survives garbage on every socket', async () => {
    await using stage = new Stage();
    const relay = await stage.relay();
    const peer = await stage.peer();
    const leg = await relay.open('127.0.0.1');
    leg.configure(peer.endpoint, PCMU, 'sendrecv');
    peer.send(leg.port, 0, speech, 160);
    await until('the peer is known', () => peer.arrivals.length > 3);
    const before = peer.arrivals.length;
    const socket = createSocket('udp4');
    for (let length = 0; length < 64; length++) {
      for (const fill of [0x00, 0x54, 0x80, 0xbf, 0xff]) {
        for (const port of [leg.port, leg.port + 1, relay.inner.port]) {
          socket.send(Buffer.alloc(length, fill), port, '127.0.0.1');
        }
      }
    }
    await until('it goes on', () => peer.arrivals.length > before + 10);
    expect(peer.discontinuities()).toEqual([]);
    await new Promise<void>((resolve) => socket.close(() => resolve()));
    expect(await relay.census()).toEqual({ legs: 1, sockets: 2 });
  });

  it('tells when a peer that should send falls silent, again after each silence', async () => {
    await using stage = new Stage();
    const relay = await stage.relay({ silentAfterMs: 150 });
    const peer = await stage.peer();
    const leg = await relay.open('127.0.0.1');
    let silences = 0;
    leg.onSilent = () => silences++;
    leg.configure(peer.endpoint, PCMU, 'sendonly');
    expect(await settled(() => silences, 300)).toBe(0);
    leg.configure(peer.endpoint, PCMU, 'sendrecv');
    await until('the first silence', () => silences === 1);
    expect(await settled(() => silences, 300)).toBe(1);
    peer.send(leg.port, 0, speech, 160);
    await until('the second silence', () => silences === 2);
  });

  it('reports what it sends and receives, says goodbye, and reads the peer’s reports', async () => {
    await using stage = new Stage();
    const relay = await stage.relay();
    await using worker = await innerSocket();
    const { peer, control, reports } = await peerWithControl(stage);
    const leg = await relay.open('127.0.0.1');
    leg.attach(worker.endpoint);
    leg.configure(peer.endpoint, PCMU, 'sendrecv');
    await until('a report', () => reports.length > 0);
    const first = reports[0];
    expect(parseRtcp(first ?? Buffer.alloc(0))).toMatchObject({ blocks: [], bye: false });
    const block = {
      ssrc: first?.readUInt32BE(4) ?? 0,
      fractionLost: 0,
      lost: 7,
      highestSequence: 1,
      jitter: 80,
      lastReport: 0,
      delaySinceLastReport: 0,
    };
    control.send(
      writeRtcp({ ssrc: 1, cname: 'peer', sender: undefined, block, bye: false }),
      leg.port + 1,
      '127.0.0.1',
    );
    peer.send(leg.port, 0, speech, 160);
    await until('what was sent after the report', () => worker.got.length > 0);
    const stats = await leg.close();
    expect(stats.peer).toEqual({ lost: 7, jitterMs: 10 });
    await until('the goodbye', () => reports.some((report) => parseRtcp(report)?.bye));
    await new Promise<void>((resolve) => control.close(() => resolve()));
  });
});

/** A peer whose RTCP port is the one above its RTP port. */
async function peerWithControl(stage: Stage) {
  for (;;) {
    const peer: Peer = await stage.peer();
    const control = createSocket('udp4');
    const bound = await new Promise<boolean>((resolve) => {
      control.once('error', () => resolve(false));
      control.bind(peer.endpoint.port + 1, '127.0.0.1', () => resolve(true));
    });
    if (!bound) continue;
    const reports: Buffer[] = [];
    control.on('message', (packet) => reports.push(packet));
    return { peer, control, reports };
  }
}

/**
 * The value of `fact` once it has not changed for `ms`, in which this process looked at its sockets a dozen times: for
 * what must not happen.
 */
async function settled(fact: () => number, ms = 120): Promise<number> {
  let value = fact();
  let since = performance.now();
  let looks = 0;
  await until('it settles', () => {
    if (fact() !== value) {
      value = fact();
      since = performance.now();
      looks = 0;
    }
    return ++looks > 12 && performance.now() - since > ms;
  });
  return value;
}

describe('starting and failing', () => {
  it('rejects an address that cannot be bound', async () => {
    const script = new URL('../../../../dist/workers/edge-media.js', import.meta.url);
    const ports = { first: 20_000, last: 20_100 };
    await expect(createRelayHost({ script, address: '192.0.2.1', ports, silentAfterMs: 1 })).rejects.toThrow(
      'EADDRNOTAVAIL',
    );
  });

  it('rejects a leg on an address that cannot be bound', async () => {
    await using stage = new Stage();
    const relay = await stage.relay();
    await expect(relay.open('192.0.2.1')).rejects.toThrow('EADDRNOTAVAIL');
    expect(await relay.census()).toEqual({ legs: 0, sockets: 0 });
  });

  it('rejects what is pending when its thread dies, and tells', async () => {
    const dying = `import { parentPort } from 'node:worker_threads';
      parentPort.on('message', () => { throw new Error('out of tune'); });
      parentPort.postMessage({ type: 'ready', inner: { address: '127.0.0.1', port: 1 } });`;
    const script = new URL(`data:text/javascript,${encodeURIComponent(dying)}`);
    const ports = { first: 20_000, last: 20_100 };
    const relay = await createRelayHost({ script, address: '127.0.0.1', ports, silentAfterMs: 1 });
    const told = new Promise<Error>((resolve) => {
      relay.onFailed = resolve;
    });
    await expect(relay.open('127.0.0.1')).rejects.toThrow('the media thread failed: out of tune');
    expect((await told).message).toContain('out of tune');
    await expect(relay.open('127.0.0.1')).rejects.toThrow('out of tune');
    await relay.close();
  });

  it('refuses legs once closed', async () => {
    await using stage = new Stage();
    const relay = await stage.relay();
    await relay.close();
    await expect(relay.open('127.0.0.1')).rejects.toThrow('the relay is closed');
  });
});
