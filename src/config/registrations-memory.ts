import type { Clock } from '../core/clock.ts';
import { type Binding, isOf, type Registrations, unexpired } from './registrations.ts';

/** Registrations within one process: replay and tests. */
export function createMemoryRegistrations(clock: Clock): Registrations {
  const kept = new Map<string, readonly Binding[]>();
  const alive = (aor: string) => unexpired(kept.get(aor) ?? [], clock.now());
  return {
    async bindings(aor) {
      return alive(aor);
    },
    async change(aor, next) {
      const after = next(alive(aor));
      if (after) kept.set(aor, after);
      const now = alive(aor);
      if (now.length === 0) kept.delete(aor);
      return now;
    },
    async list(of) {
      const mine = isOf(of);
      return [...kept.keys()].sort().flatMap((aor) => alive(aor).filter(mine));
    },
    async close() {}, // nothing of its own to release
  };
}
