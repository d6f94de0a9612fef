import { restHost } from '../../region/host-names.ts';
import type { RegionId } from '../../region/region.ts';
import type { RegionOptions } from '../region-options.ts';
import type { OwnedKey } from './routes-key.ts';

/** Carries, beside an answer, what its reader should know and no field of Twilio's has room for. */
export const WARNING_HEADER = 'Trunkline-Warning';

/**
 * Why calls would fail in the Region that a key is routed to; undefined when they would not. The route is set all the
 * same, as on Twilio: it may be set first and the Region configured after it.
 *
 * @see https://www.twilio.com/docs/global-infrastructure/inbound-processing-api
 */
export async function routeWarning(
  { domain }: RegionOptions,
  { resource, shown, regions }: OwnedKey,
  region: RegionId,
): Promise<string | undefined> {
  if ((await regions()).includes(region)) return undefined;
  const host = restHost(resource.kind === 'trunk' ? 'trunking' : 'api', region, domain);
  switch (resource.kind) {
    case 'phone-number':
      return `${shown} has no voice configuration in ${region}: its calls fail there (22199) until it is updated on ${host}`;
    case 'sip-domain':
      return `${shown} does not exist in ${region}: its calls and registrations fail until it is created on ${host}`;
    case 'trunk':
      return `${shown} does not exist in ${region}: its calls fail until a trunk with that name is created on ${host}`;
  }
}
