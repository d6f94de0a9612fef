import type { Binding, Flow } from '../config/registrations.ts';
import { parseUri } from '../sip/message/uri.ts';
import { isSameUri } from '../sip/message/uri-equality.ts';
import type { RegisterRefusal } from './registrar-refusal.ts';
import type { RegisterRequest, WantedContact } from './registrar-request.ts';

/** Devices that may be registered under one address at once. @see https://www.twilio.com/docs/voice/api/sip-registration */
export const MOST_BINDINGS = 10;

/** What every new binding of a REGISTER has. */
export interface Registrant extends Pick<Binding, 'accountSid' | 'domainSid' | 'aor' | 'username'> {
  readonly flow: Flow;
  readonly now: number;
  readonly newId: () => string;
}

/**
 * The bindings of an address after a REGISTER, or why they stay as they are (RFC 3261 §10.3 steps 6 and 7). A pure
 * step: it may be run again on what another REGISTER left.
 */
export function registered(
  before: readonly Binding[],
  request: RegisterRequest,
  registrant: Registrant,
): readonly Binding[] | RegisterRefusal {
  if (request.removesAll) return before.some((old) => isLate(old, request)) ? OUT_OF_ORDER : [];
  let after = before;
  for (const contact of request.contacts) {
    const same = after.filter((old) => isSameDevice(old, contact));
    // Of one message all Contacts have the same CSeq: only what was there before it can be newer.
    if (same.some((old) => before.includes(old) && isLate(old, request))) return OUT_OF_ORDER;
    const others = after.filter((old) => !same.includes(old));
    after = contact.seconds === 0 ? others : [...others, bind(contact, same[0], request, registrant)];
  }
  const kept = after.length > before.length ? withoutLost(after, registrant.now) : after;
  if (kept.length > MOST_BINDINGS && kept.length > before.length) return TOO_MANY;
  return kept.toSorted((one, other) => one.createdAt - other.createdAt);
}

/** §10.3 names no status. Our choice: 500, which §12.2.2 has for the same in a dialog. */
const OUT_OF_ORDER: RegisterRefusal = {
  status: 500,
  phrase: 'CSeq Out Of Order',
  reason: 'its CSeq is not above the one this Call-ID had last (RFC 3261 §10.3)',
};

const TOO_MANY: RegisterRefusal = {
  status: 403, // not documented; our choice: what no repetition helps
  code: 32007,
  phrase: 'Too Many Bindings',
  reason: `${MOST_BINDINGS} devices are registered under this address, and it takes no more`,
};

function isLate(old: Binding, { callId, cseq }: RegisterRequest): boolean {
  return old.callId === callId && cseq <= old.cseq;
}

/** A flow is the same by its names, whatever its Contact (RFC 5626 §6); anything else by its URI. */
function isSameDevice(old: Binding, contact: WantedContact): boolean {
  const named = old.identity !== old.contact;
  if (contact.flow && named) return old.identity === identityOf(contact);
  const uri = parseUri(old.contact);
  return uri !== undefined && isSameUri(uri, contact.uri);
}

function identityOf({ flow, text }: WantedContact): string {
  return flow ? `${flow.instance} ${flow.regId}` : text;
}

function bind(
  contact: WantedContact,
  old: Binding | undefined,
  { callId, cseq, path, userAgent }: RegisterRequest,
  { newId, now, ...registrant }: Registrant,
): Binding {
  return {
    ...registrant,
    id: old?.id ?? newId(),
    contact: contact.text,
    identity: identityOf(contact),
    parameters: contact.parameters,
    callId,
    cseq,
    path,
    userAgent,
    createdAt: old?.createdAt ?? now,
    updatedAt: now,
    expiresAt: now + contact.seconds * 1_000,
  };
}

/** Devices that cannot be reached any more make room for new ones, the one not heard of for longest first. */
function withoutLost(bindings: readonly Binding[], now: number): readonly Binding[] {
  const surplus = bindings.length - MOST_BINDINGS;
  if (surplus <= 0) return bindings;
  const leaving = bindings
    .filter(({ flow, updatedAt }) => flow.lost && updatedAt < now)
    .toSorted((one, other) => one.updatedAt - other.updatedAt)
    .slice(0, surplus);
  return bindings.filter((binding) => !leaving.includes(binding));
}

/** The bindings with those of this flow marked as lost; undefined when there are none to mark. */
export function withFlowLost(before: readonly Binding[], flow: Flow): readonly Binding[] | undefined {
  const isOf = (binding: Binding) =>
    !binding.flow.lost &&
    binding.flow.process === flow.process &&
    binding.flow.edge === flow.edge &&
    binding.flow.transport === flow.transport &&
    binding.flow.address === flow.address &&
    binding.flow.port === flow.port;
  if (!before.some(isOf)) return undefined;
  return before.map((binding) =>
    isOf(binding) ? { ...binding, flow: { ...binding.flow, lost: true } } : binding,
  );
}
