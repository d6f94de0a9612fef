import { Router } from 'express';
import { isoSeconds } from '../../core/dates.ts';
import { publicUrl } from '../../region/host-names.ts';
import { DEFAULT_REGION, REGION_IDS, type RegionId } from '../../region/region.ts';
import type { RouteRecord } from '../../routing/port.ts';
import { resource as serve } from '../answer.ts';
import { notFound } from '../api-error.ts';
import type { PathDescription } from '../operation.ts';
import type { RegionOptions } from '../region-options.ts';
import { changeRoute } from './routes-change.ts';
import { type OwnedKey, ownedKey, ROUTE_RESOURCES, type RouteResource } from './routes-key.ts';
import { fromTable } from './routes-table.ts';
import { routeWarning, WARNING_HEADER } from './routes-warning.ts';

/**
 * The global route table: to which Region the calls of a number, a SIP domain or a trunk go. Any Region's host may read
 * it and set any Region. The guides spell the path in the singular, the API description and the clients in the plural:
 * both work.
 *
 * @see https://www.twilio.com/docs/global-infrastructure/inbound-processing-api
 */
export function routes(options: RegionOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  for (const one of ROUTE_RESOURCES) {
    for (const name of [one.plural, one.singular]) serveRoute(router, `/${name}/:key`, one, options);
  }
  return router;
}

function serveRoute(router: Router, path: string, one: RouteResource, options: RegionOptions): void {
  serve(
    router,
    path,
    {
      async get(req, res) {
        const owned = await fromTable(options, req, ownedKey(options, one, req));
        const record = await fromTable(options, req, options.routes.fetch(one.kind, owned.key));
        if (record?.accountSid !== owned.accountSid) {
          throw notFound(`${owned.shown} has no route: its calls go to ${DEFAULT_REGION}.`);
        }
        res.json(routeResource(options, owned, record));
      },
      async post(req, res) {
        const owned = await fromTable(options, req, ownedKey(options, one, req));
        const record = await changeRoute(options, owned, req);
        const warning = await warn(options, owned, record.voiceRegion);
        if (warning !== undefined) res.set(WARNING_HEADER, warning);
        res.json(routeResource(options, owned, record));
      },
    },
    description(one),
  );
}

/** The route is set by now: that it cannot be judged is no reason to say that it failed. */
async function warn(options: RegionOptions, owned: OwnedKey, region: RegionId): Promise<string | undefined> {
  const about = { kind: owned.resource.kind, key: owned.key, region };
  try {
    const warning = await routeWarning(options, owned, region);
    if (warning !== undefined) options.logger.warn(about, warning);
    return warning;
  } catch (error) {
    options.logger.error({ ...about, err: error }, 'it cannot be read whether calls would work there');
    return undefined;
  }
}

function description({ singular, id }: RouteResource): PathDescription {
  return {
    element: singular,
    get: { id: `Fetch${id}` },
    post: { id: `Update${id}`, parameters: { VoiceRegion: REGION_IDS, FriendlyName: 'string' } },
  };
}

function routeResource(options: RegionOptions, { resource, shown }: OwnedKey, record: RouteRecord): object {
  return {
    [resource.field]: shown,
    url: `${publicUrl(options.publicUrl, 'routes', options.region.id)}/v2/${resource.plural}/${shown}`,
    sid: record.sid,
    account_sid: record.accountSid,
    friendly_name: record.friendlyName,
    voice_region: record.voiceRegion,
    date_created: isoSeconds(record.createdAt),
    date_updated: isoSeconds(record.updatedAt),
  };
}
