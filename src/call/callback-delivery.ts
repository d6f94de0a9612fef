import type { Clock } from '../core/clock.ts';
import { type Diagnostic, warning } from '../core/diagnostic.ts';
import type { WebhookResult, WebhookSession } from '../webhook/port.ts';
import { CallbackOrder } from './callback-order.ts';
import type { CallbackTask } from './tasks.ts';

export interface CallbackDeliveryOptions {
  readonly clock: Clock;
  /** A session for one request, signed with the account's token. */
  readonly webhooks: (accountSid: string) => WebhookSession;
  /** Absent: tasks run once, and every request has a token of its own. */
  readonly idempotencyToken?: (task: CallbackTask) => string;
  /** The requests that one delivery took, and what was answered. */
  readonly onResult: (task: CallbackTask, result: WebhookResult) => Promise<void>;
  /** The application does not take it, or cannot be reached any more. */
  readonly onRefused: (task: CallbackTask, diagnostic: Diagnostic) => Promise<void>;
}

/** Makes the requests of `callbacks-<region>`: the status callbacks of one call one after the other, the others as they come. */
export class CallbackDelivery {
  readonly #o: CallbackDeliveryOptions;
  readonly #order: CallbackOrder;

  constructor(options: CallbackDeliveryOptions) {
    this.#o = options;
    this.#order = new CallbackOrder(options.clock);
  }

  /** Rejects to be tried again: the application could not be reached, and this is not the last attempt. */
  deliver(task: CallbackTask, attempt: { readonly last: boolean }): Promise<void> {
    const request = () => this.#request(task, attempt.last);
    if (task.kind !== 'status-callback') return request();
    return this.#order.deliver(task.callSid, task.params['SequenceNumber'] ?? '', attempt.last, request);
  }

  async #request(task: CallbackTask, last: boolean): Promise<void> {
    const { accountSid, url, method, params, kind } = task;
    const session = this.#o.webhooks(accountSid);
    const idempotencyToken = this.#o.idempotencyToken?.(task);
    const request = { url, method, params, purpose: kind, idempotencyToken };
    // The session bounds its requests itself; nothing else ends a callback.
    const result = await session.fetch(request, new AbortController().signal);
    await this.#o.onResult(task, result);
    const status = result.ok ? result.response.status : result.attempts.at(-1)?.status;
    if (result.ok && result.response.status < 400) return;
    const reason = result.ok ? `status ${result.response.status}` : result.diagnostic.message;
    if (status === undefined && !last) throw new Error(`${kind} to ${url} failed: ${reason}`);
    await this.#o.onRefused(task, warning(15003, `the ${kind} was not accepted: ${reason}`, { url }));
  }
}
