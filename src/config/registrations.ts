import type { EdgeId } from '../region/edge.ts';

/** How an edge process reaches a registered device: the way its REGISTER came. */
export interface Flow {
  readonly edge: EdgeId;
  /** The edge process that has the socket. */
  readonly process: string;
  readonly transport: 'udp' | 'tcp' | 'tls';
  /** Where the REGISTER came from: behind NAT the only address that leads to the device. */
  readonly address: string;
  readonly port: number;
  /** Its connection is closed: nothing leads to the device until it registers again. Absent: not known to be. */
  readonly lost?: true;
}

/** One device that is registered: RFC 3261 §10.3. */
export interface Binding {
  /** `RB` is our own prefix; names the binding in our API. */
  readonly id: string;
  readonly accountSid: string;
  readonly domainSid: string;
  /** `user@name`, the domain by its global key. */
  readonly aor: string;
  readonly username: string;
  /** The Contact's URI. */
  readonly contact: string;
  /** What of the Contact tells it from others: its URI by the rules of RFC 3261 §19.1.4, or instance and reg-id (RFC 5626). */
  readonly identity: string;
  /** Parameters of the Contact besides `expires`, as it wrote them: `;q=0.5`. Absent or '': none. */
  readonly parameters?: string;
  readonly callId: string;
  readonly cseq: number;
  /** Route of requests to it, topmost first (RFC 3327). */
  readonly path: readonly string[];
  readonly flow: Flow;
  readonly userAgent: string | null;
  /** Milliseconds since the Unix epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt: number;
}

/** Regional: the devices that are registered with the SIP domains active here. What has expired is never shown. */
export interface Registrations {
  bindings(aor: string): Promise<readonly Binding[]>;
  /**
   * Replaces all bindings of an AOR by what `next` makes of them, in one step: two REGISTERs at once are as one after
   * the other. `next` may run more than once; undefined leaves everything as it is. Resolves with the bindings then.
   */
  change(
    aor: string,
    next: (before: readonly Binding[]) => readonly Binding[] | undefined,
  ): Promise<readonly Binding[]>;
  /** Of a domain, or of all domains of an account; by AOR, oldest first. */
  list(of: RegistrationsOf): Promise<readonly Binding[]>;
  close(): Promise<void>;
}

export type RegistrationsOf = { readonly domainSid: string } | { readonly accountSid: string };

/** The bindings that are alive at `now`, oldest first. */
export function unexpired(bindings: readonly Binding[], now: number): readonly Binding[] {
  return bindings
    .filter(({ expiresAt }) => expiresAt > now)
    .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
}

export function isOf(of: RegistrationsOf): (binding: Binding) => boolean {
  return (binding) =>
    'domainSid' in of ? binding.domainSid === of.domainSid : binding.accountSid === of.accountSid;
}
