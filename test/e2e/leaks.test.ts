import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bucketFiles } from '../support/bucket-files.ts';
import { notRun, peer } from '../support/peers.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { runSipp } from '../support/sipp.ts';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { until } from '../support/until.ts';
import { WebhookApp } from '../support/webhook-app.ts';
import { Crowd } from './support/crowd.ts';
import { CALLS, EVERYTHING, nothingHeld } from './support/gauges.ts';
import { clientOf } from './support/numbers.ts';
import { hasProc, pidOf } from './support/processes.ts';

const NUMBER = '+12025550190';
/** Its document dials somebody of the crowd. */
const DIALLING = '+12025550191';
/** A heap that finds its size: what a thousand legs may add. */
const GROWTH_MB = 60;
const ROLES = ['edge', 'worker-us1', 'region-us1'] as const;
/** Our choice in src/queue: finished jobs of a queue that are kept for the dashboard. */
const KEPT_JOBS = 1_000;

const sipp = peer('sipp');
if (!hasProc) notRun('leaks', 'reads /proc, which this system does not have');
else tests();

function tests(): void {
  let redis: TestRedis;
  let store: Redis;
  let trunkline: RunningTrunkline;
  let app: WebhookApp;
  let crowd: Crowd;

  beforeAll(async () => {
    redis = await startRedis();
    store = new Redis(redis.url);
    app = await WebhookApp.start();
    trunkline = await startTrunkline({
      env: { TRUNKLINE_DEMO: 'false', TRUNKLINE_REGIONS: 'us1', REDIS_URL_US1: redis.url },
    });
    await clientOf(trunkline, 'us1').incomingPhoneNumbers.create({
      phoneNumber: NUMBER,
      voiceUrl: app.on('/voice', { body: '<Response/>' }), // answers and hangs up
    });
    crowd = await Crowd.start(trunkline.sip);
    await clientOf(trunkline, 'us1').incomingPhoneNumbers.create({
      phoneNumber: DIALLING,
      voiceUrl: app.on('/dial', ({ form }) => ({ body: crowd.document(form['From'] ?? '') })),
    });
  });

  afterAll(async () => {
    await trunkline.stop();
    await crowd.close();
    await app.stop();
    store.disconnect();
    await redis.stop();
  });

  const archived = () =>
    bucketFiles(trunkline.home, 'us1').filter((name) => /CA[0-9a-f]{32}\.json$/.test(name)).length;
  const ofCalls = (total: number) => {
    const fact = async () => {
      if (archived() >= total) return true;
      await pause(100); // there are thousands of files to look through
      return false;
    };
    return until(`${total} records`, fact);
  };

  async function call(sippPath: string, count: number): Promise<void> {
    const result = await runSipp(sippPath, {
      scenario: join(import.meta.dirname, '../peers/sipp/call-short.xml'),
      transport: 'udp',
      to: trunkline.sip,
      number: NUMBER,
      calls: count,
      rate: 50,
      rows: ['+15550100001;'],
      mediaPort: 40_000,
    });
    expect(result, result.errors).toMatchObject({ code: 0, successful: count, failed: 0 });
  }

  /** Open files of a process by kind; sockets and UDP ports counted apart. */
  function openFiles(role: string): Record<string, number> {
    const pid = pidOf(trunkline.home, role);
    const udp = new Set(
      ['udp', 'udp6'].flatMap((table) =>
        readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
          .split('\n')
          .map((row) => row.trim().split(/\s+/)[9] ?? ''),
      ),
    );
    const counts: Record<string, number> = {};
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      const target = linkOf(`/proc/${pid}/fd/${fd}`);
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      const kind = inode === undefined ? target.replace(/[:[\]\d]+/g, '') : udp.has(inode) ? 'udp' : 'socket';
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    return counts;
  }

  /** Keys that are not finished jobs, and how many of those each queue has. */
  async function keys(): Promise<{ readonly names: string[]; readonly jobs: Record<string, number> }> {
    const all = await store.keys('*');
    const job =
      /^bull:([\w-]+):(?!meta|id|events|marker|completed|stalled|wait|active|failed|delayed|pc|paused).+$/;
    const jobs: Record<string, number> = {};
    for (const key of all) {
      const queue = job.exec(key)?.[1];
      if (queue !== undefined) jobs[queue] = (jobs[queue] ?? 0) + 1;
    }
    // BullMQ's locks on its check for stalled jobs come and go by themselves.
    const names = all.filter((key) => !job.test(key) && !key.endsWith(':stalled-check'));
    return { names: names.sort(), jobs };
  }

  const spooled = () => readdirSync(join(trunkline.home, 'spool'), { recursive: true, withFileTypes: true });

  const residentMb = (role: string) =>
    Number(
      /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pidOf(trunkline.home, role)}/status`, 'utf8'))?.[1],
    ) / 1024;

  /** `calls` makes this many; each leaves `records`, and all of them together nothing else. */
  async function leavesNothing(
    calls: (count: number) => Promise<void>,
    total: number,
    records: number,
  ): Promise<void> {
    const files = ROLES.map(openFiles);
    const earlier = archived();
    await calls(100); // code is compiled, heaps have their size, every kind of key is there
    await ofCalls(earlier + 100 * records);
    await nothingHeld(trunkline, CALLS);
    const before = { keys: await keys(), memory: ROLES.map(residentMb) };

    await calls(total);
    await ofCalls(earlier + (100 + total) * records);
    expect(archived() - earlier).toBe((100 + total) * records);
    // The last timers of a UDP transaction run for 64 × T1 = 32 s (RFC 3261 §17.2.2).
    await nothingHeld(trunkline, EVERYTHING);
    // Idle connections last as long: to applications, between edge and worker.
    const excess = () =>
      ROLES.flatMap((role, n) =>
        Object.entries(openFiles(role))
          .filter(([kind, count]) => count > (files[n]?.[kind] ?? 0))
          .map(([kind, count]) => `${role} has ${count} of ${kind}, at the start ${files[n]?.[kind] ?? 0}`),
      );
    await until('no more files than at the start', () => excess().length === 0, 120_000).catch(() =>
      expect(excess()).toEqual([]),
    );
    await until('an empty spool', () => !spooled().some((entry) => entry.isFile()));
    const after = { keys: await keys(), memory: ROLES.map(residentMb) };
    expect(after.keys.names).toEqual(before.keys.names);
    for (const [queue, count] of Object.entries(after.keys.jobs))
      expect(count, queue).toBeLessThanOrEqual(KEPT_JOBS);
    for (const [n, role] of ROLES.entries()) {
      const grown = (after.memory[n] ?? 0) - (before.memory[n] ?? 0);
      expect(grown, `${role} grew by ${grown} MB`).toBeLessThan(GROWTH_MB * ((total * records) / 1_000));
    }
  }

  if (!sipp) notRun('leaks of short calls', 'sipp (Debian: sip-tester) is not installed');
  else
    it('a thousand calls leave nothing behind but their records', async () => {
      await leavesNothing((count) => call(sipp, count), 1_000, 1);
      expect(app.seen).toHaveLength(1_100);
    }, 600_000);

  it('a thousand bridged calls, and some that nobody takes, leave nothing behind but two records each', async () => {
    const total = 1_250;
    await leavesNothing((count) => crowd.call(DIALLING, count, 25), total, 2);
    expect(crowd.bridged).toBe(0.8 * (100 + total));
    for (const status of ['queued', 'ringing', 'in-progress'] as const)
      expect(await clientOf(trunkline, 'us1').calls.list({ status })).toEqual([]);
  }, 600_000);
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return 'closed meanwhile';
  }
}
