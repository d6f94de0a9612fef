import { parentPort, workerData } from 'node:worker_threads';
import { runMediaThread } from '../src/media/threads/media-thread.ts';

if (!parentPort) throw new Error('region-media runs as a worker thread of a call worker');
await runMediaThread(parentPort, workerData);
