import { parentPort, workerData } from 'node:worker_threads';
import { runRelayThread } from '../src/media/threads/relay-thread.ts';

if (!parentPort) throw new Error('edge-media runs as a worker thread of an edge process');
await runRelayThread(parentPort, workerData);
