import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecordOptions } from '../../../../src/leg/port.ts';
import { Recorder } from '../../../../src/media/stream/recorder.ts';
import { type OpenSpoolFile, type SpoolFile, spoolIn } from '../../../../src/media/stream/spool-file.ts';
import { readWav } from '../../../../src/media/wav.ts';
import { until } from '../../../support/until.ts';
import { channelsIn, locate, sweep } from '../audio.ts';

const RECORDING_SID = `RE${'1'.repeat(32)}`;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'trunkline-recorder-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function recorder(options: Partial<RecordOptions> = {}, open: OpenSpoolFile = spoolIn(directory)): Recorder {
  return new Recorder(
    { recordingSid: RECORDING_SID, silenceMs: 0, maxLengthMs: 3_600_000, trim: false, ...options },
    open,
  );
}

function hear(into: Recorder, pcm: Int16Array): void {
  for (let at = 0; at < pcm.length; at += 160) into.frame(pcm.subarray(at, at + 160), 'audio');
}

const quiet = (ms: number) => new Int16Array(ms * 8);

function gap(into: Recorder, ms: number): void {
  for (let at = 0; at < ms; at += 20) into.frame(new Int16Array(160), 'nothing');
}

function stored(path: string | undefined): Int16Array {
  const reading = readWav(readFileSync(path ?? ''));
  if ('problem' in reading) throw new Error(reading.problem);
  return reading.pcm;
}

describe('Recorder', () => {
  it('stores exactly what it heard', async () => {
    const active = recorder();
    const pcm = sweep(2_500);
    hear(active, pcm);
    active.stop('stopped');
    active.stop('hangup');
    const end = await active.ended;
    expect(end).toMatchObject({
      reason: 'stopped',
      durationMs: 2_500,
      storedMs: 2_500,
      channels: 1,
      silent: false,
    });
    expect(end.path).toBe(join(directory, `${RECORDING_SID}.wav`));
    expect(stored(end.path)).toEqual(pcm);
  });

  it('is a valid file while it grows', async () => {
    const active = recorder();
    const pcm = sweep(1_000);
    hear(active, pcm);
    const path = join(directory, `${RECORDING_SID}.wav`);
    const first = await until('the first second is on disk', () => {
      const reading = readdirSync(directory).length > 0 ? readWav(readFileSync(path)) : undefined;
      return reading && 'pcm' in reading && reading.pcm.length === 8_000 ? reading.pcm : undefined;
    });
    expect(first).toEqual(pcm);
    active.stop('stopped');
    await active.ended;
  });

  it('ends after the asked silence, counted from the last sound', async () => {
    const active = recorder({ silenceMs: 1_000 });
    hear(active, quiet(900));
    hear(active, sweep(500));
    hear(active, quiet(980));
    expect(active.over).toBe(false);
    hear(active, quiet(60));
    expect(await active.ended).toMatchObject({ reason: 'silence', silent: false });
  });

  it('does not take a stretch without RTP for silence, but records it', async () => {
    const active = recorder({ silenceMs: 1_000 });
    hear(active, sweep(200));
    hear(active, quiet(900));
    gap(active, 5_000);
    expect(active.over).toBe(false);
    hear(active, quiet(120));
    const end = await active.ended;
    expect(end.reason).toBe('silence');
    expect(end.durationMs).toBeGreaterThanOrEqual(6_100);
    expect(stored(end.path).length).toBe(end.durationMs * 8);
  });

  it('takes a click for no sound', async () => {
    const active = recorder({ silenceMs: 500 });
    for (let i = 0; i < 30 && !active.over; i++) hear(active, i % 5 ? quiet(20) : sweep(20));
    expect(await active.ended).toMatchObject({ reason: 'silence', silent: true });
  });

  it('ends at the sample of its greatest length', async () => {
    const active = recorder({ maxLengthMs: 1_010 });
    hear(active, sweep(2_000));
    const end = await active.ended;
    expect(end).toMatchObject({ reason: 'max-length', durationMs: 1_010, storedMs: 1_010 });
    expect(stored(end.path).length).toBe(8_080);
  });

  it('cuts silence before and after when trimming, not within', async () => {
    const active = recorder({ trim: true });
    const word = sweep(400);
    for (const part of [quiet(3_000), word, quiet(1_000), word, quiet(3_000)]) hear(active, part);
    active.stop('stopped');
    const end = await active.ended;
    expect(end.durationMs).toBe(7_800);
    expect(end.storedMs).toBeGreaterThanOrEqual(1_800);
    expect(end.storedMs).toBeLessThan(2_060);
    const pcm = stored(end.path);
    expect(pcm.length).toBe(end.storedMs * 8);
    expect(locate(word, pcm.subarray(0, 5_000)).correlation).toBeGreaterThan(0.999);
    expect(locate(word, pcm.subarray(5_000)).correlation).toBeGreaterThan(0.999);
  });

  it.each([true, false])('says when nothing was heard (trim: %s)', async (trim) => {
    const active = recorder({ trim });
    hear(active, quiet(1_500));
    active.stop('hangup');
    const end = await active.ended;
    expect(end).toMatchObject({
      reason: 'hangup',
      durationMs: 1_500,
      silent: true,
      storedMs: trim ? 0 : 1_500,
    });
    expect(end.path === undefined).toBe(trim);
    expect(readdirSync(directory).length).toBe(trim ? 0 : 1);
  });

  it('leaves no file of a recording that never began', async () => {
    const active = recorder();
    active.stop('hangup');
    expect(await active.ended).toMatchObject({ durationMs: 0, storedMs: 0, path: undefined });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('does not overwrite an earlier part', async () => {
    for (const expected of ['', '-2']) {
      const active = recorder();
      hear(active, sweep(100));
      active.stop('stopped');
      expect((await active.ended).path).toBe(join(directory, `${RECORDING_SID}${expected}.wav`));
    }
  });

  it('fails, saying why, when the spool cannot be opened', async () => {
    const active = recorder({}, spoolIn(join(directory, 'missing')));
    const end = await active.ended;
    expect(end).toMatchObject({ reason: 'failed', path: undefined, storedMs: 0 });
    expect(end.error).toContain('ENOENT');
  });

  it('fails when the disk is full and keeps what was written before', async () => {
    let room = 2;
    const open: OpenSpoolFile = async (sid) => {
      const file = await spoolIn(directory)(sid);
      return {
        ...file,
        write: async (bytes, position) => {
          if (position > 0 && room-- === 0)
            throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
          await file.write(bytes, position);
        },
      };
    };
    const active = recorder({}, open);
    const pcm = sweep(5_000);
    hear(active, pcm);
    const end = await active.ended;
    expect(end).toMatchObject({
      reason: 'failed',
      storedMs: 2_000,
      error: 'ENOSPC: no space left on device',
    });
    expect(stored(end.path)).toEqual(pcm.subarray(0, 16_000));
  });

  it('fails when the disk answers nothing for half a minute', async () => {
    let answer: (() => void) | undefined;
    const stuck: SpoolFile = {
      path: 'nowhere',
      write: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
      truncate: async () => {},
      close: async () => {},
      discard: async () => {},
    };
    const active = recorder({}, async () => stuck);
    hear(active, sweep(40_000));
    expect(active.over).toBe(true);
    let ended = false;
    void active.ended.then(() => {
      ended = true;
    });
    await until('the disk answers at last', () => {
      answer?.();
      return ended;
    });
    expect(await active.ended).toMatchObject({ reason: 'failed' });
    expect((await active.ended).error).toContain('seconds behind');
  });
});

/** Both directions frame by frame: `inbound` as received, `outbound` as sent, each padded with silence. */
function converse(into: Recorder, inbound: Int16Array, outbound: Int16Array): void {
  for (let at = 0; at < Math.max(inbound.length, outbound.length); at += 160) {
    const [said, told] = [new Int16Array(160), new Int16Array(160)];
    said.set(inbound.subarray(at, at + 160));
    told.set(outbound.subarray(at, at + 160));
    into.frame(said, 'audio', told);
  }
}

const channelsAt = (path: string | undefined) => channelsIn(readFileSync(path ?? ''));

describe('Recorder of both directions', () => {
  const [said, told] = [sweep(2_000, 300, 900), sweep(2_000, 1_500, 2_500)];

  it('puts what the peer said into channel 1 and what it heard into channel 2, sample by sample', async () => {
    const active = recorder({ track: 'both', channels: 2 });
    converse(active, said, told);
    active.stop('stopped');
    const end = await active.ended;
    expect(end).toMatchObject({ channels: 2, durationMs: 2_000, storedMs: 2_000, silent: false });
    expect(channelsAt(end.path)).toEqual([said, told]);
  });

  it('mixes both into one channel, clipping', async () => {
    const active = recorder({ track: 'both' });
    converse(active, Int16Array.of(1, 30_000, -30_000), Int16Array.of(2, 10_000, -10_000));
    active.stop('stopped');
    const end = await active.ended;
    expect(end.channels).toBe(1);
    expect([...stored(end.path).subarray(0, 4)]).toEqual([3, 32_767, -32_768, 0]);
  });

  it('does not change the audio it is given', () => {
    const active = recorder({ track: 'both' });
    const [inbound, outbound] = [new Int16Array(160).fill(5), new Int16Array(160).fill(7)];
    active.frame(inbound, 'audio', outbound);
    expect([inbound[0], outbound[0]]).toEqual([5, 7]);
    active.stop('stopped');
  });

  it.each([
    ['inbound', said],
    [undefined, said],
    ['outbound', told],
  ] as const)('records one track in one channel, whatever is asked: %s', async (track, expected) => {
    const active = recorder({ track, channels: 2 });
    converse(active, said, told);
    active.stop('stopped');
    const end = await active.ended;
    expect(end.channels).toBe(1);
    expect(channelsAt(end.path)).toEqual([expected]);
  });

  it('writes silence where nothing was sent', async () => {
    const active = recorder({ track: 'both', channels: 2 });
    hear(active, said);
    active.stop('stopped');
    expect(channelsAt((await active.ended).path)).toEqual([said, new Int16Array(said.length)]);
  });

  it('is a valid file of two channels while it grows', async () => {
    const active = recorder({ track: 'both', channels: 2 });
    converse(active, said, told);
    const path = join(directory, `${RECORDING_SID}.wav`);
    const pcm = await until('two seconds are on disk', () => {
      const file = readdirSync(directory).length > 0 ? readFileSync(path) : Buffer.alloc(0);
      return file.length === 44 + 64_000 && file.readUInt32LE(40) === 64_000 && channelsIn(file);
    });
    expect(pcm).toEqual([said, told]);
    active.stop('stopped');
    await active.ended;
  });

  it('ends at the same sample of both channels', async () => {
    const active = recorder({ track: 'both', channels: 2, maxLengthMs: 1_010 });
    converse(active, said, told);
    const end = await active.ended;
    expect(end).toMatchObject({ reason: 'max-length', storedMs: 1_010 });
    expect(channelsAt(end.path)).toEqual([said.subarray(0, 8_080), told.subarray(0, 8_080)]);
  });

  it('ends only when both are silent', async () => {
    const active = recorder({ track: 'both', silenceMs: 1_000 });
    converse(active, sweep(500), new Int16Array(0));
    converse(active, new Int16Array(0), told);
    converse(active, quiet(980), quiet(980));
    expect(active.over).toBe(false);
    converse(active, quiet(20), quiet(20));
    expect((await active.ended).reason).toBe('silence');
  });

  it('takes silence towards the peer for silence although nothing arrives from it, if only that is recorded', async () => {
    const [one, both] = [
      recorder({ track: 'outbound', silenceMs: 500 }),
      recorder({ track: 'both', silenceMs: 500, recordingSid: `RE${'2'.repeat(32)}` }),
    ];
    for (const active of [one, both]) gap(active, 500);
    expect(await one.ended).toMatchObject({ reason: 'silence', durationMs: 500, silent: true });
    expect(both.over).toBe(false);
    both.stop('stopped');
    await both.ended;
  });

  it('trims only what is silent on both tracks', async () => {
    const active = recorder({ track: 'both', channels: 2, trim: true });
    const [first, second] = [sweep(400, 300, 900), sweep(400, 1_500, 2_500)];
    converse(active, quiet(2_000), quiet(2_000));
    converse(active, first, quiet(400));
    converse(active, quiet(400), second);
    converse(active, quiet(2_000), quiet(2_000));
    active.stop('stopped');
    const end = await active.ended;
    expect(end.durationMs).toBe(4_800);
    const [left = quiet(0), right = quiet(0)] = channelsAt(end.path);
    expect(left.length).toBe(right.length);
    expect(left.length).toBe(end.storedMs * 8);
    expect(end.storedMs).toBeGreaterThanOrEqual(800);
    expect(end.storedMs).toBeLessThanOrEqual(1_020);
    expect(locate(second, right).at - locate(first, left).at).toBe(3_200);
  });
});

describe('pausing', () => {
  const parts = [sweep(500, 300, 400), sweep(500, 800, 900), sweep(500, 1_500, 1_600)] as const;

  it.each([
    ['skip', 1_000],
    ['silence', 1_500],
  ] as const)('%s', async (behavior, ms) => {
    const active = recorder({ track: 'both', channels: 2, silenceMs: 300 });
    converse(active, parts[0], parts[0]);
    active.pause(behavior);
    converse(active, parts[1], parts[1]);
    active.resume();
    converse(active, parts[2], parts[2]);
    active.stop('stopped');
    const end = await active.ended;
    expect(end).toMatchObject({ reason: 'stopped', durationMs: ms, storedMs: ms });
    const expected = new Int16Array(ms * 8);
    expected.set(parts[0]);
    expected.set(parts[2], ms * 8 - 4_000);
    expect(channelsAt(end.path)).toEqual([expected, expected]);
  });

  it('changes from one behaviour to the other and does not mind being resumed twice', async () => {
    const active = recorder();
    active.pause('skip');
    hear(active, parts[0]);
    active.pause('silence');
    hear(active, parts[1]);
    active.resume();
    active.resume();
    active.stop('stopped');
    expect(await active.ended).toMatchObject({ durationMs: 500, silent: true });
  });

  it('ends at the greatest length also while silence takes the place of what is heard', async () => {
    const active = recorder({ maxLengthMs: 600 });
    active.pause('silence');
    hear(active, sweep(1_000));
    expect(await active.ended).toMatchObject({ reason: 'max-length', durationMs: 600 });
  });
});
