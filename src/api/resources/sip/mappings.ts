import type { Request, Router } from 'express';
import {
  type AccountRecord,
  type DomainMapping,
  type MappingUse,
  mappingParent,
  mappingSid,
  type SipDomain,
} from '../../../config/sip.ts';
import { rfc2822 } from '../../../core/dates.ts';
import { resource } from '../../answer.ts';
import { invalid, notFound } from '../../api-error.ts';
import { PAGING } from '../../operation.ts';
import { formOf } from '../../parameters.ts';
import { recordPage } from '../../record-page.ts';
import type { RegionOptions } from '../../region-options.ts';
import { sipPath } from './domain-resource.ts';
import { domainOf } from './domains.ts';
import { SIP_LIMITS } from './limits.ts';
import { ACCESS_LISTS, CREDENTIAL_LISTS, type ListKind } from './list-kinds.ts';
import { absent } from './owned.ts';

/** One of a domain's resources of mappings. */
interface MappingResource {
  readonly use: MappingUse;
  readonly kind: ListKind;
  /** Below the domain. */
  readonly path: string;
  /** The mappings of an answer. */
  readonly key: string;
  /** In operationIds. */
  readonly id: string;
}

/**
 * @see https://www.twilio.com/docs/voice/sip/api/sip-ipaccesscontrollistmapping-resource
 * @see https://www.twilio.com/docs/voice/sip/api/sip-credentiallistmapping-resource
 * @see https://www.twilio.com/docs/voice/sip/api/sip-domain-registration-credentiallistmapping-resource
 */
const MAPPING_RESOURCES: readonly MappingResource[] = [
  {
    use: 'legacy',
    kind: ACCESS_LISTS,
    path: 'IpAccessControlListMappings',
    key: 'ip_access_control_list_mappings',
    id: 'SipIpAccessControlListMapping',
  },
  {
    use: 'legacy',
    kind: CREDENTIAL_LISTS,
    path: 'CredentialListMappings',
    key: 'credential_list_mappings',
    id: 'SipCredentialListMapping',
  },
  {
    use: 'calls',
    kind: ACCESS_LISTS,
    path: 'Auth/Calls/IpAccessControlListMappings',
    key: 'contents',
    id: 'SipAuthCallsIpAccessControlListMapping',
  },
  {
    use: 'calls',
    kind: CREDENTIAL_LISTS,
    path: 'Auth/Calls/CredentialListMappings',
    key: 'contents',
    id: 'SipAuthCallsCredentialListMapping',
  },
  {
    use: 'registrations',
    kind: CREDENTIAL_LISTS,
    path: 'Auth/Registrations/CredentialListMappings',
    key: 'contents',
    id: 'SipAuthRegistrationsCredentialListMapping',
  },
];

/** Which lists a domain uses, and what for. */
export function domainMappings(router: Router, options: RegionOptions): void {
  for (const mapping of MAPPING_RESOURCES) {
    all(router, options, mapping);
    one(router, options, mapping);
  }
}

function all(router: Router, options: RegionOptions, of: MappingResource): void {
  const { records } = options.config;
  resource(
    router,
    `/SIP/Domains/:domainSid/${of.path}{.json}`,
    {
      async get(req, res) {
        const { sid: domainSid } = await domainOf(options, req, 'domainSid');
        const parent = mappingParent({ domainSid, use: of.use, list: of.kind.list });
        const mappings = await records.mappings.list(parent);
        const lists = await Promise.all(
          mappings.map(({ listSid }) => of.kind.records(records).fetch(listSid)),
        );
        const names = new Map(lists.map((list) => [list?.sid, list?.friendlyName]));
        const view = (mapping: DomainMapping) => mappingResource(of, mapping, names.get(mapping.listSid));
        res.json(recordPage(req, of.key, mappings, view));
      },
      async post(req, res) {
        const domain = await domainOf(options, req, 'domainSid');
        const list = await listOf(options, of.kind, domain, req);
        const mapping = await map(options, of, domain, list);
        if (!mapping) throw absent(options, req);
        res.status(201).json(mappingResource(of, mapping, list.friendlyName));
      },
    },
    {
      get: { id: `List${of.id}`, parameters: PAGING },
      post: {
        id: `Create${of.id}`,
        parameters: { [of.kind.parameter]: 'sid' },
        required: [of.kind.parameter],
      },
    },
  );
}

function one(router: Router, options: RegionOptions, of: MappingResource): void {
  const { records } = options.config;
  const mappingOf = async (req: Request) => {
    const { sid: domainSid } = await domainOf(options, req, 'domainSid');
    const listSid = String(req.params['sid']);
    const mapping = await records.mappings.fetch(mappingSid({ domainSid, use: of.use, listSid }));
    if (mapping?.list === of.kind.list) return mapping;
    throw absent(options, req);
  };
  resource(
    router,
    `/SIP/Domains/:domainSid/${of.path}/:sid{.json}`,
    {
      async get(req, res) {
        const mapping = await mappingOf(req);
        const list = await of.kind.records(records).fetch(mapping.listSid);
        res.json(mappingResource(of, mapping, list?.friendlyName));
      },
      async delete(req, res) {
        await records.mappings.remove((await mappingOf(req)).sid);
        res.status(204).end();
      },
    },
    { get: { id: `Fetch${of.id}` }, delete: { id: `Delete${of.id}` } },
  );
}

/** The list that the form names: one of the domain's account, in this Region. */
async function listOf(
  { config, region }: RegionOptions,
  kind: ListKind,
  domain: SipDomain,
  req: Request,
): Promise<AccountRecord> {
  const sid = formOf(req).filled(kind.parameter);
  if (sid === undefined) {
    throw invalid(21231, `${kind.parameter} is required: the SID of the ${kind.name} to be mapped.`);
  }
  const list = await kind.records(config.records).fetch(sid);
  if (list?.accountSid === domain.accountSid) return list;
  throw notFound(
    `The ${kind.name} ${sid} was not found in ${region.id}. Lists are regional: create it there, too.`,
  );
}

/** Undefined when the domain or the list was deleted meanwhile: nothing is left of the mapping then. */
async function map(
  { config, clock, region }: RegionOptions,
  { use, kind }: MappingResource,
  domain: SipDomain,
  list: AccountRecord,
): Promise<DomainMapping | undefined> {
  const { mappings, domains } = config.records;
  const keys = { domainSid: domain.sid, use, list: kind.list, listSid: list.sid };
  const mapping: DomainMapping = {
    sid: mappingSid(keys),
    accountSid: domain.accountSid,
    ...keys,
    createdAt: clock.now(),
  };
  const made = await mappings.create(mapping, SIP_LIMITS.mappings);
  if (made === 'taken') {
    throw invalid(21231, `${list.sid} is already associated with ${domain.sid}, ${domain.domainName}.`);
  }
  if (made === 'full') {
    throw invalid(
      21231,
      `${domain.domainName} has ${SIP_LIMITS.mappings} mappings here in ${region.id}, the most it may have.`,
    );
  }
  const [stillDomain, stillList] = await Promise.all([
    domains.fetch(domain.sid),
    kind.records(config.records).fetch(list.sid),
  ]);
  if (stillDomain && stillList) return mapping;
  await mappings.remove(mapping.sid);
  return undefined;
}

/** Only the older resources, right under the domain, have a URI and name the domain. */
function mappingResource(
  { use, path }: MappingResource,
  { accountSid, domainSid, listSid, createdAt }: DomainMapping,
  friendlyName: string | undefined,
): object {
  return {
    account_sid: accountSid,
    date_created: rfc2822(createdAt),
    date_updated: rfc2822(createdAt),
    friendly_name: friendlyName ?? null,
    sid: listSid,
    ...(use === 'legacy' && {
      domain_sid: domainSid,
      uri: `${sipPath(accountSid)}/Domains/${domainSid}/${path}/${listSid}.json`,
    }),
  };
}
