import { afterAll, describe, expect, it } from 'vitest';
import { writeWav } from '../../../src/media/wav.ts';
import { createFliteSpeech } from '../../../src/speech/flite.ts';
import { createSimulatedSpeech } from '../../../src/speech/simulated.ts';
import { SpeechThreads } from '../../../src/speech/speech-threads.ts';

const script = new URL('../../../dist/workers/speech.js', import.meta.url);
const never = new AbortController().signal;
const MAN = { voice: 'man', language: 'en-US' };
const speech = createFliteSpeech({ script });

afterAll(() => speech.close());

function loudest(pcm: Int16Array): number {
  return pcm.reduce((loud, sample) => Math.max(loud, Math.abs(sample)), 0);
}

describe('flite', () => {
  it('speaks at the pace of speech, the same way every time', async () => {
    const text = 'Hello world, this is a test.';
    const { pcm, substituted } = await speech.speak(text, MAN, never);
    expect(substituted).toBeUndefined();
    expect(pcm.length / 8_000).toBeGreaterThan(1.5);
    expect(pcm.length / 8_000).toBeLessThan(3.5);
    expect(loudest(pcm)).toBeGreaterThan(5_000);
    const other = createFliteSpeech({ script });
    expect((await other.speak(text, MAN, never)).pcm).toEqual(pcm);
    await other.close();
  });

  it('gives the same samples for the same text, while it is being spoken and afterwards', async () => {
    const [one, two] = await Promise.all([
      speech.speak('Again and again.', MAN, never),
      speech.speak('Again and again.', MAN, never),
    ]);
    expect(two.pcm).toBe(one.pcm);
    expect((await speech.speak('Again and again.', MAN, never)).pcm).toBe(one.pcm);
  });

  it('has a voice for a woman', async () => {
    const [man, woman, alice] = await Promise.all(
      ['man', 'woman', 'alice'].map((voice) => speech.speak('Good morning.', { ...MAN, voice }, never)),
    );
    expect(woman?.substituted).toBeUndefined();
    expect(woman?.pcm).not.toEqual(man?.pcm);
    expect(alice?.pcm).toEqual(woman?.pcm);
    expect(loudest(woman?.pcm ?? new Int16Array(0))).toBeGreaterThan(5_000);
  });

  it.each([
    [{ voice: 'Polly.Joanna', language: 'en-US' }, ['voice']],
    [{ voice: 'man', language: 'fr-FR' }, ['language']],
    [{ voice: 'Google.de-DE-Standard-A', language: 'de-DE' }, ['voice', 'language']],
  ])('says what it could not honour of %j', async (asked, missing) => {
    expect((await speech.speak('Bonjour', asked, never)).substituted).toEqual({
      voice: 'kal',
      asked: missing,
    });
    expect((await createSimulatedSpeech().speak('Bonjour', asked, never)).substituted).toEqual({
      voice: 'kal',
      asked: missing,
    });
  });

  it.each(['', 'en', 'en-GB', 'EN-us'])('takes the language "%s" as English', async (language) => {
    expect((await speech.speak('Yes.', { voice: 'man', language }, never)).substituted).toBeUndefined();
  });

  it.each(['Café Zoë’s “naïve” résumé', 'a\0b', '-o /etc/passwd', '$(id) `id` <b>&amp;', 'x'.repeat(300)])(
    'speaks %j',
    async (text) => {
      expect((await speech.speak(text, MAN, never)).pcm.length).toBeGreaterThan(1_600);
    },
  );

  it('goes on while many long files are decoded', async () => {
    const both = createFliteSpeech({ script, threads: 2 });
    const file = writeWav(new Int16Array(20 * 44_100));
    file.writeUInt32LE(44_100, 24); // the rate: it has to be resampled
    let left = 24; // some seconds of work
    const files = Array.from({ length: left }, () => both.decode(file, 'audio/wav').finally(() => left--));
    await both.speak('Good morning.', MAN, never);
    expect(left).toBeGreaterThan(4); // not behind them
    await Promise.all(files);
    await both.close();
  });

  it('has nothing to say for text without a letter it knows', async () => {
    for (const text of ['', '   ', '你好'])
      expect((await speech.speak(text, MAN, never)).pcm).toHaveLength(0);
  });

  it('rejects with the reason of an abort', async () => {
    const controller = new AbortController();
    const speaking = speech.speak('This sentence will not be heard to its end.', MAN, controller.signal);
    const reason = new Error('hung up');
    controller.abort(reason);
    await expect(speaking).rejects.toBe(reason);
    await expect(speech.speak('Hello', MAN, controller.signal)).rejects.toBe(reason);
  });

  it('decodes in the same threads', async () => {
    const pcm = Int16Array.from([1, 2, 3]);
    expect(await speech.decode(writeWav(pcm), 'audio/wav')).toEqual({ pcm });
  });
});

describe('speech threads', () => {
  it('fail the job of a thread that dies, and go on', async () => {
    const dying = new SpeechThreads(
      new URL(
        `data:text/javascript,${encodeURIComponent(`
        import { parentPort } from 'node:worker_threads';
        parentPort.on('message', (job) => {
          if (job.text === 'die') process.exit(3);
          parentPort.postMessage({ pcm: new Int16Array(1) });
        });`)}`,
      ),
      1,
    );
    const jobs = ['live', 'die', 'live'].map((text) => dying.run({ kind: 'speak', text, voice: 'kal' }));
    const [first, second, third] = await Promise.allSettled(jobs);
    expect(first?.status).toBe('fulfilled');
    expect(second).toMatchObject({
      status: 'rejected',
      reason: { message: expect.stringContaining('code 3') },
    });
    expect(third?.status).toBe('fulfilled');
    await dying.close();
    await expect(dying.run({ kind: 'speak', text: 'live', voice: 'kal' })).rejects.toThrow('closed');
  });

  it('reject what is waiting when they are closed', async () => {
    const threads = createFliteSpeech({ script, threads: 1 });
    const jobs = ['one', 'two', 'three'].map((text) => threads.speak(text, MAN, never));
    const settled = Promise.allSettled(jobs);
    await threads.close();
    for (const { status } of await settled) expect(status).toBe('rejected');
  });
});

describe('simulated speech', () => {
  it('is silence of 60 ms a character', async () => {
    const { pcm } = await createSimulatedSpeech().speak('0123456789', MAN, never);
    expect(pcm).toEqual(new Int16Array(4_800));
  });
});
