import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DtmfKey } from '../../../../src/leg/port.ts';
import type { MediaFormat } from '../../../../src/media/format.ts';
import { encodeG711 } from '../../../../src/media/g711.ts';
import type { MediaHost, RelayHost } from '../../../../src/media/threads/port.ts';
import { align, noise } from '../../../support/alignment.ts';
import { until } from '../../../support/until.ts';
import { channelsIn } from '../audio.ts';
import { PCMA, PCMU, type Peer, Stage } from './stage.ts';

const never = new AbortController().signal;
const ENOUGH_MS = 500; // of a noise that nothing else resembles
const both = {
  recordingSid: 'RE1',
  silenceMs: 0,
  maxLengthMs: 600_000,
  trim: false,
  track: 'both',
  channels: 2,
} as const;

async function party(stage: Stage, relay: RelayHost, media: MediaHost, format: MediaFormat) {
  const peer = await stage.peer();
  const edge = await relay.open('127.0.0.1');
  edge.configure(peer.endpoint, format, 'sendrecv');
  edge.attach(media.inner);
  const leg = media.open({ handle: edge.handle, edge: relay.inner, format });
  return { peer, edge, leg, format, heard: () => peer.heard(format.codec, format.payloadType) };
}

type Party = Awaited<ReturnType<typeof party>>;

/** Alice, who takes µ-law, and Bob, who takes A-law, through one edge and one worker. */
async function aliceAndBob(stage: Stage) {
  const [relay, media] = [await stage.relay(), await stage.media()];
  const [alice, bob] = [await party(stage, relay, media, PCMU), await party(stage, relay, media, PCMA)];
  return { relay, media, alice, bob };
}

const heardOf = (said: Int16Array, heard: Int16Array) => align(said, heard).found;

let seed = 100;

/** Both talk at once, as often as it takes until each has heard enough of the other; the result is what they said. */
async function converse(alice: Party, bob: Party): Promise<{ byAlice: Int16Array; byBob: Int16Array }> {
  return until('each hears the other', async () => {
    const said = { byAlice: noise(1, seed++), byBob: noise(1, seed++) };
    await Promise.all([
      alice.peer.speak(alice.edge.port, said.byAlice, alice.format),
      bob.peer.speak(bob.edge.port, said.byBob, bob.format),
    ]);
    const [atBob, atAlice] = [heardOf(said.byAlice, bob.heard()), heardOf(said.byBob, alice.heard())];
    return Math.min(atBob, atAlice) >= ENOUGH_MS + 100 && said;
  });
}

/** As many of the peer's packets as carry a frame of `clip`. */
function framesOf(clip: Int16Array, peer: Peer): number {
  const codes = Buffer.alloc(clip.length);
  encodeG711('PCMU', clip, codes);
  return peer.arrivals.filter(({ payload }) => codes.indexOf(payload) >= 0).length;
}

describe('a bridge in the worker', () => {
  it('carries both voices and records them in a channel each', async () => {
    await using stage = new Stage();
    const { media, alice, bob } = await aliceAndBob(stage);
    const active = alice.leg.record(both); // before anybody talks
    alice.leg.bridge(bob.leg);
    const { byAlice, byBob } = await converse(alice, bob);
    await until('all of it is heard', () => heardOf(byBob, alice.heard()) > ENOUGH_MS);
    active.stop();
    const end = await active.ended;
    expect(end).toMatchObject({ reason: 'stopped', channels: 2, silent: false });
    const [left, right] = channelsIn(readFileSync(end.path ?? ''));
    if (!left || !right) throw new Error('expected two channels');
    expect([left.length, right.length]).toEqual([end.storedMs * 8, end.storedMs * 8]);
    expect(heardOf(byAlice, left)).toBeGreaterThanOrEqual(ENOUGH_MS);
    expect(heardOf(byBob, right)).toBeGreaterThanOrEqual(ENOUGH_MS);
    // nobody hears himself, and neither channel has the other's voice
    expect([heardOf(byAlice, alice.heard()), heardOf(byBob, bob.heard())]).toEqual([0, 0]);
    expect([heardOf(byAlice, right), heardOf(byBob, left)]).toEqual([0, 0]);
    for (const { peer } of [alice, bob]) expect(new Set(peer.arrivals.map(({ ssrc }) => ssrc)).size).toBe(1);
    expect(alice.peer.discontinuities()).toEqual([]);
    expect(bob.peer.discontinuities()).toEqual([]);
    expect(await media.census()).toMatchObject({ legs: 2, recordings: 0 });
  });

  it('lets a clip be heard in its place by one party, and records that', async () => {
    await using stage = new Stage();
    const { alice, bob } = await aliceAndBob(stage);
    alice.leg.bridge(bob.leg);
    const active = alice.leg.record({ ...both, track: 'outbound' });
    await converse(alice, bob);
    const clip = { id: 'whisper', pcm: noise(1, 7) };
    await alice.leg.play(clip, never);
    active.stop();
    const { path, channels } = await active.ended;
    expect(channels).toBe(1);
    const [stored = new Int16Array(0)] = channelsIn(readFileSync(path ?? ''));
    expect(align(clip.pcm, stored)).toMatchObject({ found: 1_000, missing: 0, foreign: 0 });
    await until('Alice has heard it', () => framesOf(clip.pcm, alice.peer) > 25);
    expect(heardOf(clip.pcm, bob.heard())).toBe(0);
    await converse(alice, bob);
  });

  it('passes keys on, and reports them', async () => {
    await using stage = new Stage();
    const { alice, bob } = await aliceAndBob(stage);
    alice.leg.bridge(bob.leg);
    await converse(alice, bob);
    const keys: DtmfKey[] = [];
    alice.leg.onKey = (key) => keys.push(key);
    alice.peer.press(alice.edge.port, 5);
    alice.peer.press(alice.edge.port, 10);
    const begun = () =>
      bob.peer
        .events(96)
        .filter(({ marker }) => marker)
        .map(({ event }) => event);
    await until('Bob has both keys', () => begun().length >= 2);
    expect(begun()).toEqual([5, 10]);
    expect(keys).toEqual(['5', '*']);
    expect(alice.peer.events(101)).toEqual([]);
    await converse(alice, bob);
  });

  it('ends when it is ended or a leg is closed, and can be made again', async () => {
    await using stage = new Stage();
    const { relay, media, alice, bob } = await aliceAndBob(stage);
    const carol = await party(stage, relay, media, PCMU);
    alice.leg.bridge(bob.leg);
    await converse(alice, bob);
    alice.leg.unbridge();
    await media.census(); // commands are handled in order: nobody hears anybody now
    const alone = noise(0.5, 8);
    await bob.peer.speak(bob.edge.port, alone, bob.format);
    alice.leg.unbridge();
    carol.leg.bridge(alice.leg);
    await converse(carol, alice);
    expect(heardOf(alone, alice.heard())).toBe(0);
    await carol.leg.close();
    bob.leg.bridge(alice.leg);
    await converse(alice, bob);
    await Promise.all([alice.leg.close(), bob.leg.close()]);
    expect(await media.census()).toMatchObject({ legs: 0, recordings: 0 });
    alice.leg.unbridge();
    alice.leg.bridge(bob.leg);
    bob.leg.unbridge();
  });

  it('is for legs of one host', async () => {
    await using stage = new Stage();
    const [one, two] = [await stage.media(), await stage.media()];
    const edge = { address: '127.0.0.1', port: 9 };
    const [a, b] = [one, two].map((media) => media.open({ handle: 1, edge, format: PCMU }));
    expect(() => b && a?.bridge(b)).toThrow('only legs of the same media host can be bridged');
  });
});

describe('a clip in a loop', () => {
  it('goes on until it is aborted', async () => {
    await using stage = new Stage();
    const { media, alice } = await aliceAndBob(stage);
    const ring = { id: 'ring', pcm: noise(0.1, 9) };
    const abort = new AbortController();
    const ringing = alice.leg.play(ring, abort.signal, { loop: true });
    await until('it has come round', () => framesOf(ring.pcm, alice.peer) > 20);
    abort.abort(new Error('answered'));
    await expect(ringing).rejects.toThrow('answered');
    const next = { id: 'next', pcm: noise(0.2, 10) };
    await alice.leg.play(next, never);
    await until('the next is heard', () => framesOf(next.pcm, alice.peer) > 3);
    expect(await media.census()).toMatchObject({ clips: 2 });
  });
});

describe('a recording that is paused', () => {
  it('takes nothing until it is resumed', async () => {
    await using stage = new Stage();
    const { alice } = await aliceAndBob(stage);
    const paused = alice.leg.record(both);
    paused.pause('skip');
    const resumed = alice.leg.record({ ...both, recordingSid: 'RE2' });
    resumed.pause('silence');
    resumed.resume();
    const clip = { id: 'clip', pcm: noise(0.4, 11) };
    await alice.leg.play(clip, never);
    for (const active of [paused, resumed]) active.stop();
    for (const [active, found] of [
      [paused, 0],
      [resumed, 400],
    ] as const) {
      const { reason, path } = await active.ended;
      const [, right] = path === undefined ? [] : channelsIn(readFileSync(path));
      expect(reason).toBe('stopped');
      expect(heardOf(clip.pcm, right ?? new Int16Array(0))).toBe(found);
    }
  });
});
