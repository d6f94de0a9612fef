import { type Request, Router } from 'express';
import type { CallRecord, CallStatus } from '../../call/record.ts';
import { isSid } from '../../core/ids.ts';
import { accountOf } from '../account-of.ts';
import { resource } from '../answer.ts';
import { missing } from '../api-error.ts';
import { type DateRange, dateRange, earliest, includes } from '../date-filter.ts';
import { pageBody, pageRequest, scan } from '../paging.ts';
import { formOf, queryOf } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';
import { createCall } from './call-creation.ts';
import { updateCall } from './call-updates.ts';

const STATUSES: readonly CallStatus[] = [
  'queued',
  'ringing',
  'in-progress',
  'completed',
  'busy',
  'failed',
  'no-answer',
  'canceled',
];

/**
 * The calls this Region processes and has processed; creating one makes it here. A call of another Region is not found here.
 *
 * The records are answered as they are stored: Twilio's fields first, then our own (`region`, `ingress_edge`,
 * `cause`, `diagnostics` …), which clients of Twilio ignore.
 *
 * @see https://www.twilio.com/docs/voice/api/call-resource
 */
export function calls(options: RegionOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  resource(router, '/Calls{.json}', {
    async get(req, res) {
      res.json(await list(options, req));
    },
    async post(req, res) {
      res.status(201).json(await createCall(options, accountOf(req), formOf(req)));
    },
  });
  resource(router, '/Calls/:sid{.json}', {
    async get(req, res) {
      res.json(await callOf(options, req, 'sid'));
    },
    async post(req, res) {
      res.json(await updateCall(options, await callOf(options, req, 'sid'), formOf(req)));
    },
  });
  return router;
}

/** The call that a path parameter names. @throws ApiError 404 */
export async function callOf(options: RegionOptions, req: Request, parameter: string): Promise<CallRecord> {
  const sid = String(req.params[parameter]);
  const call = isSid(sid, 'CA') ? await options.store.fetch(sid) : undefined;
  if (call?.account_sid === accountOf(req)) return call;
  throw missing(req.originalUrl.split('?')[0] ?? '', options.region.id);
}

async function list(options: RegionOptions, req: Request): Promise<object> {
  const query = queryOf(req);
  const request = pageRequest(query);
  // A call starts when it is created: inbound ones are dialled already when they reach us.
  const started = dateRange(query, 'StartTime');
  const ended = dateRange(query, 'EndTime');
  const filter = {
    to: query.filled('To'),
    from: query.filled('From'),
    parentCallSid: query.filled('ParentCallSid'),
    status: query.oneOf('Status', STATUSES),
    createdFrom: started.from,
    createdBefore: earliest(started.before, request.upTo === undefined ? undefined : request.upTo + 1),
  };
  const fetch = (offset: number, limit: number) => options.store.list(accountOf(req), filter, offset, limit);
  const page =
    ended.from === undefined && ended.before === undefined
      ? await fetch(request.page * request.pageSize, request.pageSize)
      : await scan(fetch, (call) => endedWithin(ended, call), request);
  return pageBody(req, 'calls', request, page, page.items[0]?.created_at_ms);
}

function endedWithin(range: DateRange, call: CallRecord): boolean {
  return call.end_time !== null && includes(range, Date.parse(call.end_time));
}
