import type { Registrations } from '../config/registrations.ts';
import type { SipDirectory } from '../config/sip-directory.ts';
import type { RegionId } from '../region/region.ts';

/** What an edge asks a Region that runs in this installation, for the SIP domains that are active there. */
export interface RegionDirectory {
  readonly directory: SipDirectory;
  readonly registrations: Registrations;
}

/** By Region. Each has a connection of its own: a Region whose Redis is away is away alone. */
export type RegionDirectories = ReadonlyMap<RegionId, RegionDirectory>;
