import { type Request, Router } from 'express';
import type { Binding } from '../../../config/registrations.ts';
import { isoSeconds } from '../../../core/dates.ts';
import { readSipHost } from '../../../region/sip-host.ts';
import { accountOf } from '../../account-of.ts';
import { resource } from '../../answer.ts';
import { PAGING } from '../../operation.ts';
import { type Parameters, queryOf } from '../../parameters.ts';
import { recordPage } from '../../record-page.ts';
import type { RegionOptions } from '../../region-options.ts';
import { absent } from './owned.ts';

/**
 * The devices that are registered with the account's SIP domains in this Region (`/trunkline/v1/Registrations`): a
 * resource of our own. What has expired is gone.
 */
export function registrations(options: RegionOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  resource(
    router,
    '/Registrations{.json}',
    {
      async get(req, res) {
        const matches = filterOf(queryOf(req), options.domain);
        const all = await options.config.registrations.list({ accountSid: accountOf(req) });
        const found = all.filter(matches).map((binding) => ({ ...binding, sid: binding.id }));
        const names = await domainNames(options, found);
        res.json(recordPage(req, 'registrations', found, (binding) => view(options, binding, names)));
      },
    },
    {
      get: {
        id: 'ListRegistration',
        parameters: { Domain: 'string', Username: 'string', Aor: 'string', ...PAGING },
      },
    },
  );
  resource(
    router,
    '/Registrations/:sid{.json}',
    {
      async get(req, res) {
        const binding = await bindingOf(options, req);
        res.json(view(options, binding, await domainNames(options, [binding])));
      },
      async delete(req, res) {
        const { aor, id } = await bindingOf(options, req);
        await options.config.registrations.change(aor, (before) => before.filter((one) => one.id !== id));
        res.status(204).end();
      },
    },
    { get: { id: 'FetchRegistration' }, delete: { id: 'DeleteRegistration' } },
  );
  return router;
}

async function bindingOf(options: RegionOptions, req: Request): Promise<Binding> {
  const all = await options.config.registrations.list({ accountSid: accountOf(req) });
  const found = all.find(({ id }) => id === req.params['sid']);
  if (found) return found;
  throw absent(options, req);
}

/** `Domain` is a name, bare or whole, or a SID; `Aor` is written with or without `sip:`, the domain likewise. */
function filterOf(query: Parameters, base: string): (binding: Binding) => boolean {
  const domain = query.filled('Domain');
  const username = query.filled('Username');
  const aor = query.filled('Aor')?.replace(/^sips?:/i, '');
  const bare = (name: string) => {
    const host = readSipHost(name, base);
    return host.kind === 'sip-domain' ? host.name : name.toLowerCase();
  };
  const at = aor?.lastIndexOf('@') ?? -1;
  const wanted = aor && at > 0 ? `${aor.slice(0, at)}@${bare(aor.slice(at + 1))}` : aor;
  return (binding) =>
    (domain === undefined || binding.domainSid === domain || binding.aor.endsWith(`@${bare(domain)}`)) &&
    (username === undefined || binding.username === username) &&
    (wanted === undefined || binding.aor === wanted);
}

/** Domains as they were named, by SID. */
async function domainNames(
  { config }: RegionOptions,
  bindings: readonly Binding[],
): Promise<ReadonlyMap<string, string>> {
  const sids = [...new Set(bindings.map(({ domainSid }) => domainSid))];
  const found = await Promise.all(sids.map((sid) => config.records.domains.fetch(sid)));
  return new Map(found.flatMap((domain) => (domain ? [[domain.sid, domain.domainName] as const] : [])));
}

function view(
  { clock, region, domain: base }: RegionOptions,
  binding: Binding,
  names: ReadonlyMap<string, string>,
): object {
  const { flow } = binding;
  const key = binding.aor.slice(binding.aor.lastIndexOf('@') + 1);
  const domain = names.get(binding.domainSid) ?? `${key}.sip.${base}`;
  return {
    sid: binding.id,
    account_sid: binding.accountSid,
    domain_sid: binding.domainSid,
    domain,
    username: binding.username,
    aor: `sip:${binding.username}@${domain}`,
    contact: binding.contact,
    path: binding.path,
    region: region.id,
    edge: flow.edge,
    transport: flow.transport,
    source_address: flow.address,
    source_port: flow.port,
    user_agent: binding.userAgent,
    /** Seconds from now. */
    expires: Math.ceil((binding.expiresAt - clock.now()) / 1000),
    date_created: isoSeconds(binding.createdAt),
    date_updated: isoSeconds(binding.updatedAt),
    date_expires: isoSeconds(binding.expiresAt),
    url: `/trunkline/v1/Registrations/${binding.id}`,
  };
}
