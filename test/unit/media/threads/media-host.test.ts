import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createMediaHost } from '../../../../src/media/threads/media-host.ts';
import { writeWav } from '../../../../src/media/wav.ts';
import { sweep } from '../audio.ts';
import { PCMU, Stage } from './stage.ts';

const never = new AbortController().signal;
const edge = { address: '127.0.0.1', port: 9 };

describe('the media host', () => {
  it('keeps clips for the next time, within its limit', async () => {
    await using stage = new Stage();
    const media = await stage.media({ clipBytes: 4_000 });
    const leg = media.open({ handle: 1, edge, format: PCMU });
    for (const id of ['a', 'b', 'a', 'c', 'd']) await leg.play({ id, pcm: new Int16Array(800) }, never);
    expect((await media.census()).clips).toBe(2);
    await leg.play({ id: 'longer than the limit', pcm: new Int16Array(4_000) }, never);
    expect((await media.census()).clips).toBe(0);
  });

  it('plays an empty clip at once and several legs side by side', async () => {
    await using stage = new Stage();
    const media = await stage.media();
    const legs = [1, 2, 3].map((handle) => media.open({ handle, edge, format: PCMU }));
    await legs[0]?.play({ id: 'empty', pcm: new Int16Array(0) }, never);
    const done: string[] = [];
    const clips = { long: sweep(800), same: sweep(400) };
    const play = async (leg: (typeof legs)[number], id: keyof typeof clips) => {
      await leg.play({ id, pcm: clips[id] }, never);
      done.push(id);
    };
    await Promise.all(legs.map((leg, n) => play(leg, n === 0 ? 'long' : 'same')));
    expect(done).toEqual(['same', 'same', 'long']); // begun last, over first
    expect(await media.census()).toEqual({ legs: 3, recordings: 0, clips: 3 });
    await Promise.all(legs.map((leg) => leg.close()));
    await expect(legs[0]?.play({ id: 'same', pcm: sweep(400) }, never)).rejects.toThrow(
      'the media leg is closed',
    );
  });

  it('stops a prompt that is aborted while it waits, without touching the one that plays', async () => {
    await using stage = new Stage();
    const media = await stage.media();
    const leg = media.open({ handle: 1, edge, format: PCMU });
    const abort = new AbortController();
    const first = leg.play({ id: 'first', pcm: sweep(200) }, never);
    const second = leg.play({ id: 'second', pcm: sweep(60_000) }, abort.signal);
    abort.abort(new Error('no longer'));
    await expect(second).rejects.toThrow('no longer');
    await first;
    await leg.play({ id: 'first', pcm: sweep(200) }, never);
  });

  it('ends recordings as failed, with what the spool holds, when its thread dies', async () => {
    const spoolDir = mkdtempSync(join(tmpdir(), 'trunkline-media-'));
    const dying = `import { parentPort } from 'node:worker_threads';
      parentPort.on('message', ({ type }) => { if (type === 'play') throw new Error('out of tune'); });
      parentPort.postMessage({ type: 'ready', inner: { address: '127.0.0.1', port: 1 } });`;
    const script = new URL(`data:text/javascript,${encodeURIComponent(dying)}`);
    const media = await createMediaHost({ script, address: '127.0.0.1', spoolDir });
    const told = new Promise<Error>((resolve) => {
      media.onFailed = resolve;
    });
    const leg = media.open({ handle: 1, edge, format: PCMU });
    const options = { recordingSid: 'REa', silenceMs: 0, maxLengthMs: 1_000, trim: false };
    const [kept, lost] = [leg.record(options), leg.record({ ...options, recordingSid: 'REb' })];
    writeFileSync(join(spoolDir, 'REa.wav'), writeWav(sweep(300)));
    await expect(leg.play({ id: 'x', pcm: sweep(100) }, never)).rejects.toThrow('out of tune');
    expect((await told).message).toContain('out of tune');
    expect(await kept.ended).toMatchObject({
      reason: 'failed',
      storedMs: 300,
      path: join(spoolDir, 'REa.wav'),
    });
    expect(await lost.ended).toMatchObject({ reason: 'failed', storedMs: 0, path: undefined });
    expect((await lost.ended).error).toContain('out of tune');
    const late = leg.record({ ...options, track: 'both', channels: 2 }); // of two channels: half as long
    expect(await late.ended).toMatchObject({ reason: 'failed', channels: 2, storedMs: 150 });
    for (const active of [kept, late]) {
      active.pause('skip');
      active.resume();
      active.stop();
    }
    await leg.close();
    await media.close();
    rmSync(spoolDir, { recursive: true, force: true });
  });

  it('refuses legs once closed', async () => {
    await using stage = new Stage();
    const media = await stage.media();
    await media.close();
    expect(() => media.open({ handle: 1, edge, format: PCMU })).toThrow('the media host is closed');
  });
});

describe('the process', () => {
  it('can end once both hosts are closed, whatever was going on', async () => {
    const dist = new URL('../../../../dist/', import.meta.url).href;
    const program = `
      import { createMediaHost } from '${dist}src/media/threads/media-host.js';
      import { createRelayHost } from '${dist}src/media/threads/relay-host.js';
      const url = (name) => new URL('${dist}workers/' + name + '.js');
      const relay = await createRelayHost({ script: url('edge-media'), address: '127.0.0.1', ports: { first: 20000, last: 29999 }, silentAfterMs: 1000 });
      const media = await createMediaHost({ script: url('region-media'), address: '127.0.0.1', spoolDir: '/nonexistent' });
      const format = { codec: 'PCMU', payloadType: 0, dtmfPayloadType: 101 };
      const edge = await relay.open('127.0.0.1');
      edge.configure({ address: '127.0.0.1', port: 9 }, format, 'sendrecv');
      edge.attach(media.inner);
      const leg = media.open({ handle: edge.handle, edge: relay.inner, format });
      leg.play({ id: 'x', pcm: new Int16Array(80000) }, new AbortController().signal).catch((error) => console.log(error.message));
      leg.record({ recordingSid: 'RE1', silenceMs: 0, maxLengthMs: 1000, trim: true }).ended.then((end) => console.log(end.reason, end.error.slice(0, 6)));
      await media.close();
      await relay.close();
      console.log('closed');
    `;
    const directory = mkdtempSync(join(tmpdir(), 'trunkline-media-'));
    writeFileSync(join(directory, 'program.mjs'), program);
    const child = spawn(process.execPath, [join(directory, 'program.mjs')], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 100_000,
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const [code] = await once(child, 'close');
    rmSync(directory, { recursive: true, force: true });
    expect(code).toBe(0);
    expect(said.trim().split('\n').sort()).toEqual(['closed', 'failed ENOENT', 'the media leg is closed']);
  });
});
