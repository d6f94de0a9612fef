import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { runCall } from '../../../src/twiml/interpreter/run-call.ts';
import { setUp } from './call-world.ts';

const DOCUMENTS = 100_000;

/** What a document that leaves 64 bytes behind would add from the first look to the last; noise is far below. */
const MOST_GROWTH = (DOCUMENTS / 2) * 64;

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

function heapUsed(): number {
  if (typeof collect === 'function') collect();
  return process.memoryUsage().heapUsed;
}

/** A call that is sent on and on, until its caller hangs up after so many documents. */
async function goOn(verbs: string, look: (documents: number) => void) {
  const { clock, leg, world } = setUp({});
  const life = new AbortController();
  const held = () => ({
    leg: getEventListeners(leg.ended, 'abort').length,
    signal: getEventListeners(life.signal, 'abort').length,
    timers: clock.pending,
  });
  const body = Buffer.from(`<Response>${verbs}<Redirect>/voice</Redirect></Response>`);
  let documents = 0;
  const seen: ReturnType<typeof held>[] = [];
  const end = await clock.run(
    runCall(
      {
        ...world,
        timeline: { add: () => {} },
        checkpoint: async () => {},
        report: (diagnostic) => expect.fail(diagnostic.message),
        webhooks: {
          async fetch({ url }) {
            documents++;
            if (documents === DOCUMENTS / 2 || documents === DOCUMENTS) {
              look(documents);
              seen.push(held());
            }
            if (documents === DOCUMENTS) clock.after(1, () => leg.peer.hangup());
            return { ok: true, attempts: [], response: { url, status: 200, contentType: 'text/xml', body } };
          },
        },
      },
      { kind: 'fresh' },
      life.signal,
    ),
    Number.POSITIVE_INFINITY,
  );
  return { end, documents, seen, left: held() };
}

describe('a call that never ends', () => {
  it('keeps nothing of a hundred thousand documents behind it', async () => {
    const heap: number[] = [];
    const { end, documents, seen, left } = await goOn('<Pause/>', () => heap.push(heapUsed()));
    expect(end).toMatchObject({ status: 'completed' });
    expect(documents).toBe(DOCUMENTS);
    expect(seen[1]).toEqual(seen[0]);
    expect(left).toEqual({ leg: 0, signal: 0, timers: 0 });
    expect((heap[1] ?? 0) - (heap[0] ?? 0)).toBeLessThan(MOST_GROWTH);
  }, 600_000);
});
