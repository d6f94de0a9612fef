import type { Clock, Timer } from '../core/clock.ts';
import { docsOf } from '../core/diagnostic.ts';
import type { Logger } from '../core/logger.ts';
import type { InboundInvite } from '../sip/agent/port.ts';
import type { Refusal } from './refusal.ts';

/** Our choice: the first of a kind is written at once, the others of that minute as their number. */
const QUIET_MS = 60_000;
/** Our choice: kinds that are told apart within a minute; beyond it they count as one. */
const MOST_KINDS = 1_000;

/**
 * The log of INVITEs that got no call, and of REGISTERs that changed nothing. A scanner sends thousands of them: those from one address to one domain with
 * one result are one line and then a count, so that the domain's owner finds it and the disk stays empty.
 */
export class RefusalNotes {
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** How many more there were since the line was written. */
  readonly #more = new Map<string, { count: number; readonly fields: object; readonly reason: string }>();
  #timer: Timer | undefined;

  constructor({ clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = clock;
    this.#logger = logger;
  }

  note(
    { request, source }: Pick<InboundInvite, 'request' | 'source'>,
    { status, reason, of, asks }: Refusal,
  ): void {
    const { address, port, listener } = source;
    const from = `${address}:${port}`;
    const owner = of && {
      AccountSid: of.accountSid,
      SipDomainSid: of.domainSid,
      code: of.code,
      docs: docsOf(of.code),
    };
    const fields = { edge: listener.label, from, status, uri: request.uri, ...owner };
    if (asks) return this.#logger.debug(fields, reason);
    const kind = `${address} ${status} ${of ? `${of.code} ${of.domainSid}` : reason}`;
    const before = this.#more.get(kind);
    if (before) before.count++;
    else if (this.#more.size < MOST_KINDS) {
      this.#more.set(kind, { count: 0, fields, reason });
      this.#write(fields, reason, of !== undefined || status === 503);
      this.#timer ??= this.#clock.after(QUIET_MS, () => this.#sum());
    }
  }

  /** What was counted, and the quiet minute is over. */
  #sum(): void {
    this.#timer = undefined;
    for (const { count, fields, reason } of this.#more.values()) {
      if (count > 0)
        this.#write({ ...fields, more: count }, `${reason} (and ${count} more in a minute)`, true);
    }
    this.#more.clear();
  }

  /** What somebody should look into stands out from what is merely noise of the net. */
  #write(fields: object, reason: string, matters: boolean): void {
    if (matters) this.#logger.warn(fields, reason);
    else this.#logger.info(fields, reason);
  }
}
