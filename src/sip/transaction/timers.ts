/** Base values of every SIP timer, milliseconds. */
export interface TimerValues {
  /** Round-trip estimate: the first retransmission interval. */
  readonly t1: number;
  /** The longest retransmission interval of non-INVITE requests and INVITE responses. */
  readonly t2: number;
  /** The longest time a message stays in the network. */
  readonly t4: number;
  /** How long an INVITE client absorbs repeated final responses over UDP: timer D, at least 32 s. */
  readonly d: number;
}

/** RFC 3261 §17.1.1.1 and table 4. */
export const RFC_TIMERS: TimerValues = { t1: 500, t2: 4_000, t4: 5_000, d: 32_000 };

/** The timers a transaction arms, by the letters of RFC 3261 table 4 and RFC 6026 (L, M). */
export type TimerName = 'A' | 'B' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M';

/** What a transaction is started with: it never changes afterwards. */
export interface TransactionSettings {
  /** TCP: no retransmissions, and no waiting for the peer's. */
  readonly reliable: boolean;
  readonly timers: TimerValues;
}

/** 64·T1: how long a transaction keeps trying, and how long it absorbs repetitions (RFC 3261 table 4). */
export function lifetime(timers: TimerValues): number {
  return 64 * timers.t1;
}
