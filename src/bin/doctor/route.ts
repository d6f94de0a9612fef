import { z } from 'zod';
import { DEFAULT_REGION, REGION_IDS, type RegionId } from '../../region/region.ts';
import type { Finding } from './finding.ts';
import { errorOf, type RegionServices, type Reply } from './region-services.ts';

/** A key of the global route table. */
export interface RouteKey {
  /** `the phone number +12025550143`. */
  readonly what: string;
  /** `PhoneNumbers/+12025550143`. */
  readonly path: string;
}

/** What the route table says about a key; `region.id` is null when it could not be asked. */
export interface Routing {
  readonly region: Finding['region'];
  readonly notes: readonly string[];
}

const state = z.looseObject({
  active_region: z.enum(REGION_IDS),
  pending: z.looseObject({ voice_region: z.string().nullish(), date_effective: z.string() }).nullish(),
  record: z.looseObject({ sid: z.string(), date_updated: z.string() }).nullish(),
});

/** Asks the route table of the running installation through any of its Regions: the table is one for all. */
export async function askRoute(key: RouteKey, services: RegionServices): Promise<Routing> {
  const replies = await services.askOwn(() => `/trunkline/v1/Routes/${key.path}`);
  if (!replies) {
    return unasked(key, 'no account is known here, because nothing was started in TRUNKLINE_HOME yet');
  }
  for (const reply of replies) {
    if ('silent' in reply) continue;
    if (reply.status === 404) return byDefault(key);
    const found = state.safeParse(reply.body);
    if (reply.status === 200 && found.success) return routed(key, found.data, reply.region);
  }
  return unasked(key, whyNobody(replies));
}

function byDefault({ what }: RouteKey): Routing {
  const why = `the route table has no record of ${what}, which means ${DEFAULT_REGION}`;
  return { region: { id: DEFAULT_REGION, why }, notes: [] };
}

function routed(key: RouteKey, found: z.infer<typeof state>, asked: RegionId): Routing {
  const { active_region: id, pending, record } = found;
  const notes = pending
    ? [
        `A change to ${pending.voice_region ?? DEFAULT_REGION} is pending and takes effect at ${pending.date_effective}.`,
      ]
    : [];
  if (!record) return { ...byDefault(key), notes };
  const why = `the route table sends ${key.what} there (record ${record.sid}, asked through ${asked})`;
  return { region: { id, why }, notes: [...notes, `The record was last changed at ${record.date_updated}.`] };
}

function unasked({ what }: RouteKey, why: string): Routing {
  const says = `the route table decides, and was not asked: ${why}. It would be asked for ${what}; no record means ${DEFAULT_REGION}`;
  const note =
    'Only its form was checked. Start Trunkline, or say where it keeps its data with TRUNKLINE_HOME.';
  return { region: { id: null, why: says }, notes: [note] };
}

/** What kept every Region from answering, the first of it. */
function whyNobody(replies: readonly Reply[]): string {
  const [reply] = replies;
  if (!reply) return 'no Region runs here';
  if ('silent' in reply) return `${reply.region}: ${reply.silent}`;
  return `${reply.region} refused (${errorOf(reply)})`;
}
