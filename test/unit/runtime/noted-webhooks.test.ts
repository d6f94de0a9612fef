import { expect, it } from 'vitest';
import { keptBodies } from '../../../src/call/kept-bodies.ts';
import type { TimelineEntry } from '../../../src/call/timeline.ts';
import { failure } from '../../../src/core/diagnostic.ts';
import { notedWebhooks } from '../../../src/runtime/noted-webhooks.ts';
import type { WebhookRequest, WebhookResult } from '../../../src/webhook/port.ts';

const request: WebhookRequest = {
  url: 'http://user:secret@app.test/voice#rc=2',
  method: 'POST',
  params: { Digits: '12' },
  purpose: 'document',
};
const attempts = [{ url: 'http://app.test/voice', method: 'POST', attempt: 1, ms: 1 }] as const;
const answer = (contentType: string, body: string): WebhookResult => ({
  ok: true,
  attempts,
  response: { url: 'http://app.test/voice', status: 200, contentType, body: Buffer.from(body) },
});

async function noted(result: WebhookResult, changes: Partial<WebhookRequest> = {}) {
  const entries: TimelineEntry[] = [];
  const session = notedWebhooks({ fetch: async () => result }, { add: (entry) => entries.push(entry) });
  expect(await session.fetch({ ...request, ...changes }, new AbortController().signal)).toBe(result);
  return entries;
}

const sent = { type: 'exchange', url: 'http://app.test/voice', parameters: { Digits: '12' } };
const LONG = 'x'.repeat(70_000);

it.each([
  ['a document', answer('text/xml', '<Response/>'), {}, [{ ...sent, body: '<Response/>' }]],
  ['a fallback', answer('application/xml', '<a/>'), { purpose: 'fallback' }, [{ ...sent, body: '<a/>' }]],
  [
    'a long document, as far as it is kept',
    answer('text/plain', LONG),
    {},
    [{ ...sent, body: LONG.slice(0, 65_536), cut: true }],
  ],
  [
    'a document without its passwords',
    answer('text/xml', '<Sip username="a" password="b">sip:c:d@e</Sip><Play>http://f:g@h/i</Play>'),
    {},
    [
      {
        ...sent,
        body: '<Sip username="a" password="***">sip:c:***@e</Sip><Play>http://f:***@h/i</Play>',
      },
    ],
  ],
  ['audio, without its body', answer('audio/mpeg', 'ID3'), {}, [sent]],
  ['a failure', { ok: false, attempts, diagnostic: failure(11200, 'gone') }, {}, [sent]],
  ['nothing of media', answer('audio/mpeg', 'ID3'), { purpose: 'media' }, []],
  ['nothing that was not sent', { ok: false, attempts: [], diagnostic: failure(11100, 'no URL') }, {}, []],
] as const)('notes %s', async (_what, result, changes, expected) => {
  expect(await noted(result, changes)).toEqual(expected);
});

/** What is noted of documents that are answered one after the other. */
async function notedInTurn(bodies: readonly string[]) {
  const entries: Extract<TimelineEntry, { type: 'exchange' }>[] = [];
  let turn = 0;
  const session = notedWebhooks(
    { fetch: async () => answer('text/xml', bodies[turn++] ?? '') },
    { add: (entry) => entry.type === 'exchange' && entries.push(entry) },
  );
  for (const _ of bodies) await session.fetch(request, new AbortController().signal);
  return entries;
}

it('keeps a document that comes again once', async () => {
  const noted = await notedInTurn(['<a/>', '<b/>', '<a/>']);
  expect(noted.map(({ body }) => body)).toEqual(['<a/>', '<b/>', undefined]);
  const bodyOf = keptBodies();
  expect(noted.map((exchange) => bodyOf({ at: '', ...exchange }))).toEqual(['<a/>', '<b/>', '<a/>']);
});

it('keeps a megabyte of a call, and says that the rest was cut', async () => {
  const bodies = Array.from({ length: 18 }, (_, index) => `${index}`.padEnd(65_536));
  const noted = await notedInTurn(bodies);
  const kept = noted.reduce((sum, { body = '' }) => sum + body.length, 0);
  expect(kept).toBe(2 ** 20);
  expect(noted.map(({ cut }) => cut)).toEqual(bodies.map((_, index) => (index < 16 ? undefined : true)));
});
