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

  constructor(message: string, absent = false) {
    super(message);
    this.absent = absent;
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

/** A finished call that came in, with those it dialled. @throws CallNotFetched */
export async function fetchCall(api: RegionApi, callSid: string): Promise<ExportedCall> {
  const path = `/2010-04-01/Accounts/${api.account}/Calls/${callSid}.json`;
  const call = read(record, await get(api, path), api.url);
  if (!(TERMINAL_STATUSES as ReadonlySet<string>).has(call.status)) {
    throw new CallNotFetched(`${callSid} is not over: it is ${call.status}. Export it once it has ended.`);
  }
  if (call.parent_call_sid !== null) {
    throw new CallNotFetched(
      `${callSid} was dialled by ${call.parent_call_sid}; export that one: what it dialled is exported with it.`,
    );
  }
  if (call.direction !== 'inbound') {
    throw new CallNotFetched(
      `${callSid} is ${call.direction}: only a call that came in can be made a fixture of, for that is what a replay plays.`,
    );
  }
  const timelines = new Map<string, readonly TimelineEvent[]>();
  await addTimelines(api, callSid, timelines);
  const { from, to, region } = call;
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
      `${api.url} cannot be reached (${cause}): start Trunkline, or name its address with --url.`,
    );
  }
  if (answer.ok) return answer.json();
  await answer.body?.cancel();
  if (answer.status === 401 || answer.status === 403) {
    throw new CallNotFetched(
      `${api.url} refuses the credentials of ${api.username} (${answer.status}): tokens and keys are valid in their own Region alone.`,
    );
  }
  if (answer.status === 404) throw new CallNotFetched(`${api.url} has no ${path.split('/').at(-1)}`, true);
  throw new CallNotFetched(`${api.url} answered ${answer.status} to ${path}; its log says why.`);
}

function read<T>(schema: z.ZodType<T>, data: unknown, url: string): T {
  const checked = schema.safeParse(data);
  if (checked.success) return checked.data;
  throw new CallNotFetched(`${url} answers as no Trunkline of this version does: is it one?`);
}
