import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { isStoreAway, Outage, PATIENCE_MS, StoreAway } from '../../../src/core/outage.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

class Connection extends EventEmitter {
  readonly stream = new EventEmitter();
}

function connected() {
  const connection = new Connection();
  const outage = new Outage('the Redis of us1', connection);
  connection.emit('connect');
  connection.emit('ready');
  return { connection, outage };
}

it('waits for a connection that was lost for a while, and no longer, until it is back', () => {
  const { connection, outage } = connected();
  connection.emit('close');
  vi.advanceTimersByTime(PATIENCE_MS - 1);
  connection.emit('close'); // an attempt that failed
  expect(outage.errorWhen(false)).toBeUndefined();
  vi.advanceTimersByTime(1);
  expect(outage.errorWhen(false)).toEqual(new StoreAway('the Redis of us1', PATIENCE_MS));
  expect(outage.errorWhen(true)).toBeUndefined(); // it is ready and about to say so
  connection.emit('ready');
  expect(outage.errorWhen(false)).toBeUndefined();
});

it('does not wait for one that says nothing, until it says something', () => {
  const { connection, outage } = connected();
  vi.advanceTimersByTime(60_000); // nobody has asked
  outage.asked();
  vi.advanceTimersByTime(PATIENCE_MS - 1);
  outage.asked();
  expect(outage.errorWhen(true)).toBeUndefined();
  vi.advanceTimersByTime(1);
  expect(outage.errorWhen(true)).toBeInstanceOf(StoreAway);
  connection.emit('close'); // replaced: its silence counts
  expect(outage.errorWhen(false)).toBeInstanceOf(StoreAway);
  connection.emit('connect');
  connection.emit('ready');
  outage.asked();
  vi.advanceTimersByTime(PATIENCE_MS);
  connection.stream.emit('data');
  expect(outage.errorWhen(true)).toBeUndefined();
});

it('does not wait for long for one that was never there', () => {
  const outage = new Outage('the Redis of us1', new Connection());
  expect(outage.errorWhen(false)).toBeUndefined();
  vi.advanceTimersByTime(PATIENCE_MS);
  expect(outage.errorWhen(false)?.message).toBe('the Redis of us1 has been away for 2 s');
});

it('is known from other errors', () => {
  expect(isStoreAway(new StoreAway('x', 1))).toBe(true);
  expect(isStoreAway(new Error('Command timed out'))).toBe(true);
  expect(isStoreAway(new Error('WRONGTYPE'))).toBe(false);
  expect(isStoreAway('Command timed out')).toBe(false);
});
