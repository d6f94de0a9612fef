import type { Request, Router } from 'express';
import type { SipDomain } from '../../../config/sip.ts';
import { accountOf } from '../../account-of.ts';
import { resource } from '../../answer.ts';
import { PAGING } from '../../operation.ts';
import { formOf } from '../../parameters.ts';
import { recordPage } from '../../record-page.ts';
import type { RegionOptions } from '../../region-options.ts';
import { authorOf } from '../routes-change.ts';
import { createDomain, deleteDomain, updateDomain } from './domain-changes.ts';
import { DOMAIN_PARAMETERS } from './domain-fields.ts';
import { authTypeOf, domainResource } from './domain-resource.ts';
import { absent, ownedBy } from './owned.ts';

/**
 * SIP domains of this Region. The same name may be had in several Regions; the route table says which one is active.
 *
 * @see https://www.twilio.com/docs/voice/sip/api/sip-domain-resource
 */
export function domains(router: Router, options: RegionOptions): void {
  const { records } = options.config;
  const show = async (domain: SipDomain) => domainResource(domain, await authTypeOf(options, domain.sid));
  resource(
    router,
    '/SIP/Domains{.json}',
    {
      async get(req, res) {
        const all = await records.domains.list(accountOf(req));
        const types = new Map(
          await Promise.all(all.map(async ({ sid }) => [sid, await authTypeOf(options, sid)] as const)),
        );
        res.json(
          recordPage(req, 'domains', all, (domain) => domainResource(domain, types.get(domain.sid) ?? '')),
        );
      },
      async post(req, res) {
        const by = authorOf(req, options.region.id);
        res.status(201).json(await show(await createDomain(options, accountOf(req), formOf(req), by)));
      },
    },
    {
      get: { id: 'ListSipDomain', parameters: PAGING },
      post: { id: 'CreateSipDomain', parameters: DOMAIN_PARAMETERS, required: ['DomainName'] },
    },
  );
  resource(
    router,
    '/SIP/Domains/:sid{.json}',
    {
      async get(req, res) {
        res.json(await show(await domainOf(options, req, 'sid')));
      },
      async post(req, res) {
        const by = authorOf(req, options.region.id);
        const changed = await updateDomain(options, await domainOf(options, req, 'sid'), formOf(req), by);
        if (!changed) throw absent(options, req);
        res.json(await show(changed));
      },
      async delete(req, res) {
        const by = authorOf(req, options.region.id);
        await deleteDomain(options, await domainOf(options, req, 'sid'), by);
        res.status(204).end();
      },
    },
    {
      get: { id: 'FetchSipDomain' },
      post: { id: 'UpdateSipDomain', parameters: DOMAIN_PARAMETERS },
      delete: { id: 'DeleteSipDomain' },
    },
  );
}

/** The domain that a path parameter names. @throws ApiError 404 */
export function domainOf(options: RegionOptions, req: Request, parameter: string): Promise<SipDomain> {
  return ownedBy(options, req, options.config.records.domains, parameter);
}
