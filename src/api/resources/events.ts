import { Router } from 'express';
import { rfc2822 } from '../../core/dates.ts';
import { resource } from '../answer.ts';
import { PAGING } from '../operation.ts';
import { pageBody, pageRequest, slice } from '../paging.ts';
import { queryOf } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';
import { callOf } from './calls.ts';
import { type Exchange, exchangesOf } from './event-exchanges.ts';

/**
 * What a call asked the application, and how that answered, oldest first. Unlike Twilio's, which come a quarter of an
 * hour after the end, they are there at once, of live calls too.
 *
 * @see https://www.twilio.com/docs/voice/api/call-event-resource
 */
export function events(options: RegionOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  resource(
    router,
    '/Calls/:callSid/Events{.json}',
    {
      async get(req, res) {
        const call = await callOf(options, req, 'callSid');
        const request = pageRequest(queryOf(req));
        const page = slice(exchangesOf(await options.store.timeline(call.sid)), request);
        const items = page.items.map(eventResource);
        res.json(pageBody(req, 'events', request, { ...page, items }, undefined));
      },
    },
    { element: 'Event', get: { id: 'ListCallEvent', parameters: PAGING } },
  );
  return router;
}

function eventResource(exchange: Exchange) {
  const { url, method, parameters, status, durationMs, contentType, body, at } = exchange;
  const named = Object.entries(parameters).map(([name, value]) => [snakeCase(name), value] as const);
  return {
    request: { method, url, parameters: Object.fromEntries(named) },
    response: {
      response_code: status ?? null,
      request_duration: durationMs,
      content_type: contentType ?? null,
      response_body: body ?? null,
      date_created: rfc2822(Date.parse(at)),
    },
  };
}

/** `CallSid` is `call_sid`; `SipHeader_X-Trip` is `sip_header_x-trip`. */
function snakeCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toLowerCase();
}
