import type { Page } from './ports.ts';

/** Cuts the page from `offset` out of a walk in order, reading no further than one item beyond it. */
export async function pageOf<T>(
  items: AsyncIterable<T> | Iterable<T>,
  offset: number,
  limit: number,
): Promise<Page<T>> {
  const page: T[] = [];
  let position = 0;
  for await (const item of items) {
    if (position++ < offset) continue;
    if (page.length === limit) return { items: page, hasMore: true };
    page.push(item);
  }
  return { items: page, hasMore: false };
}
