import { type Clock, SystemClock } from '../../core/clock.ts';

/**
 * A call's clock on which a limit is reached as soon as it has passed in either time: virtual time stands still
 * while a real application answers, and real time hardly moves while a scripted one does.
 */
export function requestClock(virtual: Clock, real: Clock = new SystemClock()): Clock {
  return {
    now: () => virtual.now(),
    monotonic: () => virtual.monotonic(),
    after(ms, fire) {
      const either = () => {
        cancel();
        fire();
      };
      const timers = [virtual.after(ms, either), real.after(ms, either)];
      const cancel = () => {
        for (const timer of timers) timer.cancel();
      };
      return { cancel };
    },
  };
}
