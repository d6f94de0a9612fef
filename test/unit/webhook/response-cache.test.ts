import { describe, expect, it } from 'vitest';
import { ResponseCache } from '../../../src/webhook/response-cache.ts';

const KEY = 'https://example.com/a.wav';
const answer = (headers: Record<string, string>, size = 4) => ({
  status: 200,
  headers,
  body: Buffer.alloc(size),
});

function stored(headers: Record<string, string>) {
  const cache = new ResponseCache({ maxBytes: 10_000 });
  cache.store(KEY, answer(headers), 1_000);
  return cache.find(KEY);
}

describe('ResponseCache', () => {
  it.each([
    [{}, undefined],
    [{ etag: '"a"' }, { conditions: { 'if-none-match': '"a"' }, freshUntil: 0 }],
    [{ 'last-modified': 'then' }, { conditions: { 'if-modified-since': 'then' }, freshUntil: 0 }],
    [{ 'cache-control': 'max-age=10' }, { conditions: {}, freshUntil: 11_000 }],
    [
      { 'cache-control': 'Public, Max-Age="10"', age: '4' },
      { conditions: {}, freshUntil: 7_000 },
    ],
    [{ 'cache-control': 'max-age=10', age: '20' }, undefined],
    [{ 'cache-control': 'no-cache, max-age=10', etag: '"a"' }, { freshUntil: 0 }],
    [{ 'cache-control': 'no-store', etag: '"a"' }, undefined],
    [{ vary: '*', etag: '"a"' }, undefined],
  ])('keeps %j as %j', (headers, expected) => {
    if (expected === undefined) expect(stored(headers)).toBeUndefined();
    else expect(stored(headers)).toMatchObject(expected);
  });

  it('keeps 200 only, and forgets what is no longer to be kept', () => {
    const cache = new ResponseCache({ maxBytes: 10_000 });
    cache.store(KEY, { ...answer({ etag: '"a"' }), status: 203 }, 0);
    expect(cache.size).toBe(0);
    cache.store(KEY, answer({ etag: '"a"' }), 0);
    expect(cache.size).toBe(1);
    cache.store(KEY, answer({}), 0);
    expect(cache.size).toBe(0);
  });

  it('drops the least recently used beyond its bytes', () => {
    const cache = new ResponseCache({ maxBytes: 10_000 });
    for (const key of ['a', 'b', 'c']) cache.store(key, answer({ etag: '"x"' }, 2_500), 0);
    cache.find('a');
    cache.store('d', answer({ etag: '"x"' }, 2_500), 0);
    expect(['a', 'b', 'c', 'd'].filter((key) => cache.find(key))).toEqual(['a', 'c', 'd']);
    cache.store('huge', answer({ etag: '"x"' }, 20_000), 0);
    expect(cache.find('huge')).toBeUndefined();
    expect(cache.size).toBe(3);
  });

  it('takes the freshness of a 304 and keeps type and body', () => {
    const cache = new ResponseCache({ maxBytes: 10_000 });
    cache.store(KEY, answer({ etag: '"a"', 'content-type': 'audio/wav' }), 0);
    const entry = cache.find(KEY);
    if (!entry) throw new Error('not stored');
    const notModified = {
      status: 304,
      headers: { 'cache-control': 'max-age=5', 'content-type': 'text/html' },
      body: Buffer.alloc(0),
    };
    const response = cache.revalidated(KEY, entry, notModified, 1_000);
    expect(response).toMatchObject({ status: 200, headers: { 'content-type': 'audio/wav' } });
    expect(response.body).toBe(entry.response.body);
    expect(cache.find(KEY)?.freshUntil).toBe(6_000);
  });
});
