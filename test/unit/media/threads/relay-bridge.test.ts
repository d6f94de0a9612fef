import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeG711 } from '../../../../src/media/g711.ts';
import {
  INNER_HEADER_BYTES,
  innerFields,
  parseInner,
  writeInnerHeader,
} from '../../../../src/media/inner-packet.ts';
import { align, noise, share } from '../../../support/alignment.ts';
import { until } from '../../../support/until.ts';
import { channelsIn } from '../audio.ts';
import { PCMA, PCMU, Stage } from './stage.ts';

/** A worker that sends what it gets of one leg to the other, at once. */
async function echo(pairs: ReadonlyMap<number, number>, inner: { port: number }) {
  const socket = createSocket('udp4');
  let echoed = 0;
  socket.on('message', (packet) => {
    const fields = innerFields();
    if (!parseInner(packet, fields)) return;
    const handle = pairs.get(fields.handle);
    if (handle === undefined) return;
    const back = Buffer.from(packet.subarray(0, INNER_HEADER_BYTES + 160));
    writeInnerHeader(back, { ...fields, handle });
    socket.send(back, inner.port, '127.0.0.1');
    echoed++;
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    endpoint: { address: '127.0.0.1', port: socket.address().port },
    get echoed() {
      return echoed;
    },
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}

describe('a bridge in the relay', () => {
  it('carries both peers’ voices, each in the other’s law, and their keys', async () => {
    await using stage = new Stage();
    const relay = await stage.relay();
    const [alice, bob] = [await stage.peer(), await stage.peer()];
    const [a, b] = [await relay.open('127.0.0.1'), await relay.open('127.0.0.1')];
    a.configure(alice.endpoint, PCMU, 'sendrecv');
    b.configure(bob.endpoint, PCMA, 'sendrecv');
    a.bridge(b);
    await until('both hear silence', () => alice.arrivals.length > 3 && bob.arrivals.length > 3);
    const [low, high] = [noise(1.5, 1), noise(1.5, 2)];
    await Promise.all([alice.speak(a.port, low), bob.speak(b.port, high, PCMA)]);
    alice.press(a.port, 5);
    await until('the whole key', () => bob.events(96).length === 8);
    const [heardByBob, heardByAlice] = [bob.heard('PCMA', 8), alice.heard('PCMU', 0)];
    for (const [said, heard] of [
      [low, heardByBob],
      [high, heardByAlice],
    ] as const) {
      const along = align(said, heard);
      expect(along.foreign, JSON.stringify(along)).toBe(0);
      expect(along.found, JSON.stringify(along)).toBeGreaterThan(1_400);
    }
    const key = bob.events(96);
    expect(new Set(key.map(({ timestamp, event }) => `${timestamp} ${event}`)).size).toBe(1);
    expect(key.map(({ end }) => end)).toEqual([false, false, false, false, false, true, true, true]);
    for (const peer of [alice, bob]) expect(new Set(peer.arrivals.map(({ ssrc }) => ssrc)).size).toBe(1);
    const stats = await Promise.all([a.close(), b.close()]);
    expect(stats.map(({ lost }) => lost)).toEqual([0, 0]);
  });

  // What a change-over costs is counted in change-over.test.ts, where no thread stands still.
  it('goes from direct to the worker and back', async () => {
    await using stage = new Stage();
    const relay = await stage.relay();
    const [alice, bob] = [await stage.peer(), await stage.peer()];
    const [a, b] = [await relay.open('127.0.0.1'), await relay.open('127.0.0.1')];
    await using worker = await echo(
      new Map([
        [a.handle, b.handle],
        [b.handle, a.handle],
      ]),
      relay.inner,
    );
    for (const [leg, peer] of [
      [a, alice],
      [b, bob],
    ] as const) {
      leg.configure(peer.endpoint, PCMU, 'sendrecv');
      leg.attach(worker.endpoint);
    }
    let seed = 10;
    /** Both talk at once, as often as it takes until each has heard the other without a break. */
    const converse = () =>
      until('each hears the other', async () => {
        const voices = [
          { said: noise(1, seed++), from: alice, port: a.port, to: bob },
          { said: noise(1, seed++), from: bob, port: b.port, to: alice },
        ];
        await Promise.all(voices.map(({ said, from, port }) => from.speak(port, said)));
        await relay.census(); // it has sent what it read before
        expect(voices.map(({ said, from }) => share(said, from.heard()))).toEqual([0, 0]);
        return voices.every(({ said, to }) => align(said, to.heard()).found >= 900);
      });
    a.bridge(b);
    await converse();
    expect(worker.echoed).toBe(0);
    a.unbridge();
    await converse();
    expect(worker.echoed).toBeGreaterThan(0);
    b.bridge(a);
    await converse();
    const sofar = worker.echoed;
    await converse();
    expect(worker.echoed).toBe(sofar);
    for (const { arrivals } of [alice, bob]) {
      const sequences = arrivals.map(({ sequence }) => sequence);
      expect(new Set(sequences).size).toBe(sequences.length);
    }
  });

  it('lets a tap begin and end while both talk without a pause: nothing is missing, nothing is heard twice', async () => {
    await using stage = new Stage();
    const [relay, media] = [await stage.relay(), await stage.media()];
    const party = async () => {
      const peer = await stage.peer();
      const edge = await relay.open('127.0.0.1');
      edge.configure(peer.endpoint, PCMU, 'sendrecv');
      edge.attach(media.inner);
      return { peer, edge, leg: media.open({ handle: edge.handle, edge: relay.inner, format: PCMU }) };
    };
    const [alice, bob] = [await party(), await party()];
    alice.leg.bridge(bob.leg);
    alice.edge.bridge(bob.edge);
    await relay.census(); // commands are handled in order
    const [said, answered] = [noise(4, 3), noise(4, 4)];
    const spoken = Promise.all([
      alice.peer.speak(alice.edge.port, said),
      bob.peer.speak(bob.edge.port, answered),
    ]);
    const heard = (packets: number) => until(`${packets} packets`, () => bob.peer.arrivals.length > packets);
    await heard(50);
    const tap = alice.leg.record({
      recordingSid: 'RE1',
      silenceMs: 0,
      maxLengthMs: 600_000,
      trim: false,
      track: 'both',
      channels: 2,
    });
    alice.edge.unbridge({ gently: true });
    await heard(120);
    tap.stop();
    bob.edge.bridge(alice.edge, { gently: true });
    await spoken;
    const end = new Uint8Array(160);
    encodeG711('PCMU', said.slice(-160), end);
    await until('all has been heard', () => bob.peer.arrivals.some(({ payload }) => payload.equals(end)));
    for (const [voice, { peer }] of [
      [said, bob],
      [answered, alice],
    ] as const) {
      const along = align(voice, peer.heard());
      expect(along).toMatchObject({ missing: 0, foreign: 0 });
      expect(along.found).toBeGreaterThan(3_500);
    }
    const { path } = await tap.ended;
    const channels = channelsIn(readFileSync(path ?? ''));
    for (const [index, voice] of [said, answered].entries())
      expect(align(voice, channels[index] ?? new Int16Array()).found).toBeGreaterThan(500);
  });

  it('does not join legs of two relays, nor one with itself, and lives on when one is closed', async () => {
    await using stage = new Stage();
    const [relay, other] = [await stage.relay(), await stage.relay()];
    const [a, b, foreign] = [
      await relay.open('127.0.0.1'),
      await relay.open('127.0.0.1'),
      await other.open('127.0.0.1'),
    ];
    expect(() => a.bridge(foreign)).toThrow('another leg of the same relay');
    expect(() => a.bridge(a)).toThrow('not with itself');
    const peer = await stage.peer();
    a.configure(peer.endpoint, PCMU, 'sendrecv');
    a.bridge(b);
    await b.close();
    a.bridge(b); // it may have closed while the order was under way
    const before = peer.arrivals.length;
    await until('its peer still hears silence', () => peer.arrivals.length > before + 3);
    a.unbridge();
    a.unbridge();
    expect(await relay.census()).toEqual({ legs: 1, sockets: 2 });
    expect(peer.discontinuities()).toEqual([]);
  });
});
