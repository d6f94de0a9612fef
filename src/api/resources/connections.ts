import { type Request, Router } from 'express';
import type { InterconnectConnection } from '../../config/port.ts';
import { INTERCONNECT_EDGES } from '../../region/edge.ts';
import { accountOf } from '../account-of.ts';
import { resource } from '../answer.ts';
import { ApiError, invalid, missing } from '../api-error.ts';
import { formOf } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';

const STATUSES = ['active', 'inactive'] as const;

/**
 * The Interconnect connections of this Region (`/trunkline/v1/Connections`): which `-ix` edges its calls may leave
 * through, and the SIDs that the deprecated `tnx` parameter takes. Our own resource (DESIGN §6, Interconnect).
 */
export function connections(options: RegionOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const view = (req: Request, { sid, exchange, status }: InterconnectConnection) => ({
    sid,
    account_sid: accountOf(req),
    exchange,
    status,
    region: options.region.id,
    url: `/trunkline/v1/Connections/${sid}`,
  });
  resource(
    router,
    '/Connections{.json}',
    {
      async get(req, res) {
        const all = await options.config.connections();
        res.json({ connections: all.map((connection) => view(req, connection)) });
      },
      async post(req, res) {
        requireOwner(options, req);
        const form = formOf(req);
        const exchange = form.oneOf('Exchange', INTERCONNECT_EDGES);
        if (!exchange) throw invalid(20001, `No Exchange: give one of ${INTERCONNECT_EDGES.join(', ')}.`);
        const status = form.oneOf('Status', STATUSES) ?? 'active';
        const connection = { sid: options.ids.sid('TX'), exchange, status };
        await options.config.saveConnection(connection);
        res.status(201).json(view(req, connection));
      },
    },
    {
      get: { id: 'ListConnection' },
      post: {
        id: 'CreateConnection',
        parameters: { Exchange: INTERCONNECT_EDGES, Status: STATUSES },
        required: ['Exchange'],
      },
    },
  );
  resource(
    router,
    '/Connections/:sid{.json}',
    {
      async get(req, res) {
        res.json(view(req, await connectionOf(options, req)));
      },
      async post(req, res) {
        requireOwner(options, req);
        const connection = await connectionOf(options, req);
        const status = formOf(req).oneOf('Status', STATUSES);
        if (!status) throw invalid(20001, `No Status: give one of ${STATUSES.join(', ')}.`);
        const changed = { ...connection, status };
        await options.config.saveConnection(changed);
        res.json(view(req, changed));
      },
    },
    {
      get: { id: 'FetchConnection' },
      post: { id: 'UpdateConnection', parameters: { Status: STATUSES }, required: ['Status'] },
    },
  );
  return router;
}

/** A connection is the Region's, whose calls of every account leave through it. @throws ApiError 403 */
function requireOwner({ accountSid, region }: RegionOptions, req: Request): void {
  if (accountOf(req) === accountSid) return;
  throw new ApiError(
    403,
    20006,
    `The connections of ${region.id} are changed by account ${accountSid} alone.`,
  );
}

async function connectionOf(options: RegionOptions, req: Request): Promise<InterconnectConnection> {
  const sid = String(req.params['sid']);
  const found = (await options.config.connections()).find((connection) => connection.sid === sid);
  if (found) return found;
  throw missing(req.originalUrl.split('?')[0] ?? '', options.region.id);
}
