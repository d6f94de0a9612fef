import { describe, expect, it } from 'vitest';
import type { OutboundJob } from '../../../src/call/job.ts';
import type { InboundLink } from '../../../src/control/link.ts';
import { createMemoryCallQueue } from '../../../src/queue/memory/call-queue.ts';
import { CallWorker } from '../../../src/runtime/worker.ts';
import { callJob } from '../../support/call-job.ts';
import { ACCOUNT, sid } from '../../support/call-record.ts';
import { createWorker, FakeInbound } from './worker-in-memory.ts';

const outbound: OutboundJob = {
  callSid: sid('CA', 5),
  epoch: 1,
  accountSid: ACCOUNT,
  region: 'ie1',
  direction: 'outbound-api',
  parentCallSid: null,
  from: '+35315550100',
  to: '+15005550006',
  createdAt: 0,
  notes: [],
  egressEdge: null,
};

/** A worker whose calls last until they are cut or let go. */
function start(capacity = 10) {
  const { clock, store, media, parts } = createWorker();
  const queue = createMemoryCallQueue(clock);
  const running = new Map<string, () => void>();
  const cut: string[] = [];
  const last = (callSid: string, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      running.set(callSid, resolve);
      const onCut = () => {
        cut.push(callSid);
        resolve();
      };
      signal.addEventListener('abort', onCut, { once: true });
    });
  const worker = new CallWorker({
    name: 'worker-1',
    queue,
    control: {
      async claim(_edge, callSid, epoch): Promise<InboundLink> {
        return new FakeInbound(callJob({ callSid, epoch }), 'edge-1');
      },
      async dial() {
        throw new Error('nobody is called here');
      },
      related: async () => false,
      domainRelated: async () => false,
      census: () => ({ connections: 0, calls: 0 }),
      async close() {},
    },
    media,
    store,
    clock,
    logger: parts.logger,
    capacity,
    run: (link, signal) => last(link.job.callSid, signal),
    make: async (job, taken, signal) => {
      await taken.complete('granted');
      await last(job.callSid, signal);
    },
    abandon: async () => {},
  });
  worker.start();
  return { worker, queue, clock, running, cut, last };
}

describe('a call worker', () => {
  it('claims calls that wait at an edge, and makes those that nobody holds', async () => {
    const { queue, clock, running, worker } = start();
    const inbound = callJob();
    await queue.add(inbound);
    await queue.add(outbound);
    await clock.advance(0);
    expect([...running.keys()].sort()).toEqual([inbound.callSid, outbound.callSid].sort());
    expect(queue.finished.map(({ result }) => result)).toEqual(['granted', 'granted']);
    expect(worker.live).toBe(2);
  });

  it('takes no more than it can hold, calls that became independent counted', async () => {
    const { worker, queue, clock, running } = start(1);
    let over = () => {};
    worker.adopt(
      () =>
        new Promise((resolve) => {
          over = resolve;
        }),
    );
    await queue.add(outbound); // it was waiting for one already
    const second = callJob();
    await queue.add(second);
    await clock.advance(0);
    expect(running.has(second.callSid)).toBe(false);
    over();
    running.get(outbound.callSid)?.();
    await clock.advance(0);
    expect(running.has(second.callSid)).toBe(true);
  });

  it('stops when the last call is over, also one that another left behind', async () => {
    const { worker, queue, clock, running, last } = start();
    const inbound = callJob();
    await queue.add(inbound);
    await clock.advance(0);
    let stopped = false;
    const stopping = worker.stop(new AbortController().signal).then(() => {
      stopped = true;
    });
    worker.adopt((signal) => last('child', signal));
    running.get(inbound.callSid)?.();
    await clock.advance(0);
    expect(stopped).toBe(false);
    running.get('child')?.();
    await stopping;
  });

  it('cuts what is left when its time is up', async () => {
    const { worker, queue, clock, cut, last } = start();
    await queue.add(outbound);
    worker.adopt((signal) => last('child', signal));
    await clock.advance(0);
    const deadline = new AbortController();
    const stopping = worker.stop(deadline.signal);
    deadline.abort();
    await stopping;
    expect(cut.sort()).toEqual(['child', outbound.callSid].sort());
  });
});
