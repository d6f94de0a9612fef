import { expect, it } from 'vitest';
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
const LONG = 'x'.repeat(5_000);

it.each([
  ['a document', answer('text/xml', '<Response/>'), {}, [{ ...sent, body: '<Response/>' }]],
  ['a fallback', answer('application/xml', '<a/>'), { purpose: 'fallback' }, [{ ...sent, body: '<a/>' }]],
  [
    'a long document, as far as it is kept',
    answer('text/plain', LONG),
    {},
    [{ ...sent, body: LONG.slice(0, 4_000) }],
  ],
  ['audio, without its body', answer('audio/mpeg', 'ID3'), {}, [sent]],
  ['a failure', { ok: false, attempts, diagnostic: failure(11200, 'gone') }, {}, [sent]],
  ['nothing of media', answer('audio/mpeg', 'ID3'), { purpose: 'media' }, []],
  ['nothing that was not sent', { ok: false, attempts: [], diagnostic: failure(11100, 'no URL') }, {}, []],
] as const)('notes %s', async (_what, result, changes, expected) => {
  expect(await noted(result, changes)).toEqual(expected);
});
