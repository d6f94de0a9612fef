import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallQueue } from '../../src/queue/port.ts';
import { callJob } from '../support/call-job.ts';
import { until } from '../support/until.ts';

const never = new AbortController().signal;

/** What every CallQueue does. `open` gives a new view of the same queue: a producer, a worker. */
export function callQueueConformance(
  name: string,
  setUp: () => Promise<{ open(): CallQueue; tearDown(): Promise<void> }>,
): void {
  describe(`CallQueue: ${name}`, () => {
    let backend: Awaited<ReturnType<typeof setUp>>;
    let queue: CallQueue;
    beforeEach(async () => {
      backend = await setUp();
      queue = backend.open();
    });
    afterEach(async () => {
      await queue.close();
      await backend.tearDown();
    });

    it('hands jobs over in order, exactly as they were added', async () => {
      const jobs = [callJob(), callJob({ sip: { ...callJob().sip, headers: { 'X-Id': 'ä"1' } } }), callJob()];
      for (const job of jobs) await queue.add(job);
      expect(await queue.waiting()).toBe(3);
      for (const job of jobs) {
        const taken = await queue.take(never);
        expect(taken?.job).toEqual(job);
        await taken?.complete('granted');
      }
      expect(await queue.waiting()).toBe(0);
    });

    it('wakes a waiting taker', async () => {
      const taking = queue.take(never);
      const job = callJob();
      await queue.add(job);
      const taken = await taking;
      expect(taken?.job).toEqual(job);
      await taken?.complete('granted');
    });

    it('serves a taker that comes back in the same turn', async () => {
      for (let call = 0; call < 3; call++) {
        const taking = queue.take(never);
        const job = callJob();
        await queue.add(job);
        const taken = await taking;
        expect(taken?.job).toEqual(job);
        await taken?.complete('granted');
      }
      // A worker asks again before anything else happens.
      const jobs = [callJob(), callJob()];
      const seen: unknown[] = [];
      const worker = (async () => {
        while (seen.length < jobs.length) seen.push((await queue.take(never))?.job);
      })();
      for (const job of jobs) {
        await queue.add(job);
        await until('the job is taken', () => seen.length > jobs.indexOf(job));
      }
      await worker;
      expect(seen).toEqual(jobs);
    });

    it('ignores a job it already has, and accepts the next epoch', async () => {
      const job = callJob();
      await queue.add(job);
      await queue.add(job);
      await queue.add({ ...job, epoch: 2 });
      expect(await queue.waiting()).toBe(2);
    });

    it('serves several takers, a job each', async () => {
      const taking = [queue.take(never), queue.take(never)];
      const jobs = [callJob(), callJob()];
      for (const job of jobs) await queue.add(job);
      const taken = await Promise.all(taking);
      expect(taken.map((t) => t?.job.callSid)).toEqual(jobs.map((j) => j.callSid));
      for (const t of taken) await t?.complete('granted');
    });

    it('stops waiting as soon as the signal is aborted, and no job is lost by it', async () => {
      const shutdown = new AbortController();
      const taking = queue.take(shutdown.signal);
      shutdown.abort();
      expect(await taking).toBeUndefined();
      expect(await queue.take(shutdown.signal)).toBeUndefined();
      const job = callJob();
      await queue.add(job);
      await until('the job waits', async () => (await queue.waiting()) === 1);
      const taken = await queue.take(never);
      expect(taken?.job).toEqual(job);
      await taken?.complete('granted');
    });

    it('withdraws what nobody has, once', async () => {
      const job = callJob();
      await queue.add(job);
      expect(await queue.withdraw(job.callSid, 2)).toBe(false);
      expect(await queue.withdraw(job.callSid, 1)).toBe(true);
      expect(await queue.withdraw(job.callSid, 1)).toBe(false);
      expect(await queue.waiting()).toBe(0);
    });

    it('keeps a delayed job back until its time, and lets it be withdrawn meanwhile', async () => {
      const [late, soon, never_] = [callJob(), callJob(), callJob()];
      await queue.add(never_, { delayMs: 60_000 });
      await queue.add(late, { delayMs: 600 });
      await queue.add(soon, { delayMs: 100 });
      expect(await queue.waiting()).toBe(0);
      expect((await queue.take(never))?.job).toEqual(soon);
      expect((await queue.take(never))?.job).toEqual(late);
      expect(await queue.withdraw(never_.callSid, 1)).toBe(true);
      expect(await queue.withdraw(never_.callSid, 1)).toBe(false);
    });

    it('knows which jobs it holds: those that wait, are delayed or are taken', async () => {
      const [waiting, late] = [callJob(), callJob()];
      await queue.add(waiting);
      await queue.add(late, { delayMs: 60_000 });
      const holds = (job: typeof waiting) => queue.holds(job.callSid, job.epoch);
      expect([await holds(waiting), await holds(late), await holds(callJob())]).toEqual([true, true, false]);
      const taken = await queue.take(never);
      expect(await holds(waiting)).toBe(true);
      await taken?.complete('granted');
      expect(await holds(waiting)).toBe(false);
      await queue.withdraw(late.callSid, late.epoch);
      expect(await holds(late)).toBe(false);
    });

    it('does not withdraw a job that is taken or done', async () => {
      const job = callJob();
      await queue.add(job);
      const taken = await queue.take(never);
      expect(await queue.withdraw(job.callSid, 1)).toBe(false);
      await taken?.complete('granted');
      expect(await queue.withdraw(job.callSid, 1)).toBe(false);
    });

    it('goes on after a failed job', async () => {
      await queue.add(callJob());
      await (await queue.take(never))?.fail('the edge could not be reached');
      const job = callJob();
      await queue.add(job);
      const taken = await queue.take(never);
      expect(taken?.job).toEqual(job);
      await taken?.complete('gone');
    });

    it('lets go of takers when it is closed', async () => {
      const taking = queue.take(never);
      await queue.close();
      expect(await taking).toBeUndefined();
    });
  });
}
