import { type Request, Router } from 'express';
import type { CallRecord } from '../../call/record.ts';
import { isSid } from '../../core/ids.ts';
import type { CallFilter, Page } from '../../storage/ports.ts';
import { accountOf } from '../account-of.ts';
import { resource } from '../answer.ts';
import { missing } from '../api-error.ts';
import { type DateRange, dateRange, includes } from '../date-filter.ts';
import { type Operation, PAGING } from '../operation.ts';
import { type PageRequest, pageBody, pageRequest, slice } from '../paging.ts';
import { type Parameters, queryOf } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';
import { callOf } from './calls.ts';
import {
  levelOf,
  type Notification,
  notificationItem,
  notificationResource,
  notificationsOf,
} from './notification-resource.ts';
import { candidatesOf } from './notification-sid.ts';

const FILTERS = {
  Log: ['0', '1'],
  MessageDate: 'date',
  'MessageDate<': 'date',
  'MessageDate>': 'date',
} as const;

const list = (id: string): Operation => ({ id, parameters: { ...FILTERS, ...PAGING } });

/**
 * The diagnostics of calls, live and finished: of one call, or of all of the account's in this Region. They are the
 * calls' own, so nothing keeps, changes or deletes them by themselves.
 *
 * @see https://www.twilio.com/docs/usage/api/notification
 * @see https://www.twilio.com/docs/voice/api/call-notification-resource
 */
export function notifications(options: RegionOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const element = 'Notification';
  resource(
    router,
    '/Notifications{.json}',
    {
      async get(req, res) {
        const request = pageRequest(queryOf(req));
        const page = await ofAccount(options, accountOf(req), filterOf(queryOf(req)), request);
        res.json(listBody(req, request, page, ''));
      },
    },
    { element, get: list('ListNotification') },
  );
  resource(
    router,
    '/Notifications/:sid{.json}',
    {
      async get(req, res) {
        res.json(notificationResource(await notificationOf(options, req), ''));
      },
    },
    { element, get: { id: 'FetchNotification' } },
  );
  resource(
    router,
    '/Calls/:callSid/Notifications{.json}',
    {
      async get(req, res) {
        const call = await callOf(options, req, 'callSid');
        const request = pageRequest(queryOf(req));
        const found = await ofCall(options, call, filterOf(queryOf(req)));
        res.json(listBody(req, request, slice(found, request), `/Calls/${call.sid}`));
      },
    },
    { element, get: list('ListCallNotification') },
  );
  resource(
    router,
    '/Calls/:callSid/Notifications/:sid{.json}',
    {
      async get(req, res) {
        const call = await callOf(options, req, 'callSid');
        const notification = await notificationOf(options, req, call.sid);
        res.json(notificationResource(notification, `/Calls/${call.sid}`));
      },
    },
    { element, get: { id: 'FetchCallNotification' } },
  );
  return router;
}

interface Filter {
  readonly log: '0' | '1' | undefined;
  readonly raised: DateRange;
}

function filterOf(query: Parameters): Filter {
  return { log: query.oneOf('Log', ['0', '1']), raised: dateRange(query, 'MessageDate') };
}

function listBody(req: Request, request: PageRequest, page: Page<Notification>, parent: string): object {
  const items = page.items.map((notification) => notificationItem(notification, parent));
  return pageBody(req, 'notifications', request, { ...page, items }, page.items[0]?.call.created_at_ms);
}

/** Newest first. */
async function ofCall(
  { store }: RegionOptions,
  call: CallRecord,
  { log, raised }: Filter,
): Promise<readonly Notification[]> {
  if (call.diagnostics.every((diagnostic) => log !== undefined && log !== levelOf(diagnostic))) return [];
  return notificationsOf(call, await store.timeline(call.sid))
    .filter(
      ({ diagnostic, at }) => (log === undefined || log === levelOf(diagnostic)) && includes(raised, at),
    )
    .reverse();
}

/** Our choice: a notification is looked for in calls that began up to this long before it. */
const LONGEST_CALL_MS = 86_400_000;
const CALLS_AT_A_TIME = 200;

/** The newest call's first. */
async function ofAccount(
  options: RegionOptions,
  accountSid: string,
  filter: Filter,
  request: PageRequest,
): Promise<Page<Notification>> {
  const { from, before } = filter.raised;
  const upTo = request.upTo === undefined ? undefined : request.upTo + 1;
  const range: CallFilter = {
    createdFrom: from === undefined ? undefined : from - LONGEST_CALL_MS,
    createdBefore: Math.min(before ?? Number.MAX_SAFE_INTEGER, upTo ?? Number.MAX_SAFE_INTEGER),
  };
  const wanted = (request.page + 1) * request.pageSize + 1;
  const found: Notification[] = [];
  for (let offset = 0; found.length < wanted; offset += CALLS_AT_A_TIME) {
    const { items, hasMore } = await options.store.list(accountSid, range, offset, CALLS_AT_A_TIME);
    for (const call of items) {
      if (found.length >= wanted) break;
      if (call.diagnostics.length > 0) found.push(...(await ofCall(options, call, filter)));
    }
    if (!hasMore) break;
  }
  return slice(found, request);
}

/** @throws ApiError 404 */
async function notificationOf(options: RegionOptions, req: Request, callSid?: string): Promise<Notification> {
  const sid = String(req.params['sid']);
  for (const candidate of isSid(sid, 'NO') ? candidatesOf(sid) : []) {
    if (callSid !== undefined && candidate.callSid !== callSid) continue;
    const call = await options.store.fetch(candidate.callSid);
    if (call?.account_sid !== accountOf(req) || call.diagnostics[candidate.index] === undefined) continue;
    const found = notificationsOf(call, await options.store.timeline(call.sid))[candidate.index];
    if (found) return found;
  }
  throw missing(req.originalUrl.split('?')[0] ?? '', options.region.id);
}
