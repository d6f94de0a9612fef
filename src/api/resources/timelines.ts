import { Router } from 'express';
import { TERMINAL_STATUSES } from '../../call/record.ts';
import { resource } from '../answer.ts';
import type { RegionOptions } from '../region-options.ts';
import { callOf } from './calls.ts';

/**
 * The timeline of a call, whole, as its object in the Region's bucket has it: what `trunkline export` makes a fixture of.
 * Of a live call, what is stored so far. Our own resource (DESIGN §6, Objects).
 */
export function timelines(options: RegionOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  resource(
    router,
    '/Calls/:callSid/Timeline{.json}',
    {
      async get(req, res) {
        const call = await callOf(options, req, 'callSid');
        const events = await options.store.timeline(call.sid);
        const over = TERMINAL_STATUSES.has(call.status);
        res.json({ call_sid: call.sid, region: call.region, over, events });
      },
    },
    { get: { id: 'FetchTimeline' } },
  );
  return router;
}
