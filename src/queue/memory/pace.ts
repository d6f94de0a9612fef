import type { Clock } from '../../core/clock.ts';
import type { CallPace } from '../port.ts';

/** The pace of one process: tests. */
export function createMemoryCallPace(clock: Clock, callsPerSecond: number): CallPace {
  const free = new Map<string, number>();
  const interval = Math.ceil(1_000 / callsPerSecond);
  return {
    async next(accountSid) {
      const now = clock.now();
      const at = Math.max(now, free.get(accountSid) ?? 0);
      free.set(accountSid, at + interval);
      return at - now;
    },
  };
}
