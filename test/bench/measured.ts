/** What a run of many came to. */
export interface Measured {
  readonly perSecond: number;
  /** Processor time, microseconds each. */
  readonly cpu: number;
}

export const NOTHING: Measured = { perSecond: 0, cpu: Number.POSITIVE_INFINITY };

/** The best of both runs in either respect: what a machine that was busy with other things took away is not in it. */
export function better(one: Measured, other: Measured): Measured {
  return { perSecond: Math.max(one.perSecond, other.perSecond), cpu: Math.min(one.cpu, other.cpu) };
}
