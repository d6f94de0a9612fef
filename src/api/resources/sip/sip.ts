import { Router } from 'express';
import type { RegionOptions } from '../../region-options.ts';
import { addresses } from './addresses.ts';
import { credentials } from './credentials.ts';
import { domains } from './domains.ts';
import { ACCESS_LISTS, CREDENTIAL_LISTS } from './list-kinds.ts';
import { lists } from './lists.ts';
import { domainMappings } from './mappings.ts';

/** What decides, in this Region, who may call and register by SIP. */
export function sip(options: RegionOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  domains(router, options);
  domainMappings(router, options);
  lists(router, options, ACCESS_LISTS);
  addresses(router, options);
  lists(router, options, CREDENTIAL_LISTS);
  credentials(router, options);
  return router;
}
