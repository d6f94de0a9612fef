import type { Request } from 'express';
import type { Page } from '../storage/ports.ts';
import { invalid } from './api-error.ts';
import { type Parameters, queryOf } from './parameters.ts';

const DEFAULT_PAGE_SIZE = 50; // https://www.twilio.com/docs/usage/twilios-response#response-formats-list-paging-information
const LARGEST_PAGE = 1000;

/** Which part of a list was asked for. */
export interface PageRequest {
  /** From 0. */
  readonly page: number;
  readonly pageSize: number;
  /**
   * Newest creation that belongs to this listing, milliseconds: set from the second page on, so that calls
   * arriving meanwhile do not push items from one page to the next.
   */
  readonly upTo: number | undefined;
}

export function pageRequest(query: Parameters): PageRequest {
  const pageSize = natural(query, 'PageSize') ?? DEFAULT_PAGE_SIZE;
  if (pageSize > LARGEST_PAGE) {
    throw invalid(20007, `Page size of ${pageSize} is too large, max is ${LARGEST_PAGE}`);
  }
  if (pageSize < 1) throw invalid(20001, `PageSize is ${pageSize}; it must be from 1 to ${LARGEST_PAGE}.`);
  return { page: natural(query, 'Page') ?? 0, pageSize, upTo: readToken(query) };
}

function natural(query: Parameters, name: string): number | undefined {
  const value = query.filled(name);
  if (value === undefined) return undefined;
  if (!/^\d{1,9}$/.test(value)) throw invalid(20001, `${name} is '${value}'; it must be a whole number.`);
  return Number(value);
}

// Twilio's token is PA and a SID, and opaque; ours is PA and the millisecond the first page started at.
function token(upTo: number): string {
  return `PA${upTo.toString(16).padStart(32, '0')}`;
}

function readToken(query: Parameters): number | undefined {
  const value = query.filled('PageToken');
  if (value === undefined) return undefined;
  if (!/^PA[0-9a-f]{32}$/.test(value)) {
    throw invalid(20001, 'PageToken is not one of ours; follow next_page_uri as it was given.');
  }
  return Number.parseInt(value.slice(2), 16);
}

/**
 * The body of a 2010-04-01 list.
 *
 * @param key    the plural name that holds the items, as `calls`
 * @param newest creation of the first item of this page, milliseconds
 */
export function pageBody(
  req: Request,
  key: string,
  request: PageRequest,
  page: Page<object>,
  newest: number | undefined,
): object {
  const path = req.originalUrl.split('?')[0] ?? '';
  const query = queryOf(req);
  const upTo = request.upTo ?? (request.page === 0 ? newest : undefined);
  const uri = (number: number) =>
    `${path}?${query.withChanges({
      PageSize: String(request.pageSize),
      Page: String(number),
      PageToken: number > 0 && upTo !== undefined ? token(upTo) : undefined,
    })}`;
  const start = request.page * request.pageSize;
  return {
    first_page_uri: uri(0),
    end: Math.max(start, start + page.items.length - 1),
    previous_page_uri: request.page > 0 ? uri(request.page - 1) : null,
    [key]: page.items,
    uri: uri(request.page),
    page_size: request.pageSize,
    start,
    next_page_uri: page.hasMore ? uri(request.page + 1) : null,
    page: request.page,
  };
}

/** The asked part of a list that is wholly in memory. */
export function slice<T>(items: readonly T[], request: PageRequest): Page<T> {
  const start = request.page * request.pageSize;
  const end = start + request.pageSize;
  return { items: items.slice(start, end), hasMore: items.length > end };
}

const SCAN = 200;

/** The asked part of a stored list, counting only the items that `keep` claims. */
export async function scan<T>(
  fetch: (offset: number, limit: number) => Promise<Page<T>>,
  keep: (item: T) => boolean,
  request: PageRequest,
): Promise<Page<T>> {
  const wanted = (request.page + 1) * request.pageSize + 1;
  const kept: T[] = [];
  for (let offset = 0; kept.length < wanted; offset += SCAN) {
    const { items, hasMore } = await fetch(offset, SCAN);
    kept.push(...items.filter(keep));
    if (!hasMore) break;
  }
  return slice(kept, request);
}
