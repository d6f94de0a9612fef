import type { Clock } from '../core/clock.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { Ids } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { Endpoint } from '../media/format.ts';
import type { RegionId } from '../region/region.ts';
import type { EdgeAddress } from './edge-address.ts';
import { EdgeConnection } from './edge-connection.ts';
import type { CallLink, InboundLink, OutgoingLink } from './link.ts';
import type { DialRequest, RefusalReason } from './protocol.ts';

export { EdgeUnreachable } from './edge-address.ts';
export { CommandFailed } from './link.ts';
export type { CallLink, EdgeAddress, InboundLink, OutgoingLink };

/** A connection without calls stays open this long for the next one. Our choice. */
const IDLE_MS = 30_000;

export interface ControlClientOptions {
  /** Shared with the edges. */
  readonly secret: string;
  readonly worker: string;
  readonly region: RegionId;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /** How often an idle connection is heard from. */
  readonly heartbeatMs: number;
  /** How long an edge process may take to answer and to authenticate itself; default 2 s. */
  readonly connectMs?: number;
}

/** A worker's end of the control channel: one connection for all its calls at an edge process. */
export interface ControlClient {
  /**
   * Asks an edge process for a call; `media` is this worker's inner socket. Rejects with EdgeUnreachable when the
   * process cannot be reached, does not know the secret, or goes away before it has answered.
   */
  claim(
    edge: EdgeAddress,
    callSid: string,
    epoch: number,
    media: Endpoint,
  ): Promise<InboundLink | { readonly refused: RefusalReason }>;
  /**
   * Has an edge process call somebody; the call is this worker's, in the job's epoch, until it is released. `media` is
   * this worker's inner socket. Rejects with EdgeUnreachable as `claim` does: whatever had begun, the edge ends.
   */
  dial(
    edge: EdgeAddress,
    request: DialRequest,
    media: Endpoint,
  ): Promise<OutgoingLink | { readonly notDialled: Diagnostic }>;
  /**
   * Whether one of two accounts is the other's parent, as an edge process knows it. Rejects with EdgeUnreachable as
   * `claim` does, and with CommandFailed when the edge cannot look it up.
   */
  related(edge: EdgeAddress, accounts: readonly [string, string]): Promise<boolean>;
  /** Whether a SIP domain is, in some Region, the account's or a related one's; asked and rejected as `related`. */
  domainRelated(edge: EdgeAddress, name: string, accountSid: string): Promise<boolean>;
  census(): { readonly connections: number; readonly calls: number };
  /** Closes every connection; calls that are still held end with the cause `shutdown`. */
  close(): Promise<void>;
}

export function createControlClient(options: ControlClientOptions): ControlClient {
  const connections = new Map<string, EdgeConnection>();

  function connectionTo(edge: EdgeAddress): EdgeConnection {
    const key = `${edge.process}@${edge.host}:${edge.port}`;
    const existing = connections.get(key);
    if (existing) return existing;
    const connection = new EdgeConnection(edge, {
      ...options,
      connectMs: options.connectMs ?? 2_000, // our choice
      idleMs: IDLE_MS,
      onClosed: () => {
        if (connections.get(key) === connection) connections.delete(key);
      },
    });
    connections.set(key, connection);
    return connection;
  }

  return {
    claim: (edge, callSid, epoch, media) => connectionTo(edge).claim(callSid, epoch, media),
    dial: (edge, request, media) => connectionTo(edge).dial(request, media),
    related: (edge, accounts) => connectionTo(edge).related(accounts),
    domainRelated: (edge, name, accountSid) => connectionTo(edge).domainRelated(name, accountSid),
    census() {
      let calls = 0;
      for (const connection of connections.values()) calls += connection.calls;
      return { connections: connections.size, calls };
    },
    async close() {
      await Promise.all([...connections.values()].map((connection) => connection.shutDown()));
    },
  };
}
