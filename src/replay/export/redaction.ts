import type { TimelineEvent } from '../../call/timeline.ts';
import { withoutPasswords } from '../../core/secrets.ts';
import type { ExportedCall } from './exported-call.ts';

/** What was replaced, by kind. */
export type RedactionCounts = Readonly<Record<'numbers' | 'users' | 'names' | 'sids' | 'addresses', number>>;

export interface Redacted {
  readonly call: ExportedCall;
  readonly counts: RedactionCounts;
}

/** What who calls and who is called are in every fixture that says nothing else. */
const CALLER = '+15005550001';
const CALLED = '+15005550006';
/** Fictitious numbers of others: none of them is anybody's. */
const FIRST_OTHER = 15_005_550_101;

const SID = /\b([A-Z]{2})[0-9a-f]{32}\b/g;
/** E.164, and what people write into `<Number>` and `<Dial>` for a telephone number. */
const NUMBER =
  /(?<=<(?:Number|Dial)\b[^>]*>\s*)([+(]?\d[\d\s().-]{5,18}\d)(?=\s*<)|(?:\+|%2B)[1-9]\d{6,14}(?!\d)/gi;
/**
 * The user of a login whose password is hidden; `username` of `<Sip>`; a SIP user or an e-mail address, whose host
 * stays.
 */
const USER =
  /(?<=\/\/)[^\s/:@"'<>]+(?=:\*\*\*@)|(?<=\busername\s*=\s*["'])[^"']+(?=["'])|(?<![\w%.+*-])[A-Za-z][\w.+~-]*(?=@[A-Za-z0-9[])/g;
/** RFC 1918 and RFC 6598; loopback says nothing about anybody. */
const PRIVATE =
  /\b(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))(?:\.\d{1,3}){2,3}\b/g;
/** What a SIP callee may be called from instead of a number: a name is only found where it stands alone. */
const CALLER_NAME = /^[A-Za-z][\w.-]*$/;
/** Shorter names would be found inside of words. */
const SHORTEST_NAME = 3;

/**
 * The call with telephone numbers, SIP users, e-mail addresses, caller names, SIDs and private addresses replaced by
 * fictitious ones: the same by the same everywhere, also in documents and addresses, so that the call goes as it went.
 * Deterministic. What is said and pressed stays, as do host names.
 */
export function redact(call: ExportedCall): Redacted {
  const redactor = new Redactor(call);
  const timelines = new Map<string, readonly TimelineEvent[]>();
  for (const [sid, events] of call.timelines) {
    timelines.set(redactor.text(sid), redactor.deep(events));
  }
  const { sid, from, to } = call;
  const redacted = { sid: redactor.text(sid), from: redactor.text(from), to: redactor.text(to) };
  return { call: { ...call, ...redacted, timelines }, counts: redactor.counts };
}

/** The call without the passwords of documents that were kept before they were hidden. */
export function withoutStoredPasswords(call: ExportedCall): ExportedCall {
  const hidden = [...call.timelines].map(
    ([sid, events]) => [sid, mapTexts(events, withoutPasswords)] as const,
  );
  return { ...call, timelines: new Map(hidden) };
}

class Redactor {
  readonly #numbers = new Map<string, string>();
  readonly #users = new Map<string, string>();
  readonly #names = new Map<string, string>();
  readonly #sids = new Map<string, string>();
  readonly #addresses = new Map<string, string>();
  /** A caller that has neither number nor address. */
  #from: string | undefined;

  constructor({ sid, from, to, timelines }: ExportedCall) {
    this.text(sid);
    if (from.startsWith('+')) this.#numbers.set(from, CALLER);
    if (to.startsWith('+') && to !== from) this.#numbers.set(to, CALLED);
    if (CALLER_NAME.test(from)) this.#from = from;
    for (const events of timelines.values()) {
      for (const event of events)
        if (event.type === 'exchange') this.#learnName(event.parameters['CallerName']);
    }
    // Numbers are known everywhere before the first text is rewritten: some are written without their +.
    for (const text of textsOf([...timelines.values()]))
      text.replace(NUMBER, (found, written?: string) =>
        written ? this.#dialled(written) : this.#number(found),
      );
  }

  get counts(): RedactionCounts {
    return {
      numbers: this.#numbers.size,
      users: this.#users.size,
      names: this.#names.size,
      sids: this.#sids.size,
      addresses: this.#addresses.size,
    };
  }

  deep<T>(value: T): T {
    return mapTexts(value, (text) => this.text(text));
  }

  text(written: string): string {
    if (written === this.#from) return this.#user(written);
    let text = withoutPasswords(written);
    for (const [name, other] of this.#names) text = text.replaceAll(name, other);
    text = text
      .replace(SID, (sid, prefix: string) => this.#sid(sid, prefix))
      .replace(NUMBER, (found, written?: string) => (written ? this.#dialled(written) : this.#number(found)));
    for (const [number, other] of this.#numbers) text = withoutDigits(text, number, other);
    return text
      .replace(USER, (user) => this.#user(user))
      .replace(PRIVATE, (address) =>
        numbered(this.#addresses, address, (n) => `192.0.2.${((n - 1) % 254) + 1}`),
      );
  }

  #learnName(name: string | undefined): void {
    const bare = name?.trim() ?? '';
    if (bare.length >= SHORTEST_NAME) numbered(this.#names, bare, (n) => `Caller Name ${n}`);
  }

  /** Keeps its form: `%2B` for `+` in addresses. */
  #number(found: string): string {
    const plus = found.startsWith('+') ? '+' : found.slice(0, 3);
    const number = `+${found.slice(plus.length)}`;
    const other = numbered(this.#numbers, number, () => `+${FIRST_OTHER + this.#numbers.size}`);
    return plus + other.slice(1);
  }

  /** A number as people dial it; reference §1.5. */
  #dialled(found: string): string {
    const digits = found.replace(/\D/g, '');
    const isNational = !found.startsWith('+') && /^[2-9]\d{9}$/.test(digits);
    return this.#number(`+${isNational ? '1' : ''}${digits}`);
  }

  #user(user: string): string {
    return numbered(this.#users, user, (n) => `party${n}`);
  }

  #sid(sid: string, prefix: string): string {
    const same = [...this.#sids.keys()].filter((known) => known.startsWith(prefix)).length;
    return numbered(this.#sids, sid, () => prefix + `${same + 1}`.padStart(32, '0'));
  }
}

/** A known number that is written without its +, or as within its country. */
function withoutDigits(text: string, number: string, other: string): string {
  const forms: [string, string][] = [[number.slice(1), other.slice(1)]];
  if (/^\+1\d{10}$/.test(number)) forms.push([number.slice(2), other.slice(2)]);
  return forms.reduce(
    (so, [form, replaced]) => so.replace(new RegExp(`(?<![\\d+]|%2B)${form}(?!\\d)`, 'g'), replaced),
    text,
  );
}

function numbered(known: Map<string, string>, key: string, make: (nth: number) => string): string {
  const made = known.get(key) ?? make(known.size + 1);
  known.set(key, made);
  return made;
}

function mapTexts<T>(value: T, change: (text: string) => string): T {
  return JSON.parse(JSON.stringify(value), (_name, part: unknown) =>
    typeof part === 'string' ? change(part) : part,
  );
}

function textsOf(value: unknown): readonly string[] {
  const texts: string[] = [];
  JSON.stringify(value, (_name, part: unknown) => {
    if (typeof part === 'string') texts.push(part);
    return part;
  });
  return texts;
}
