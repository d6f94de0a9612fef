import { TRANSPORT_LIMITS, type TransportLimits } from '../transport/port.ts';

/** How much peers may make an agent hold. */
export interface AgentLimits {
  /** Requests without a final response; beyond it, 503 with Retry-After. */
  readonly pendingRequests: number;
  /** Answered transactions kept to absorb repetitions; beyond it the oldest are dropped. */
  readonly settledRequests: number;
  readonly transport: TransportLimits;
}

/**
 * Our choices: ten times what one process can serve. Settled ones take about 6 kB each: calls that came in and
 * registrations that were made, 3,000 a second of them; what is refused unproved leaves none.
 */
export const LIMITS: AgentLimits = {
  pendingRequests: 20_000,
  settledRequests: 100_000,
  transport: TRANSPORT_LIMITS,
};
