import { beforeEach, describe, expect, it } from 'vitest';
import { newCallRecord } from '../../../src/call/call-records.ts';
import { recordingKey, transcriptionKey } from '../../../src/call/keys.ts';
import { newRecording } from '../../../src/call/recording-records.ts';
import type { CallbackTask } from '../../../src/call/tasks.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { writeWav } from '../../../src/media/wav.ts';
import { createMemoryTaskQueue } from '../../../src/queue/memory/task-queue.ts';
import { REGIONS } from '../../../src/region/region.ts';
import { createCallArchive } from '../../../src/runtime/call-archive.ts';
import { Transcriber } from '../../../src/runtime/transcriber.ts';
import type { SpeechToText } from '../../../src/speech/port.ts';
import { createMemoryBucket } from '../../../src/storage/memory/bucket.ts';
import { createMemoryCallStore } from '../../../src/storage/memory/call-store.ts';
import { callJob } from '../../support/call-job.ts';
import { sid } from '../../support/call-record.ts';

const TR = sid('TR', 1);
const ORDER = { sid: TR, callback: 'https://example.com/transcribed' };

class World {
  readonly clock = new VirtualClock(Date.UTC(2026, 0, 15));
  readonly store = createMemoryCallStore(this.clock);
  readonly bucket = createMemoryBucket('trunkline-ie1');
  readonly callbacks = createMemoryTaskQueue<CallbackTask>(this.clock);
  readonly job = callJob({ createdAt: this.clock.now() });
  /** Told the samples; gives the text. */
  listen: (samples: number) => Promise<string> = async (samples) => `${samples / 8_000} seconds of speech`;
  readonly speech: SpeechToText = {
    languageFor: (asked) => asked,
    recognise: async (audio) => {
      let samples = 0;
      for await (const pcm of audio) samples += pcm.length;
      return { text: await this.listen(samples), confidence: 0.5 };
    },
  };
  readonly transcriber: Transcriber;

  constructor(recognises = true) {
    const { clock, store, bucket, callbacks } = this;
    const speech = recognises ? this.speech : undefined;
    const options = {
      region: REGIONS.ie1,
      store,
      bucket,
      callbacks,
      speech,
      clock,
      logger: silentLogger,
    };
    this.transcriber = new Transcriber(options, createCallArchive(store, bucket));
  }

  /** A stored recording of this length, of which a transcription has been ordered. */
  async recorded(seconds: number, status: 'completed' | 'absent' = 'completed') {
    const { store, bucket, job, clock } = this;
    await store.save(newCallRecord(job));
    const facts = { ...job, parentCallSid: null };
    const begun = newRecording(
      { statusCallback: null },
      facts,
      'ie1',
      sid('RE', 1),
      clock.now(),
      'http://api.test',
    );
    const recording = { ...begun, status, duration: String(Math.round(seconds)) };
    await store.saveRecording(recording);
    const wav = writeWav(new Int16Array(seconds * 8_000));
    if (status === 'completed')
      await bucket.put(recordingKey(job.accountSid, recording.sid, 'wav'), wav, 'audio/wav');
    await this.transcriber.begin(recording, ORDER);
    return recording;
  }

  run(last = false): Promise<void> {
    return this.transcriber.transcribe(sid('RE', 1), ORDER, last);
  }

  kept() {
    return this.store.fetchTranscription(TR);
  }

  async told() {
    return this.callbacks.added.map(({ url, method, params }) => ({ url, method, ...params }));
  }

  async codes(): Promise<number[]> {
    const timeline = await this.store.timeline(this.job.callSid);
    return timeline.flatMap((event) => (event.type === 'diagnostic' ? [event.code] : []));
  }
}

describe('the transcription of a recording', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });

  it('is kept in the index and the bucket, noted in the timeline, and told with POST', async () => {
    const recording = await world.recorded(5);
    expect(await world.kept()).toMatchObject({ status: 'in-progress', text: '', duration: 5 });
    world.clock.tick(3_000);
    await world.run();
    expect(await world.kept()).toMatchObject({
      status: 'completed',
      text: '5 seconds of speech',
      updatedAt: world.clock.now(),
    });
    const object = await world.bucket.get(transcriptionKey(world.job.accountSid, TR));
    expect(JSON.parse(object?.toString() ?? '')).toMatchObject({
      sid: TR,
      transcription_text: '5 seconds of speech',
      status: 'completed',
      region: 'ie1',
    });
    expect(object?.toString()).not.toContain('example.com');
    expect(await world.store.timeline(world.job.callSid)).toMatchObject([
      { type: 'transcription', transcription: TR, recording: recording.sid, status: 'completed' },
    ]);
    expect(await world.told()).toMatchObject([
      {
        url: ORDER.callback,
        method: 'POST',
        CallSid: world.job.callSid,
        From: world.job.from,
        Direction: 'inbound',
        TranscriptionSid: TR,
        TranscriptionText: '5 seconds of speech',
        TranscriptionStatus: 'completed',
        TranscriptionUrl: `${recording.media_url}/Transcriptions/${TR}`,
        RecordingSid: recording.sid,
        RecordingUrl: recording.media_url,
      },
    ]);
  });

  it('is made once, however often its task runs', async () => {
    await world.recorded(5);
    let made = 0;
    world.listen = async () => `version ${++made}`;
    for (let i = 0; i < 3; i++) await world.run();
    expect(await world.kept()).toMatchObject({ text: 'version 1' });
    expect(await world.store.timeline(world.job.callSid)).toHaveLength(1);
  });

  it.each([
    ['two seconds are too short', 2, 'completed', 13617],
    ['more than two minutes are too long', 121, 'completed', 13617],
    ['there is nothing of an absent one', 0, 'absent', 13618],
  ] as const)('fails: %s', async (_, seconds, status, code) => {
    await world.recorded(seconds, status);
    await world.run();
    expect(await world.kept()).toMatchObject({ status: 'failed', text: '' });
    expect(await world.codes()).toEqual([code]);
    expect(await world.told()).toMatchObject([{ TranscriptionStatus: 'failed', TranscriptionText: '' }]);
  });

  it('is made of two minutes', async () => {
    await world.recorded(120);
    await world.run();
    expect(await world.kept()).toMatchObject({ status: 'completed', text: '120 seconds of speech' });
  });

  it('is tried again, and fails with the last attempt', async () => {
    await world.recorded(5);
    world.listen = async () => {
      throw new Error('no model');
    };
    await expect(world.run()).rejects.toThrow('no model');
    expect(await world.kept()).toMatchObject({ status: 'in-progress' });
    await world.run(true);
    expect(await world.kept()).toMatchObject({ status: 'failed' });
    expect(await world.codes()).toEqual([13620]);
  });

  it('fails where nobody recognises speech any more', async () => {
    world = new World(false);
    await world.recorded(5);
    await world.run();
    expect(await world.codes()).toEqual([13620]);
  });

  it('fails, and is told of, when the recording was deleted before', async () => {
    const { media_url } = await world.recorded(5);
    await world.store.deleteRecording(sid('RE', 1));
    await world.run();
    expect(await world.kept()).toMatchObject({ status: 'failed', text: '' });
    expect(await world.codes()).toEqual([13618]);
    expect(await world.told()).toMatchObject([{ TranscriptionStatus: 'failed', RecordingUrl: media_url }]);
  });

  it('comes to nothing when it was deleted meanwhile', async () => {
    await world.recorded(5);
    await world.store.deleteTranscription(TR);
    await world.run();
    expect(await world.told()).toEqual([]);
    expect(await world.bucket.get(transcriptionKey(world.job.accountSid, TR))).toBeUndefined();
  });

  it('is told as it is stored, however often what orders it runs', async () => {
    const recording = await world.recorded(5);
    await world.run();
    await world.transcriber.begin(recording, ORDER);
    expect(await world.kept()).toMatchObject({ status: 'completed' });
  });

  it('waits for another time when enough of them are being made', async () => {
    await world.recorded(5);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    world.listen = async () => {
      await held;
      return 'at last';
    };
    const running = [1, 2, 3, 4].map(() => world.run());
    await new Promise((resolve) => setImmediate(resolve));
    await expect(world.run()).rejects.toThrow('enough recordings are being transcribed');
    release();
    await Promise.all(running);
    expect(await world.kept()).toMatchObject({ text: 'at last' });
  });
});
