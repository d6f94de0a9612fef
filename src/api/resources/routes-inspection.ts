import { type Request, Router } from 'express';
import { isoMs } from '../../core/dates.ts';
import { REGION_IDS, type RegionId } from '../../region/region.ts';
import { ROUTE_MAX_AGE_MS } from '../../routing/entry.ts';
import type { RouteChange, RouteRecord, RouteState, RouteTerms } from '../../routing/port.ts';
import { accountOf } from '../account-of.ts';
import { resource } from '../answer.ts';
import { missing } from '../api-error.ts';
import { PAGING } from '../operation.ts';
import { pageBody, pageRequest, scan, slice } from '../paging.ts';
import { queryOf } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';
import { type OwnedKey, ownedKey, ROUTE_RESOURCES, type RouteResource, shownKey } from './routes-key.ts';
import { fromTable } from './routes-table.ts';
import { routeWarning } from './routes-warning.ts';

const PLURALS = ROUTE_RESOURCES.map(({ plural }) => plural);

/**
 * What Twilio's resource does not show of a route (`/trunkline/v1/Routes`): where calls go now, a change that has not
 * taken effect, which Regions could take the calls, who changed it. Our own resource, the same in every Region.
 */
export function routesInspection(options: RegionOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  resource(
    router,
    '/Routes',
    {
      async get(req, res) {
        res.json(await list(options, req));
      },
    },
    {
      get: {
        id: 'ListRoute',
        parameters: { Kind: PLURALS, VoiceRegion: REGION_IDS, Key: 'string', Pending: 'boolean', ...PAGING },
      },
    },
  );
  resource(
    router,
    '/Routes/:resource/:key',
    {
      async get(req, res) {
        const owned = await asked(options, req);
        res.json(await fromTable(options, req, inspect(options, owned)));
      },
    },
    { get: { id: 'InspectRoute' } },
  );
  resource(
    router,
    '/Routes/:resource/:key/Changes',
    {
      async get(req, res) {
        const owned = await asked(options, req);
        res.json(await changes(options, owned, req));
      },
    },
    { get: { id: 'ListRouteChange', parameters: PAGING } },
  );
  return router;
}

async function asked(options: RegionOptions, req: Request): Promise<OwnedKey> {
  const name = String(req.params['resource']);
  const found = ROUTE_RESOURCES.find(({ plural, singular }) => plural === name || singular === name);
  if (!found) throw missing(req.originalUrl.split('?')[0] ?? '', options.region.id);
  return fromTable(options, req, ownedKey(options, found, req));
}

async function inspect(options: RegionOptions, owned: OwnedKey): Promise<object> {
  const { resource: of, key, shown, accountSid } = owned;
  const [found, regions] = await Promise.all([options.routes.state(of.kind, key), owned.regions()]);
  const record = found.record?.accountSid === accountSid ? found.record : undefined;
  const state = { ...found, record };
  const places = new Set<RegionId>([state.activeRegion, ...(state.pending ? [state.pending.region] : [])]);
  const warnings = await Promise.all([...places].map((region) => routeWarning(options, owned, region)));
  return {
    ...stateView(of, shown, accountSid, state),
    configured_regions: REGION_IDS.filter((region) => regions.includes(region)),
    warnings: warnings.filter((warning) => warning !== undefined),
  };
}

/** `date_everywhere`: by then every edge follows the record as it is now, also one that heard of no change. */
function stateView(
  of: RouteResource,
  shown: string,
  accountSid: string,
  { record, activeRegion, pending }: RouteState,
): object {
  const known = record && record.updatedAt + ROUTE_MAX_AGE_MS;
  const url = `/trunkline/v1/Routes/${of.plural}/${shown}`;
  return {
    kind: of.plural,
    key: shown,
    account_sid: accountSid,
    active_region: activeRegion,
    pending: pending ? { voice_region: pending.region, date_effective: isoMs(pending.effectiveAt) } : null,
    record: record ? recordView(record) : null,
    date_everywhere: known === undefined ? null : isoMs(Math.max(known, pending?.effectiveAt ?? 0)),
    edge_max_age_ms: ROUTE_MAX_AGE_MS,
    url,
    links: { changes: `${url}/Changes` },
  };
}

function recordView(record: RouteRecord): object {
  return {
    ...termsView(record),
    date_created: isoMs(record.createdAt),
    date_updated: isoMs(record.updatedAt),
  };
}

function termsView({ sid, voiceRegion, friendlyName }: RouteTerms): object {
  return { sid, voice_region: voiceRegion, friendly_name: friendlyName };
}

async function list(options: RegionOptions, req: Request): Promise<object> {
  const query = queryOf(req);
  const request = pageRequest(query);
  const kind = query.oneOf('Kind', PLURALS);
  const voiceRegion = query.oneOf('VoiceRegion', REGION_IDS);
  const part = query.filled('Key')?.toLowerCase() ?? '';
  const isPending = query.boolean('Pending');
  const accountSid = accountOf(req);
  let newest: number | undefined;
  const read = async (offset: number, limit: number) => {
    const { items, hasMore } = await options.routes.list(accountSid, { offset, limit, upTo: request.upTo });
    newest ??= items[0]?.record.createdAt;
    return { items: items.map((state) => ({ state, ...namesOf(options, state.record) })), hasMore };
  };
  const page = await fromTable(
    options,
    req,
    scan(
      read,
      ({ of, shown, state }) =>
        (kind === undefined || of.plural === kind) &&
        (voiceRegion === undefined || state.record.voiceRegion === voiceRegion) &&
        (isPending === undefined || (state.pending !== undefined) === isPending) &&
        shown.includes(part),
      request,
    ),
  );
  const items = page.items.map(({ of, shown, state }) => stateView(of, shown, accountSid, state));
  return pageBody(req, 'routes', request, { ...page, items }, newest);
}

function namesOf({ domain }: RegionOptions, { kind, key }: RouteRecord) {
  const of = ROUTE_RESOURCES.find((one) => one.kind === kind);
  if (!of) throw new Error(`${kind} is no kind of key`);
  return { of, shown: shownKey(kind, key, domain) };
}

async function changes(options: RegionOptions, owned: OwnedKey, req: Request): Promise<object> {
  const request = pageRequest(queryOf(req));
  const all = await fromTable(options, req, options.routes.changes(owned.resource.kind, owned.key));
  // What was done to the key while it was somebody else's is theirs to know.
  const known = all.filter(
    ({ accountSid, at }) =>
      accountSid === owned.accountSid && at <= (request.upTo ?? Number.POSITIVE_INFINITY),
  );
  const page = slice(known, request);
  const items = page.items.map(changeView);
  return pageBody(req, 'changes', request, { ...page, items }, known[0]?.at);
}

function changeView({ at, by, before, after, effectiveAt }: RouteChange): object {
  return {
    date: isoMs(at),
    date_effective: isoMs(effectiveAt),
    by: by && { account_sid: by.accountSid, credential_sid: by.credentialSid, region: by.region },
    before: before && termsView(before),
    after: after && termsView(after),
  };
}
