import type { MessagePort } from 'node:worker_threads';
import { decodeAudio } from './decode.ts';
import { type FliteVoice, loadFlite } from './flite-voice.ts';

/** What a speech thread is asked, one job at a time. */
export type SpeechJob =
  | { readonly kind: 'speak'; readonly text: string; readonly voice: FliteVoice }
  | { readonly kind: 'decode'; readonly body: Uint8Array; readonly contentType: string };

/** What it answers: audio, what is wrong with a file, or why the job itself failed. */
export type SpeechAnswer =
  | { readonly pcm: Int16Array<ArrayBuffer> }
  | { readonly problem: string }
  | { readonly failed: string };

/** The whole of a speech thread. Posts one answer for each job. */
export function runSpeechThread(port: MessagePort): void {
  let flite: ReturnType<typeof loadFlite> | undefined;

  async function work(job: SpeechJob): Promise<SpeechAnswer> {
    if (job.kind === 'decode') {
      const decoded = await decodeAudio(job.body, job.contentType);
      return 'pcm' in decoded ? { pcm: new Int16Array(decoded.pcm) } : decoded;
    }
    flite ??= loadFlite();
    const speak = await flite;
    return { pcm: new Int16Array(await speak(job.text, job.voice)) };
  }

  port.on('message', (job: SpeechJob) => {
    work(job)
      .catch((error: unknown): SpeechAnswer => ({ failed: String(error) }))
      .then(
        (answer) => port.postMessage(answer, 'pcm' in answer ? [answer.pcm.buffer] : []),
        (error: unknown) => {
          throw error; // the answer could not be posted: the thread ends, and its job with it
        },
      );
  });
}
