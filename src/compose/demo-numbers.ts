import type { RegionId } from '../region/region.ts';

/** A demo number: fictional ranges, so that no real subscriber is ever dialled by mistake. */
export interface DemoNumber {
  readonly phoneNumber: string;
  readonly region: RegionId;
  /** Path of its webhook in the demo application. */
  readonly path: string;
  readonly friendlyName: string;
}

/** NANP 555-01xx and Ireland's 020 91x xxxx are reserved for fiction. */
const NUMBERS: Readonly<Partial<Record<RegionId, string>>> = { us1: '+12025550143', ie1: '+353209155143' };

/** The demo numbers of these Regions. */
export function demoNumbers(regions: readonly RegionId[]): DemoNumber[] {
  return regions.flatMap((region) => {
    const phoneNumber = NUMBERS[region];
    return phoneNumber
      ? [{ phoneNumber, region, path: `/${region}/voice`, friendlyName: `Demo ${region}` }]
      : [];
  });
}
