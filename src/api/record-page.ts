import type { Request } from 'express';
import type { KeptRecord } from '../config/records/port.ts';
import { pageBody, pageRequest, slice } from './paging.ts';
import { queryOf } from './parameters.ts';

/**
 * The list body of kept records, newest first; records that arrive meanwhile do not push others to the next page.
 *
 * @param key  the plural name that holds the items, as `applications`
 * @param view an item as it is shown
 */
export function recordPage<T extends KeptRecord>(
  req: Request,
  key: string,
  records: readonly T[],
  view: (record: T) => object,
): object {
  const request = pageRequest(queryOf(req));
  const known = records
    .filter(({ createdAt }) => createdAt <= (request.upTo ?? Number.POSITIVE_INFINITY))
    .sort((a, b) => b.createdAt - a.createdAt || (a.sid < b.sid ? -1 : 1));
  const page = slice(known, request);
  return pageBody(req, key, request, { ...page, items: page.items.map(view) }, known[0]?.createdAt);
}
