import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.ts';
import { readWav } from '../../../src/media/wav.ts';
import { recoverRecordings } from '../../../src/runtime/lost-recordings.ts';
import { createMemoryCallStore } from '../../../src/storage/memory/call-store.ts';
import { callRecord, recordingRecord } from '../../support/call-record.ts';

const spoolDir = mkdtempSync(join(tmpdir(), 'trunkline-spool-'));
afterAll(() => rmSync(spoolDir, { recursive: true, force: true }));

describe('what a lost worker recorded', () => {
  it('is stored as far as it went; a recording without audio is left alone, its file removed', async () => {
    const clock = new VirtualClock();
    const store = createMemoryCallStore(clock);
    const call = callRecord(1, { status: 'completed' });
    await store.save(call);
    const [half, none, done] = [1, 2, 3].map((n) =>
      recordingRecord(n, 1, {
        status: n === 3 ? 'completed' : 'in-progress',
      }),
    );
    if (!half || !none || !done) throw new Error('three recordings');
    for (const recording of [half, none, done]) await store.saveRecording(recording);
    // Two and a half seconds, a header that knows of none, and a torn last sample.
    writeFileSync(join(spoolDir, `${half.sid}.wav`), Buffer.alloc(44 + 40_000 + 1));
    writeFileSync(join(spoolDir, `${none.sid}.wav`), Buffer.alloc(44)); // it died before it wrote a sample

    const { recovered, gone } = await recoverRecordings(call, { store, spoolDir, clock });

    expect(recovered.map(({ record }) => [record.sid, record.status, record.duration])).toEqual([
      [half.sid, 'processing', '3'],
    ]);
    expect(gone).toEqual([none]);
    const wav = readWav(readFileSync(join(spoolDir, `${half.sid}.wav`)));
    expect('pcm' in wav && wav.pcm.length).toBe(20_000);
    expect((await store.fetchRecording(half.sid))?.status).toBe('processing');
    expect(existsSync(join(spoolDir, `${none.sid}.wav`))).toBe(false);
    expect((await store.fetchRecording(none.sid))?.status).toBe('in-progress');
    expect((await recoverRecordings(call, { store, spoolDir, clock })).recovered).toEqual([]);
  });

  it('is stored with both its channels, also when it was paused', async () => {
    const clock = new VirtualClock();
    const store = createMemoryCallStore(clock);
    const call = callRecord(2, { status: 'completed' });
    const callback = { url: 'http://app.test/rec', method: 'POST', events: ['completed'] } as const;
    const recording = recordingRecord(4, 2, { status: 'paused', channels: 2, source: 'DialVerb', callback });
    await store.saveRecording(recording);
    const path = join(spoolDir, `${recording.sid}.wav`);
    writeFileSync(path, Buffer.alloc(44 + 64_000 + 2)); // two seconds, and half of a pair of samples

    const { recovered } = await recoverRecordings(call, { store, spoolDir, clock });

    expect(recovered.map(({ record }) => [record.status, record.duration])).toEqual([['processing', '2']]);
    expect(recovered.map((lost) => lost.callback)).toEqual([callback]);
    expect(await store.fetchRecording(recording.sid)).not.toHaveProperty('callback');
    const header = readFileSync(path);
    expect([header.readUInt16LE(22), header.readUInt32LE(40)]).toEqual([2, 64_000]);
  });
});
