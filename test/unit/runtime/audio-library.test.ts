import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/core/clock.ts';
import { RandomIds } from '../../../src/core/ids.ts';
import { writeWav } from '../../../src/media/wav.ts';
import { createAudioLibrary } from '../../../src/runtime/audio-library.ts';
import type { AudioDecoder, TextToSpeech } from '../../../src/speech/port.ts';
import { createSimulatedSpeech } from '../../../src/speech/simulated.ts';
import type { AudioLibrary } from '../../../src/twiml/interpreter/world.ts';
import { createHttpClient } from '../../../src/webhook/http-adapter.ts';
import type { HttpClient, WebhookAttempt } from '../../../src/webhook/port.ts';
import { WebhookApp } from '../../support/webhook-app.ts';

const never = new AbortController().signal;
const PCM = Int16Array.from({ length: 800 }, (_, i) => (i * 37) % 5_000);
const WAV = writeWav(PCM);
const wav = { body: WAV, headers: { 'content-type': 'audio/x-wav' } };

let app: WebhookApp;
let http: HttpClient;
let attempts: WebhookAttempt[];
let decodes: number;

beforeEach(async () => {
  app = await WebhookApp.start();
  http = createHttpClient({ clock: new SystemClock(), allowPrivate: true });
  attempts = [];
  decodes = 0;
});

afterEach(async () => {
  await http.close();
  await app.stop();
});

function library(speech: Partial<TextToSpeech & AudioDecoder> = {}): AudioLibrary {
  const simulated = createSimulatedSpeech();
  const decode: AudioDecoder['decode'] = (body, contentType) => {
    decodes += 1;
    return simulated.decode(body, contentType);
  };
  return createAudioLibrary({
    tts: { ...simulated, decode, ...speech },
    http,
    clock: new SystemClock(),
    ids: new RandomIds(),
    onAttempt: (attempt) => attempts.push(attempt),
  });
}

describe('media', () => {
  it('is fetched with GET, unsigned, without parameters or cookies of a call', async () => {
    const url = app.on('/a.wav', { ...wav, cookies: ['a=1'] });
    const audio = library();
    expect(await audio.media(`${url}?v=1#ct=10000`, never)).toMatchObject({ pcm: PCM });
    await audio.media(`${url}?v=1`, never);
    for (const request of app.seen) {
      expect(request).toMatchObject({ method: 'GET', path: '/a.wav?v=1', body: '' });
      expect(request.headers['x-twilio-signature']).toBeUndefined();
      expect(request.headers.cookie).toBeUndefined();
    }
    expect(attempts).toMatchObject([
      { url: `${url}?v=1`, status: 200, contentType: 'audio/x-wav', bytes: WAV.length },
      { status: 200 },
    ]);
  });

  it('may be larger than a document, redirected and behind a password', async () => {
    const large = writeWav(new Int16Array(200_000));
    const authorization = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    app.on('/b.wav', ({ headers }) =>
      headers.authorization === authorization ? { ...wav, body: large } : { status: 401 },
    );
    const host = `127.0.0.1:${app.port}`;
    const url = app.on('/a.wav', { redirect: `http://me:secret@${host}/b.wav` });
    expect(await library().media(url, never)).toMatchObject({ pcm: { length: 200_000 } });
  });

  it.each([
    [{ etag: '"v1"' }, 'if-none-match', '"v1"'],
    [
      { 'last-modified': 'Fri, 20 Nov 2026 10:00:00 GMT' },
      'if-modified-since',
      'Fri, 20 Nov 2026 10:00:00 GMT',
    ],
    [{ etag: '"v1"', 'cache-control': 'no-cache, max-age=100' }, 'if-none-match', '"v1"'],
  ])('with %j is asked for again, and decoded once', async (validators, condition, value) => {
    const url = app.on('/a.wav', ({ headers }) =>
      headers[condition] === value ? { status: 304 } : { ...wav, headers: { ...wav.headers, ...validators } },
    );
    const audio = library();
    const first = await audio.media(url, never);
    const second = await audio.media(url, never);
    expect(second).toBe(first);
    expect(app.seen).toHaveLength(2);
    expect(decodes).toBe(1);
  });

  it('within its max-age is not asked for again', async () => {
    const url = app.on('/a.wav', { ...wav, headers: { ...wav.headers, 'cache-control': 'max-age=100' } });
    const audio = library();
    const first = await audio.media(url, never);
    expect(await audio.media(url, never)).toBe(first);
    expect(app.seen).toHaveLength(1);
  });

  it('that changed is heard anew, under another id', async () => {
    const other = writeWav(new Int16Array(80).fill(9));
    const url = app.on('/a.wav', (_, nth) => ({ ...wav, body: nth === 1 ? WAV : other }));
    const audio = library();
    const first = await audio.media(url, never);
    const second = await audio.media(url, never);
    expect(second).toMatchObject({ pcm: new Int16Array(80).fill(9) });
    expect('id' in first && 'id' in second && first.id !== second.id).toBe(true);
  });

  it.each([
    [{ status: 404 }, 11200],
    [{ body: 'hello', headers: { 'content-type': 'text/html' } }, 13420],
    [{ body: WAV, headers: { 'content-type': 'audio/x-gsm' } }, 13420],
    [{ body: 'RIFF of lies', headers: { 'content-type': 'audio/wav' } }, 13420],
    [{ raw: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n' }, 13420],
    [{ ...wav, close: 'mid-body' as const }, 11206],
  ])('%j is %i', async (reply, code) => {
    const url = app.on('/a.wav', reply);
    expect(await library().media(url, never)).toMatchObject({ code, level: 'error', url });
  });

  it('at a bad URL is 11100', async () => {
    expect(await library().media('a.wav', never)).toMatchObject({ code: 11100 });
  });

  it('that a call no longer wants keeps it waiting for no decoder', async () => {
    const url = app.on('/a.wav', wav);
    const controller = new AbortController();
    const reason = new Error('hung up');
    const decode = () => {
      controller.abort(reason);
      return new Promise<never>(() => {});
    };
    await expect(library({ decode }).media(url, controller.signal)).rejects.toBe(reason);
  });

  it('rejects with the reason of an abort', async () => {
    const controller = new AbortController();
    const fetching = library().media(app.on('/a.wav', { hang: true }), controller.signal);
    await app.received(1);
    const reason = new Error('hung up');
    controller.abort(reason);
    await expect(fetching).rejects.toBe(reason);
  });
});

describe('speech', () => {
  const voice = { voice: 'man', language: 'en-US' };

  it('is a clip named after what is said, by whom', async () => {
    const audio = library();
    const { clip, diagnostics } = await audio.speech('Hello', voice, never);
    expect(clip.pcm).toHaveLength(2_400);
    expect(diagnostics).toEqual([]);
    expect((await audio.speech('Hello', voice, never)).clip.id).toBe(clip.id);
    expect((await audio.speech('Hello!', voice, never)).clip.id).not.toBe(clip.id);
    expect((await audio.speech('Hello', { ...voice, voice: 'woman' }, never)).clip.id).not.toBe(clip.id);
  });

  it('states the voice and the language that are not installed', async () => {
    const asked = { voice: 'Polly.Mathieu', language: 'fr-FR' };
    expect((await library().speech('Bonjour', asked, never)).diagnostics).toMatchObject([
      { code: 13511, level: 'warning', actual: 'Polly.Mathieu', message: expect.stringContaining('kal') },
      { code: 13512, level: 'warning', actual: 'fr-FR' },
    ]);
  });

  it('that has no sound is 13520', async () => {
    expect((await library().speech('', voice, never)).diagnostics).toMatchObject([{ code: 13520 }]);
  });

  it('that fails is silence and 12400; an abort is the abort', async () => {
    const audio = library({ speak: () => Promise.reject(new Error('no voice')) });
    expect(await audio.speech('Hello', voice, never)).toMatchObject({
      clip: { pcm: new Int16Array(0) },
      diagnostics: [{ code: 12400, level: 'error' }],
    });
    const reason = new Error('hung up');
    await expect(audio.speech('Hello', voice, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

describe('decode', () => {
  it('plays a webhook answer that is audio, and refuses one that is not', async () => {
    expect(await library().decode(WAV, 'audio/wav')).toMatchObject({ pcm: PCM });
    expect(await library().decode(WAV, 'audio/ogg')).toMatchObject({ code: 13420 });
  });

  it('that fails is 12400', async () => {
    const audio = library({ decode: () => Promise.reject(new Error('the thread died')) });
    expect(await audio.decode(WAV, 'audio/wav')).toMatchObject({ code: 12400 });
  });
});
