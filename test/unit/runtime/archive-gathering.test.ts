import { expect, it } from 'vitest';
import type { StorageTask } from '../../../src/call/tasks.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import { createMemoryTaskQueue } from '../../../src/queue/memory/task-queue.ts';
import { gatherArchiving } from '../../../src/runtime/archive-gathering.ts';

const ATTEMPTS = { attempts: 20, backoffMs: 500 };

function gathered() {
  const clock = new VirtualClock();
  const queue = createMemoryTaskQueue<StorageTask>(clock);
  const gathering = gatherArchiving(queue, clock);
  const end = (callSid: string) =>
    gathering.add({ kind: 'archive-call', callSid }, { id: `archive-${callSid}`, ...ATTEMPTS });
  return { clock, queue, gathering, end };
}

it('archives a call that ends alone at once, with a task of its own', async () => {
  const { clock, queue, end } = gathered();
  await end('CA1');
  await clock.advance(1_000);
  await end('CA2');
  expect(queue.added).toEqual([
    { kind: 'archive-call', callSid: 'CA1' },
    { kind: 'archive-call', callSid: 'CA2' },
  ]);
  expect(clock.pending).toBe(0);
});

it('archives calls that end together by one task, and tells each of them when it is queued', async () => {
  const { clock, queue, end } = gathered();
  await end('CA1');
  const queued: string[] = [];
  const rest = ['CA2', 'CA3', 'CA4'].map(async (sid) => {
    await end(sid);
    queued.push(sid);
  });
  await clock.advance(99);
  expect([queue.added.length, queued]).toEqual([1, []]);
  await clock.advance(1);
  await Promise.all(rest);
  expect(queue.added.at(-1)).toEqual({ kind: 'archive-calls', callSids: ['CA2', 'CA3', 'CA4'] });
  expect(queue.added).toHaveLength(2);
});

it('waits for no more than a hundred', async () => {
  const { queue, end } = gathered();
  await end('CA');
  await Promise.all(Array.from({ length: 100 }, (_, n) => end(`CA${n}`)));
  expect(queue.added.at(-1)).toMatchObject({ kind: 'archive-calls', callSids: { length: 100 } });
});

it('tells every call that waits when its task could not be queued', async () => {
  const clock = new VirtualClock();
  const away = async () => {
    throw new Error('Redis is away');
  };
  const gathering = gatherArchiving({ ...createMemoryTaskQueue<StorageTask>(clock), add: away }, clock);
  const ends = ['CA1', 'CA2', 'CA3'].map((callSid) =>
    gathering.add({ kind: 'archive-call', callSid }, { id: callSid, ...ATTEMPTS }),
  );
  const told = Promise.allSettled(ends);
  await clock.advance(100);
  expect((await told).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
});

it('leaves every other task as it is, and its calls to the queue when it closes', async () => {
  const { queue, gathering, end } = gathered();
  const store: StorageTask = { kind: 'store-recording', recordingSid: 'RE1', path: null, callback: null };
  await end('CA1');
  const last = end('CA2');
  await gathering.add(store, { id: 'store-RE1', ...ATTEMPTS });
  await gathering.close();
  await last;
  expect(queue.added).toEqual([
    { kind: 'archive-call', callSid: 'CA1' },
    store,
    { kind: 'archive-call', callSid: 'CA2' },
  ]);
});
