import type { EdgeId } from './edge.ts';

export const REGION_IDS = ['us1', 'ie1', 'au1'] as const;

export type RegionId = (typeof REGION_IDS)[number];

/** The Region that handles keys without a route record. */
export const DEFAULT_REGION: RegionId = 'us1';

/**
 * A processing Region: where a call is routed, authenticated, executed and stored. Every name derived from a
 * Region is made here and nowhere else.
 */
export interface Region {
  readonly id: RegionId;
  /** Egress default and the label its REST host names carry. */
  readonly homeEdge: EdgeId;
  readonly queues: { readonly calls: string; readonly callbacks: string; readonly recordings: string };
  /** The default bucket name; `TRUNKLINE_BUCKET_<REGION>` overrides it. */
  readonly bucket: string;
  /** Prefix of this Region's keys in its Redis. */
  readonly keyPrefix: string;
  /** Suffix of the environment variables that concern it: `US1`. */
  readonly variable: string;
}

function region(id: RegionId, homeEdge: EdgeId): Region {
  return {
    id,
    homeEdge,
    queues: { calls: `calls-${id}`, callbacks: `callbacks-${id}`, recordings: `recordings-${id}` },
    bucket: `trunkline-${id}`,
    keyPrefix: `trunkline:${id}:`,
    variable: id.toUpperCase(),
  };
}

export const REGIONS: Readonly<Record<RegionId, Region>> = {
  us1: region('us1', 'ashburn'),
  ie1: region('ie1', 'dublin'),
  au1: region('au1', 'sydney'),
};

export function isRegionId(text: string): text is RegionId {
  return (REGION_IDS as readonly string[]).includes(text);
}
