import { expect, it } from 'vitest';
import type { StorageTask } from '../../../src/call/tasks.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { createMemoryCallQueue } from '../../../src/queue/memory/call-queue.ts';
import { createMemoryTaskQueue } from '../../../src/queue/memory/task-queue.ts';
import { watchOrphans } from '../../../src/runtime/orphans.ts';
import { createMemoryCallStore } from '../../../src/storage/memory/call-store.ts';
import { callJob } from '../../support/call-job.ts';
import { callRecord } from '../../support/call-record.ts';

it('ends the calls of a worker that stays silent, once nobody else can take them, and no others', async () => {
  const clock = new VirtualClock();
  const store = createMemoryCallStore(clock);
  const storage = createMemoryTaskQueue<StorageTask>(clock);
  const orphan = callRecord(1, { status: 'in-progress', worker: 'dead' });
  const held = callRecord(2, { status: 'in-progress', worker: 'alive' });
  const handedOver = callRecord(3, { status: 'in-progress', worker: 'dead' });
  for (const record of [orphan, held, handedOver]) await store.save(record);
  const calls = createMemoryCallQueue(clock);
  const watch = watchOrphans({ store, storage, calls, clock, logger: silentLogger, handoverMs: 10_000 });

  await store.heartbeat('alive', 3_600_000);
  await clock.advance(16_000);
  await store.save({ ...handedOver, worker: 'alive', epoch: 2 });
  expect((await store.fetch(orphan.sid))?.status).toBe('in-progress');

  expect(storage.added).toEqual([]);

  await clock.advance(16_000);
  expect(storage.added).toEqual([
    {
      kind: 'end-lost-call',
      callSid: orphan.sid,
      epoch: 1,
      status: 'failed',
      cause: 'worker dead and the edge of the call were both lost',
      endedAt: clock.now() - 2_000,
    },
  ]);
  watch.stop();
  expect(clock.pending).toBe(0);
});

it('ends calls of the API that were stored and never queued, and leaves those that wait', async () => {
  const clock = new VirtualClock();
  const store = createMemoryCallStore(clock);
  const storage = createMemoryTaskQueue<StorageTask>(clock);
  const calls = createMemoryCallQueue(clock);
  const queued = { status: 'queued', worker: null, direction: 'outbound-api' } as const;
  const [ghost, waiting] = [callRecord(1, queued), callRecord(2, queued)];
  for (const record of [ghost, waiting]) await store.save(record);
  await calls.add(callJob({ callSid: waiting.sid }), { delayMs: 3_600_000 });
  const watch = watchOrphans({ store, storage, calls, clock, logger: silentLogger, handoverMs: 10_000 });
  await clock.advance(31_000);
  expect(storage.added).toMatchObject([
    {
      kind: 'end-lost-call',
      callSid: ghost.sid,
      status: 'failed',
      cause: 'it never reached the call queue',
    },
  ]);
  watch.stop();
});
