import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { createLiveState } from '../../../src/runtime/live-state.ts';
import { createMemoryCallStore } from '../../../src/storage/memory/call-store.ts';
import { callRecord } from '../../support/call-record.ts';

describe('the state of a live call', () => {
  it('leaves out events beyond the fifty-thousandth, but tells how the call ended', async () => {
    const clock = new VirtualClock();
    const store = createMemoryCallStore(clock);
    const record = callRecord(1);
    await store.save(record);
    const state = createLiveState({ callSid: record.sid, store, clock, logger: silentLogger });
    for (let n = 1; n <= 60_000; n++) state.add({ type: 'note', message: `${n}` });
    state.add({ type: 'hangup', by: 'peer', cause: 'the caller hung up' });
    await state.flushed();
    const events = await store.timeline(record.sid);
    expect(events).toHaveLength(50_002);
    expect(events.at(-2)).toMatchObject({ type: 'note', message: expect.stringContaining('left out') });
    expect(events.at(-1)).toMatchObject({ type: 'hangup' });
  });
});
