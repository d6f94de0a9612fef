import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DtmfKey } from '../../../../src/leg/port.ts';
import { readWav } from '../../../../src/media/wav.ts';
import { align, noise, share } from '../../../support/alignment.ts';
import { until } from '../../../support/until.ts';
import { shareOf, sweep } from '../audio.ts';
import { PCMA, PCMU, type Peer, Stage } from './stage.ts';

const never = new AbortController().signal;

const recording = {
  recordingSid: `RE${'0'.repeat(32)}`,
  silenceMs: 0,
  maxLengthMs: 60_000,
  trim: false,
};

async function connected(stage: Stage, format = PCMU) {
  const relay = await stage.relay();
  const media = await stage.media();
  const peer = await stage.peer();
  const edgeLeg = await relay.open('127.0.0.1');
  edgeLeg.configure(peer.endpoint, format, 'sendrecv');
  edgeLeg.attach(media.inner);
  const leg = media.open({ handle: edgeLeg.handle, edge: relay.inner, format });
  await Promise.all([relay.census(), media.census()]); // commands are handled in order: both know the leg
  return { relay, media, peer, edgeLeg, leg };
}

/**
 * All of `said` is heard, in order and once. A relay that stood still leaves out what it could not send in time: at
 * most as much as it skipped or filled with silence, but for the hundred milliseconds that may be sent early.
 */
function expectHeard(peer: Peer, said: Int16Array, heard: Int16Array): void {
  const { found, missing, inserted, foreign } = align(said, heard);
  const lost = said.length / 8 - found;
  expect(lost).toBeLessThanOrEqual(Math.max(0, peer.skippedMs + inserted + missing - 80));
  expect(foreign).toBe(0);
}

function pcmOf(path: string | undefined): Int16Array {
  const reading = readWav(readFileSync(path ?? ''));
  if ('problem' in reading) throw new Error(reading.problem);
  return reading.pcm;
}

/** Waits for half a second of silence: whatever was to be heard has been. */
async function silence(peer: Peer): Promise<void> {
  const quiet = ({ payload, payloadType }: Peer['arrivals'][number]) =>
    payloadType < 90 && payload.every((code) => code === payload[0]);
  const before = peer.arrivals.length;
  await until('silence', () => peer.arrivals.length >= before + 25 && peer.arrivals.slice(-25).every(quiet));
}

describe('a call’s audio', () => {
  it.each([PCMU, PCMA])('is played to the peer as one stream ($codec)', async (format) => {
    await using stage = new Stage();
    const { peer, leg } = await connected(stage, format);
    const clip = { id: 'noise', pcm: noise(1) };
    const started = performance.now();
    await leg.play(clip, never);
    expect(performance.now() - started).toBeGreaterThan(900); // fifty frames, of which three may be made up for
    await silence(peer);
    expect(peer.discontinuities()).toEqual([]);
    expect(peer.arrivals[0]?.marker).toBe(true);
    if (peer.skippedMs === 0) expect(peer.arrivals.filter((arrival) => arrival.marker).length).toBe(1);
    expectHeard(peer, clip.pcm, peer.heard(format.codec, format.payloadType));
    await until('the stream is in step with time', () => peer.inStep);
  });

  it.each([PCMU, PCMA])('is recorded as the peer said it ($codec)', async (format) => {
    await using stage = new Stage();
    const { media, peer, edgeLeg, leg } = await connected(stage, format);
    const began = performance.now();
    const stopped = leg.record({ ...recording, recordingSid: `RE${'1'.repeat(32)}` });
    const silenced = leg.record({ ...recording, silenceMs: 400 });
    await media.census(); // both have begun
    const speech = noise(1);
    await peer.speak(edgeLeg.port, speech, format);
    // Silence is heard in its order too: after 400 ms of it everything said before has been.
    const ended = silenced.ended.finally(() => stopped.stop());
    let over = false;
    const noted = ended.then(() => {
      over = true;
    });
    while (!over) await peer.speak(edgeLeg.port, new Int16Array(160), format);
    await noted;
    for (const [active, reason] of [
      [silenced, 'silence'],
      [stopped, 'stopped'],
    ] as const) {
      const end = await active.ended;
      expect(end).toMatchObject({ reason, silent: false, channels: 1 });
      expect(end.durationMs).toBeGreaterThanOrEqual(1_400 - 40);
      expect(end.durationMs).toBeLessThan(performance.now() - began + 1_000); // turns made up for are a second at most
      const stored = pcmOf(end.path);
      expect(stored.length / 8).toBe(end.storedMs);
      const { found, inserted, foreign } = align(speech, stored);
      expect(1_000 - found).toBeLessThanOrEqual(inserted / 2); // a packet in two that came late lost its beginning
      expect(foreign).toBe(0);
    }
  });

  it('stops within a frame when the prompt is aborted', async () => {
    await using stage = new Stage();
    const { media, peer, leg } = await connected(stage);
    const abort = new AbortController();
    const loud = () => peer.arrivals.filter(({ payload }) => payload.some((code) => code !== 0xff)).length;
    const began = performance.now();
    const played = leg.play({ id: 'long', pcm: sweep(60_000, 1_000, 1_001) }, abort.signal);
    await until('the peer hears it', () => loud() > 0);
    abort.abort(new Error('a key was pressed'));
    await expect(played).rejects.toThrow('a key was pressed');
    await media.census(); // commands are handled in order: it has been stopped
    const lasted = performance.now() - began;
    await silence(peer);
    expect(loud()).toBeLessThanOrEqual(lasted / 20 + 4); // no frame but those whose turn had come by then
    expect(peer.discontinuities()).toEqual([]);
  });

  it('plays clips in the order asked, and none that is aborted before', async () => {
    await using stage = new Stage();
    const { peer, leg, media } = await connected(stage);
    const [a, b, c] = [
      { id: 'a', pcm: noise(0.2, 1) },
      { id: 'b', pcm: noise(0.2, 2) },
      { id: 'c', pcm: noise(0.2, 3) },
    ];
    const first = leg.play(a, never);
    const second = leg.play(b, never);
    await Promise.all([first, second]);
    await expect(leg.play(c, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
    await silence(peer);
    expectHeard(peer, Int16Array.from([...a.pcm, ...b.pcm]), peer.heard());
    expect(share(c.pcm, peer.heard())).toBe(0);
    expect(await media.census()).toMatchObject({ legs: 1, clips: 2 });
  });

  it('hears every key once, whatever is lost', async () => {
    await using stage = new Stage();
    const { peer, edgeLeg, leg } = await connected(stage);
    const keys: DtmfKey[] = [];
    leg.onKey = (key) => keys.push(key);
    await until('the relay is up', () => peer.arrivals.length > 0);
    peer.press(edgeLeg.port, 1);
    peer.press(edgeLeg.port, 1, { lose: (index) => index >= 5 });
    peer.press(edgeLeg.port, 11, { lose: (index) => index < 6 });
    peer.press(edgeLeg.port, 10);
    await until('four keys', () => keys.length >= 4);
    expect(keys.join('')).toBe('11#*');
  });

  it('sends keys as telephone events', async () => {
    await using stage = new Stage();
    const { peer, leg } = await connected(stage);
    const began = performance.now();
    await leg.sendDigits('5w#', never);
    await silence(peer);
    const lasted = performance.now() - began;
    const events = peer.events();
    expect([...new Set(events.map(({ event }) => event))]).toEqual([5, 11]);
    for (const key of [5, 11]) {
      const packets = events.filter(({ event }) => event === key);
      expect(packets.map(({ marker }) => marker).lastIndexOf(true)).toBe(0);
      expect(new Set(packets.map(({ timestamp }) => timestamp)).size).toBe(1);
      const seen = packets.map(({ duration, end }) => `${duration}${end ? ' end' : ''}`);
      const sent = ['160', '320', '480', '640', '800', '960 end', '960 end', '960 end'];
      // A relay that stood still does not make up for all of it, see expectHeard.
      expect(sent.join()).toContain(seen.join());
      expect(sent.length - seen.length).toBeLessThanOrEqual(peer.skippedMs / 20);
    }
    // 220 ms of key and gap, 500 of w: less where the relay stood still before the first, more where anybody did after.
    const [first, second] = [events[0], events.find(({ event }) => event === 11)];
    const apart = (((second?.timestamp ?? 0) - (first?.timestamp ?? 0)) >>> 0) / 8;
    expect(apart).toBeGreaterThanOrEqual(600 - peer.skippedMs);
    expect(apart).toBeLessThanOrEqual(lasted);
    expect(peer.discontinuities()).toEqual([]);
  });

  it('sends keys as tones to a peer without telephone events', async () => {
    await using stage = new Stage();
    const { peer, leg } = await connected(stage, { ...PCMU, dtmfPayloadType: undefined });
    await leg.sendDigits('9', never);
    await silence(peer);
    const all = peer.heard();
    const frames = Array.from({ length: all.length / 160 }, (_, n) => all.subarray(n * 160, (n + 1) * 160));
    const loud = frames.filter((frame) => frame.some((sample) => sample !== 0));
    const heard = Int16Array.from(loud.flatMap((frame) => [...frame]));
    expect(heard.length).toBeLessThanOrEqual(960);
    expect(heard.length).toBeGreaterThanOrEqual(Math.max(320, 960 - peer.skippedMs * 8));
    expect(shareOf(852, heard) + shareOf(1_477, heard)).toBeGreaterThan(0.8);
  });

  it('refuses keys that do not exist', async () => {
    await using stage = new Stage();
    const { leg } = await connected(stage);
    await expect(leg.sendDigits('1x', never)).rejects.toThrow('"x" in "1x" cannot be sent');
  });

  it('goes on for the peer without a jump when another worker takes over', async () => {
    await using stage = new Stage();
    const { relay, media, peer, edgeLeg, leg } = await connected(stage);
    const other = await stage.media();
    const played = leg
      .play({ id: 'one', pcm: sweep(3_000, 500, 500) }, never)
      .catch((error: Error) => error.message);
    await until('the first is heard', () => shareOf(500, peer.heard().subarray(-800)) > 0.9);
    await media.close();
    expect(await played).toBe('the media leg is closed');
    edgeLeg.attach(other.inner);
    const next = other.open({ handle: edgeLeg.handle, edge: relay.inner, format: PCMU });
    const clip = { id: 'two', pcm: noise(0.4) };
    await next.play(clip, never);
    await silence(peer);
    expectHeard(peer, clip.pcm, peer.heard());
    expect(peer.discontinuities()).toEqual([]);
    const keys: DtmfKey[] = [];
    next.onKey = (key) => keys.push(key);
    peer.press(edgeLeg.port, 7);
    await until('the key reaches the new worker', () => keys.length > 0);
  });
});

describe('ending', () => {
  it('ends recordings as hung up when the leg closes and leaves nothing behind', async () => {
    await using stage = new Stage();
    const { relay, media, peer, edgeLeg, leg } = await connected(stage);
    const active = leg.record(recording);
    const heard = leg.record({ ...recording, recordingSid: `RE${'2'.repeat(32)}`, silenceMs: 100 });
    await media.census(); // both have begun
    const pending = leg
      .play({ id: 'x', pcm: new Int16Array(80_000) }, never)
      .catch((error: Error) => error.message);
    await peer.speak(edgeLeg.port, sweep(200));
    let said = 10;
    let over = false;
    const noted = heard.ended.then(() => {
      over = true;
    });
    for (; !over; said++) await peer.speak(edgeLeg.port, new Int16Array(160)); // until all of it has been heard
    await noted;
    await leg.close();
    expect(await pending).toBe('the media leg is closed');
    expect(await active.ended).toMatchObject({ reason: 'hangup', silent: false });
    expect(await media.census()).toMatchObject({ legs: 0, recordings: 0 });
    const stats = await edgeLeg.close();
    expect(stats).toMatchObject({ packetsIn: said, lost: 0 });
    expect(stats.packetsOut).toBeGreaterThan(5);
    expect(await relay.census()).toEqual({ legs: 0, sockets: 0 });
  });
});
