import { z } from 'zod';
import { TERMINAL_STATUSES } from '../../call/record.ts';
import { type TimelineEvent, timelineEvent } from '../../call/timeline.ts';
import { REGION_IDS } from '../../region/region.ts';
import type { ExportedCall } from '../../replay/export/exported-call.ts';

/** Why a call cannot be had: what was found, and what to do. */
export class CallNotFetched extends Error {
  override readonly name = 'CallNotFetched';
  /** It is not there: another place may have it. */
  readonly absent: boolean;

  /** @param code as the REST API has it for the same */
  constructor(
    readonly code: 20001 | 20003 | 20404 | 20503 | 21220,
    message: string,
  ) {
    super(message);
    this.absent = code === 20404;
  }
}

/** Where calls are asked for, and as whom. */
export interface RegionApi {
  /** Base URL of the service of a Region, or of the front. */
  readonly url: string;
  readonly account: string;
  readonly username: string;
  readonly password: string;
}

const EXPORTED: readonly string[] = ['inbound', 'outbound-api'];

/** Our choice: a Region's service that has not answered by then will not. */
const PATIENCE_MS = 10_000;

const record = z.object({
  sid: z.string(),
  from: z.string(),
  to: z.string(),
  region: z.enum(REGION_IDS),
  status: z.string(),
  direction: z.string(),
  parent_call_sid: z.string().nullable(),
});
const timeline = z.object({ events: z.array(timelineEvent) });

/** A finished call that came in or that the API made, with those it dialled. @throws CallNotFetched */
export async function fetchCall(api: RegionApi, callSid: string): Promise<ExportedCall> {
  const path = `/2010-04-01/Accounts/${api.account}/Calls/${callSid}.json`;
  const call = read(record, await get(api, path), api.url);
  if (call.parent_call_sid !== null) {
    throw new CallNotFetched(
      20001,
      `${callSid} was dialled by ${call.parent_call_sid}; export that one: what it dialled is exported with it.`,
    );
  }
  if (!(TERMINAL_STATUSES as ReadonlySet<string>).has(call.status)) {
    throw new CallNotFetched(
      21220,
      `${callSid} is not over: it is ${call.status}. Export it once it has ended.`,
    );
  }
  if (!EXPORTED.includes(call.direction)) {
    throw new CallNotFetched(
      20001,
      `${callSid} is ${call.direction}: a call that came in, or that the API made, can be made a fixture of.`,
    );
  }
  const timelines = new Map<string, readonly TimelineEvent[]>();
  await addTimelines(api, callSid, timelines);
  const { from, to, region } = call;
  if (call.direction === 'outbound-api' && !timelines.get(callSid)?.some(({ type }) => type === 'created')) {
    throw new CallNotFetched(
      20001,
      `how ${callSid} was made is not kept: it was over (${call.status}) before a worker took it, or an older version made it.`,
    );
  }
  return { sid: callSid, from, to, region, timelines };
}

async function addTimelines(
  api: RegionApi,
  callSid: string,
  timelines: Map<string, readonly TimelineEvent[]>,
): Promise<void> {
  const { events } = read(timeline, await get(api, `/trunkline/v1/Calls/${callSid}/Timeline`), api.url);
  timelines.set(callSid, events);
  for (const event of events) {
    if (event.type === 'dialled' && !timelines.has(event.call))
      await addTimelines(api, event.call, timelines);
  }
}

async function get(api: RegionApi, path: string): Promise<unknown> {
  const authorization = `Basic ${Buffer.from(`${api.username}:${api.password}`).toString('base64')}`;
  let answer: Response;
  try {
    answer = await fetch(new URL(path, api.url), {
      headers: { authorization },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch (error) {
    const cause =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new CallNotFetched(
      20503,
      `${api.url} cannot be reached (${cause}): start Trunkline, or name its address with --url.`,
    );
  }
  if (answer.ok) return answer.json();
  await answer.body?.cancel();
  if (answer.status === 401 || answer.status === 403) {
    throw new CallNotFetched(
      20003,
      `${api.url} refuses the credentials of ${api.username} (${answer.status}): tokens and keys are valid in their own Region alone.`,
    );
  }
  if (answer.status === 404) throw new CallNotFetched(20404, `${api.url} has no ${path.split('/').at(-1)}`);
  throw new CallNotFetched(20503, `${api.url} answered ${answer.status} to ${path}; its log says why.`);
}

function read<T>(schema: z.ZodType<T>, data: unknown, url: string): T {
  const checked = schema.safeParse(data);
  if (checked.success) return checked.data;
  throw new CallNotFetched(20503, `${url} answers as no Trunkline of this version does: is it one?`);
}
