import { BoundedCache } from '../core/bounded-cache.ts';
import type { HttpResponse } from './port.ts';

export interface StoredResponse {
  readonly response: HttpResponse;
  /** Makes a request conditional: the answer may be 304. */
  readonly conditions: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch until which it may be used unasked; 0: only after asking. */
  readonly freshUntil: number;
}

const PER_ENTRY_BYTES = 512; // our choice: what an entry costs beside its body

/**
 * Answers to GET requests, kept by ETag and Last-Modified for all calls of a process (RFC 9111). An answer is
 * used again after the server said 304, or unasked within its max-age.
 */
export class ResponseCache {
  readonly #entries: BoundedCache<StoredResponse>;

  constructor(limits: { readonly maxBytes: number }) {
    this.#entries = new BoundedCache(limits.maxBytes);
  }

  get size(): number {
    return this.#entries.size;
  }

  find(key: string): StoredResponse | undefined {
    return this.#entries.get(key);
  }

  /** Keeps `response` if its headers allow it, else forgets what was kept. */
  store(key: string, response: HttpResponse, now: number): void {
    const stored = storable(response, now);
    if (stored) this.#entries.set(key, stored, response.body.length + PER_ENTRY_BYTES);
    else this.#entries.delete(key);
  }

  /** The stored answer after a 304, whose headers update its freshness (RFC 9111 §4.3.4). */
  revalidated(key: string, stored: StoredResponse, notModified: HttpResponse, now: number): HttpResponse {
    const headers = { ...stored.response.headers, ...notModified.headers };
    // The 304's own length and type describe no body.
    for (const name of ['content-length', 'content-type', 'transfer-encoding']) {
      const original = stored.response.headers[name];
      if (original === undefined) delete headers[name];
      else headers[name] = original;
    }
    const response = { status: stored.response.status, headers, body: stored.response.body };
    this.store(key, response, now);
    return response;
  }
}

function storable(response: HttpResponse, now: number): StoredResponse | undefined {
  if (response.status !== 200) return undefined;
  const directives = cacheDirectives(header(response, 'cache-control'));
  if (directives.has('no-store') || header(response, 'vary').includes('*')) return undefined;
  const conditions: Record<string, string> = {};
  const etag = header(response, 'etag');
  const modified = header(response, 'last-modified');
  if (etag) conditions['if-none-match'] = etag;
  if (modified) conditions['if-modified-since'] = modified;
  const maxAge = directives.has('no-cache') ? 0 : seconds(directives.get('max-age'));
  const freshMs = Math.max(0, maxAge - seconds(header(response, 'age'))) * 1000;
  if (freshMs === 0 && !etag && !modified) return undefined;
  return { response, conditions, freshUntil: freshMs === 0 ? 0 : now + freshMs };
}

function cacheDirectives(text: string): ReadonlyMap<string, string> {
  const directives = new Map<string, string>();
  for (const part of text.toLowerCase().split(',')) {
    const [name = '', value = ''] = part.trim().split('=');
    directives.set(name, value.replaceAll('"', ''));
  }
  return directives;
}

function seconds(text: string | undefined): number {
  return text && /^\d{1,9}$/.test(text) ? Number(text) : 0;
}

/** A header's value; several lines are joined as RFC 9110 §5.3 allows. */
export function header(response: HttpResponse, name: string): string {
  const value = response.headers[name];
  if (value === undefined) return '';
  return typeof value === 'string' ? value : value.join(', ');
}
