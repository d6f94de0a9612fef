import { parentPort } from 'node:worker_threads';
import { runSpeechThread } from '../src/speech/speech-thread.ts';

if (!parentPort) throw new Error('speech runs as a worker thread of a call worker');
runSpeechThread(parentPort);
