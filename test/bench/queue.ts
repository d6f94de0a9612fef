import { Redis } from 'ioredis';
import { SystemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { createBullCallQueue } from '../../src/queue/bullmq/call-queue.ts';
import { REGIONS } from '../../src/region/region.ts';
import { callJob } from '../support/call-job.ts';
import { startRedis } from '../support/redis.ts';

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface QueueResult {
  /** From the start of `add` at the edge to the job in the hands of a waiting worker. */
  readonly dispatch: Latency;
  /** The same way through Redis with nothing around it: LPUSH and a blocking pop. */
  readonly floor: Latency;
  /** Median over median: what holds from machine to machine. */
  readonly ratio: number;
}

const never = new AbortController().signal;

/** Dispatch of `jobs` calls, one at a time, beside the floor, alternating in one run on a Redis of its own. */
export async function benchQueue(jobs = 2_000): Promise<QueueResult> {
  const server = await startRedis();
  const options = {
    connection: server.url,
    region: REGIONS.ie1,
    clock: new SystemClock(),
    logger: silentLogger,
  };
  const edge = createBullCallQueue(options);
  const worker = createBullCallQueue(options);
  const [pushing, popping] = [new Redis(server.url), new Redis(server.url)];

  const dispatch = async () => {
    const taking = worker.take(never);
    const job = callJob();
    const begun = performance.now();
    await edge.add(job);
    const taken = await taking;
    const ms = performance.now() - begun;
    await taken?.complete('granted');
    return ms;
  };
  const floor = async () => {
    const taking = popping.brpop('floor', 0);
    const body = JSON.stringify(callJob());
    const begun = performance.now();
    await pushing.lpush('floor', body);
    await taking;
    return performance.now() - begun;
  };

  try {
    for (let n = 0; n < 100; n++) await floor().then(dispatch); // warm both up
    const dispatched: number[] = [];
    const floored: number[] = [];
    for (let n = 0; n < jobs; n++) {
      dispatched.push(await dispatch());
      floored.push(await floor());
    }
    const [ours, bare] = [latency(dispatched), latency(floored)];
    return { dispatch: ours, floor: bare, ratio: ours.p50Ms / bare.p50Ms };
  } finally {
    await Promise.all([edge.close(), worker.close()]);
    for (const redis of [pushing, popping]) redis.disconnect();
    await server.stop();
  }
}

function latency(samples: readonly number[]): Latency {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}
