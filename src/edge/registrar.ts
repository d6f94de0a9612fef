import type { Binding, Flow } from '../config/registrations.ts';
import type { Clock } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import { isEdgeId } from '../region/edge.ts';
import type { RequestReply, SipListener, SipSource } from '../sip/agent/port.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { RefusalNotes } from './refusal-notes.ts';
import { type AddressOfRecord, addressOfRecord } from './registrar-address.ts';
import {
  type AdmittedRegistrant,
  admitRegistrant,
  RETRY_AFTER,
  type RegisterAdmissionOptions,
} from './registrar-admission.ts';
import { registeredHeaders } from './registrar-answer.ts';
import { registered, withFlowLost } from './registrar-bindings.ts';
import { ConnectedFlows } from './registrar-flows.ts';
import { RegisterPace } from './registrar-pace.ts';
import { ownedBy, type RegisterRefusal } from './registrar-refusal.ts';
import { type RegisterRequest, readRegister } from './registrar-request.ts';

/** Our choice: REGISTERs that wait for a Region at once, a small part of what an agent holds; more are 503. */
const MOST_AT_ONCE = 2_000;

export interface RegistrarOptions extends RegisterAdmissionOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /** The base domain of SIP host names. */
  readonly domain: string;
  readonly listeners: readonly SipListener[];
  /** This process, as flows name it. */
  readonly process: string;
  readonly mostAtOnce?: number;
}

/** Takes registrations at an edge for whatever Region the domain is active in. */
export interface Registrar {
  /** The answer to a REGISTER; never rejects. */
  handle(request: SipRequest, source: SipSource): Promise<RequestReply>;
  /** A connection is over: what was registered over it cannot be reached any more. Never rejects. */
  disconnected(source: SipSource): Promise<void>;
}

export function createRegistrar(options: RegistrarOptions): Registrar {
  return new EdgeRegistrar(options);
}

class EdgeRegistrar implements Registrar {
  readonly #options: RegistrarOptions;
  readonly #pace: RegisterPace;
  readonly #flows = new ConnectedFlows();
  readonly #notes: RefusalNotes;
  #underWay = 0;

  constructor(options: RegistrarOptions) {
    this.#options = options;
    this.#pace = new RegisterPace(options.clock);
    this.#notes = new RefusalNotes(options);
  }

  async handle(request: SipRequest, source: SipSource): Promise<RequestReply> {
    if (this.#underWay >= (this.#options.mostAtOnce ?? MOST_AT_ONCE)) {
      return { status: 503, headers: RETRY_AFTER, stateless: true };
    }
    this.#underWay++;
    try {
      const answer = await this.#register(request, source);
      return 'reason' in answer ? this.#refuse(answer, request, source) : answer;
    } catch (error) {
      this.#options.logger.error({ err: error }, 'a registration failed');
      return { status: 503, headers: RETRY_AFTER };
    } finally {
      this.#underWay--;
    }
  }

  async disconnected(source: SipSource): Promise<void> {
    await this.#lose(this.#flowOf(source));
  }

  async #register(request: SipRequest, source: SipSource): Promise<RequestReply | RegisterRefusal> {
    const { domain, listeners, clock } = this.#options;
    const address = addressOfRecord(request, domain, listeners);
    if ('status' in address) return address;
    const admitted = await admitRegistrant(address, request, source, this.#options);
    if ('status' in admitted) return admitted;
    const bindings = await this.#change(request, source, address, admitted);
    if ('status' in bindings) return { ...ownedBy(admitted.access.domain, bindings), proved: true };
    return { status: 200, headers: registeredHeaders(request, bindings, clock.now()) };
  }

  async #change(
    request: SipRequest,
    source: SipSource,
    address: AddressOfRecord,
    admitted: AdmittedRegistrant,
  ): Promise<readonly Binding[] | RegisterRefusal> {
    if (!this.#pace.admits(aorOf(address, admitted))) return TOO_FAST;
    const wanted = readRegister(request);
    return 'status' in wanted ? wanted : this.#apply(wanted, address, admitted, source);
  }

  async #apply(
    wanted: RegisterRequest,
    address: AddressOfRecord,
    admitted: AdmittedRegistrant,
    source: SipSource,
  ): Promise<readonly Binding[] | RegisterRefusal> {
    const { clock, ids } = this.#options;
    const { registrations } = admitted.there;
    const { domain } = admitted.access;
    const aor = aorOf(address, admitted);
    // Those that a deleted domain of this name left are nobody's any more.
    const own = (all: readonly Binding[]) => all.filter(({ domainSid }) => domainSid === domain.sid);
    if (!wanted.removesAll && wanted.contacts.length === 0) return own(await registrations.bindings(aor));
    const flow = this.#flowOf(source);
    const registrant = {
      accountSid: domain.accountSid,
      domainSid: domain.sid,
      aor,
      username: admitted.username,
      flow,
      now: clock.now(),
      newId: () => ids.sid('RB'),
    };
    let refusal: RegisterRefusal | undefined;
    const bindings = await registrations.change(aor, (before) => {
      const after = registered(own(before), wanted, registrant);
      refusal = 'status' in after ? after : undefined;
      return 'status' in after ? undefined : after;
    });
    if (refusal) return refusal;
    if (flow.transport !== 'udp') {
      this.#flows.note(flow, { region: admitted.region, aor });
      if (source.open === false) await this.#lose(flow); // it closed meanwhile, and nobody will say so again
    }
    return bindings;
  }

  /** Bindings stay until they expire (RFC 3261 §10.3); those of this flow are marked as out of reach. */
  async #lose(flow: Flow): Promise<void> {
    const { directories, logger } = this.#options;
    const marks = this.#flows.take(flow).map(async ({ region, aor }) => {
      await directories.get(region)?.registrations.change(aor, (before) => withFlowLost(before, flow));
    });
    for (const mark of await Promise.allSettled(marks)) {
      if (mark.status === 'rejected') {
        logger.warn({ err: mark.reason, edge: flow.edge }, 'a closed connection could not be noted');
      }
    }
  }

  #flowOf({ listener, address, port }: SipSource): Flow {
    const { label, transport } = listener;
    if (!isEdgeId(label)) throw new Error(`listener ${label} is no edge`);
    return { edge: label, process: this.#options.process, transport, address, port };
  }

  #refuse(refusal: RegisterRefusal, request: SipRequest, source: SipSource): RequestReply {
    const { status, headers, phrase, proved } = refusal;
    this.#notes.note({ request, source }, refusal);
    return {
      status,
      ...(headers ? { headers } : {}),
      ...(phrase === undefined ? {} : { phrase }),
      ...(proved ? {} : { stateless: true as const }),
    };
  }
}

const TOO_FAST: RegisterRefusal = {
  status: 503, // not documented; our choice: what can be repeated a little later
  code: 32008,
  headers: { 'Retry-After': '1' },
  phrase: 'Too Many Registrations',
  reason: 'more than five REGISTERs of this address within a second',
};

/** The domain by its key, the user as the credential list has it. */
function aorOf({ name }: AddressOfRecord, { username }: AdmittedRegistrant): string {
  return `${username}@${name}`;
}
