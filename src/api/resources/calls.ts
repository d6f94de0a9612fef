import { type Request, Router } from 'express';
import { callRecordKey, timelineKey } from '../../call/keys.ts';
import { type CallRecord, TERMINAL_STATUSES } from '../../call/record.ts';
import { isSid } from '../../core/ids.ts';
import { accountOf } from '../account-of.ts';
import { resource } from '../answer.ts';
import { ApiError, missing } from '../api-error.ts';
import { type DateRange, dateRange, earliest, includes } from '../date-filter.ts';
import { pageBody, pageRequest, scan } from '../paging.ts';
import { formOf, queryOf } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';
import { createCall } from './call-creation.ts';
import { CALL_STATUSES, CREATE_CALL, LIST_CALL, UPDATE_CALL } from './call-operations.ts';
import { updateCall } from './call-updates.ts';

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
  resource(
    router,
    '/Calls{.json}',
    {
      async get(req, res) {
        res.json(await list(options, req));
      },
      async post(req, res) {
        res.status(201).json(await createCall(options, accountOf(req), formOf(req)));
      },
    },
    { element: 'Call', get: LIST_CALL, post: CREATE_CALL },
  );
  resource(
    router,
    '/Calls/:sid{.json}',
    {
      async get(req, res) {
        res.json(await callOf(options, req, 'sid'));
      },
      async post(req, res) {
        res.json(await updateCall(options, await callOf(options, req, 'sid'), formOf(req)));
      },
      async delete(req, res) {
        await remove(options, await callOf(options, req, 'sid'));
        res.status(204).end();
      },
    },
    { element: 'Call', get: { id: 'FetchCall' }, post: UPDATE_CALL, delete: { id: 'DeleteCall' } },
  );
  return router;
}

/**
 * Only what is over and stored can be deleted; recordings outlive their call. The objects go first: what the index still
 * names can be deleted again.
 */
async function remove({ store, bucket }: RegionOptions, call: CallRecord): Promise<void> {
  if (!TERMINAL_STATUSES.has(call.status)) {
    throw new ApiError(409, 20009, `Call ${call.sid} is ${call.status}; it can be deleted once it is over.`);
  }
  await bucket.delete(callRecordKey(call));
  await bucket.delete(timelineKey(call));
  if (await store.removeCall(call.sid)) return;
  throw new ApiError(409, 20009, `Call ${call.sid} is just being stored; it can be deleted after that.`);
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
    status: query.oneOf('Status', CALL_STATUSES),
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
