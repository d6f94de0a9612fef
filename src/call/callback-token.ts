import { createHash } from 'node:crypto';
import type { CallbackTask } from './tasks.ts';

/**
 * What `I-Twilio-Idempotency-Token` says of a callback, 32 hexadecimal digits: the same however often and wherever its
 * task runs, another one for another task. A task runs again after an application that could not be reached, and when
 * Redis or a process went away before its end was noted: only so can an application tell that it has had it.
 */
export function callbackToken({ kind, accountSid, callSid, url, method, params }: CallbackTask): string {
  const sorted = Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([kind, accountSid, callSid, url, method, sorted]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
