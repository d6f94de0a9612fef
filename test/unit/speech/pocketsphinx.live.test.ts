import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/core/clock.ts';
import { createFliteSpeech } from '../../../src/speech/flite.ts';
import { createPocketsphinx } from '../../../src/speech/pocketsphinx.ts';
import type { RecognitionOptions } from '../../../src/speech/port.ts';
import { notRun, peer } from '../../support/peers.ts';
import { until } from '../../support/until.ts';

const clock = new SystemClock();
const never = new AbortController().signal;
const asked: RecognitionOptions = { language: 'en-US', hints: [], model: 'default', profanityFilter: true };

async function* pieces(pcm: Int16Array): AsyncGenerator<Int16Array> {
  for (let at = 0; at < pcm.length; at += 800) yield pcm.subarray(at, at + 800);
}

const binary = peer('pocketsphinx_continuous');
if (!binary)
  notRun(
    'pocketsphinx',
    'pocketsphinx_continuous (Debian: pocketsphinx pocketsphinx-en-us) is not installed',
  );
else
  describe('pocketsphinx', () => {
    const flite = createFliteSpeech({ script: new URL('../../../dist/workers/speech.js', import.meta.url) });
    const speech = createPocketsphinx({ clock, binary });
    afterAll(() => flite.close());

    const say = async (text: string) => {
      const { pcm } = await flite.speak(text, { voice: 'man', language: 'en-US' }, never);
      const around = new Int16Array(4_000);
      return Int16Array.of(...around, ...pcm, ...around);
    };

    it('understands phrases that it was told to expect', async () => {
      const partial: string[] = [];
      const hints = ['yes please', 'no thanks', 'accounts department'];
      const onPartial = ({ stable }: { stable: string }) => partial.push(stable);
      const audio = pieces(await say('no thanks'));
      const said = await speech.recognise(audio, { ...asked, hints, onPartial }, never);
      expect(said).toEqual({ text: 'no thanks', confidence: undefined });
      expect(partial.at(-1)).toBe('no thanks');
    });

    it('understands something of free speech, and says how sure it is', async () => {
      const said = await speech.recognise(pieces(await say('I would like to book a table')), asked, never);
      expect(said.text).toContain('i would like');
      expect(said.confidence).toBeGreaterThan(0);
      expect(said.confidence).toBeLessThanOrEqual(1);
    });

    it('understands nothing in silence', async () => {
      expect((await speech.recognise(pieces(new Int16Array(8_000)), asked, never)).text).toBe('');
    });

    it('speaks English only', () => {
      expect(['en-GB', 'en', 'fr-FR'].map((tag) => speech.languageFor(tag))).toEqual([
        'en-GB',
        'en',
        'en-US',
      ]);
    });
  });

describe('the process that recognises', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const program = async (name: string, script: string) => {
    const path = join(folder, name);
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return path;
  };
  const one = () => pieces(new Int16Array(1_600));

  it('that fails is an error', async () => {
    const failing = createPocketsphinx({ clock, binary: await program('failing', 'cat >/dev/null; exit 3') });
    await expect(failing.recognise(one(), asked, never)).rejects.toThrow('ended with 3');
    const missing = createPocketsphinx({ clock, binary: join(folder, 'missing') });
    await expect(missing.recognise(one(), asked, never)).rejects.toThrow('ended with 127');
  });

  it('that reads nothing and never ends is killed', async () => {
    const stuck = createPocketsphinx({
      clock,
      binary: await program('stuck', 'exec sleep 1000'),
      patienceMs: 10,
    });
    await expect(stuck.recognise(one(), asked, never)).rejects.toThrow('SIGKILL');
  });

  it('is killed when nobody wants its result any more, and another takes its place', async () => {
    const dictionary = join(folder, 'words');
    await writeFile(dictionary, 'yes Y EH S\n');
    const started = join(folder, 'started');
    const binary = await program(
      'waiting',
      `if [ -e ${started} ]; then echo yes; exec cat >/dev/null; fi; touch ${started}; exec sleep 1000`,
    );
    const speech = createPocketsphinx({ clock, binary, dictionary, most: 1 });
    const before = await grammars();
    const gone = new AbortController();
    const first = speech.recognise(one(), { ...asked, hints: ['yes'] }, gone.signal);
    first.catch(() => {});
    const second = speech.recognise(one(), asked, never);
    await until('the first process', async () => (await readdir(folder)).includes('started'));
    gone.abort(new Error('hung up'));
    await expect(first).rejects.toThrow('hung up');
    expect((await second).text).toBe('yes');
    expect(await grammars()).toEqual(before);
  });
});

const grammars = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('trunkline-speech-'));
