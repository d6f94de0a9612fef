import type { Twilio } from 'twilio';
import { bucketFiles, storedCalls, storedTimeline } from '../../support/bucket-files.ts';
import type { RunningTrunkline } from '../../support/trunkline.ts';
import { twilioClient } from '../../support/twilio-client.ts';
import { until } from '../../support/until.ts';

export type RegionName = 'us1' | 'ie1' | 'au1';

const PORT_OFFSET: Readonly<Record<RegionName, number>> = { us1: 1, ie1: 2, au1: 3 };

/** The official client at a Region's own port, with that Region's token. */
export function clientOf(trunkline: RunningTrunkline, region: RegionName): Twilio {
  const token = trunkline.tokens[region] ?? '';
  return twilioClient(trunkline.httpPort + PORT_OFFSET[region], trunkline.accountSid, token);
}

export type StoredCall = ReturnType<typeof storedCalls>[number];
export type StoredEvent = ReturnType<typeof storedTimeline>[number];

/** Waits for the record of the call from `from` in a Region's bucket, and for its timeline. */
export function storedCallFrom(
  trunkline: RunningTrunkline,
  region: RegionName,
  from: string,
): Promise<StoredCall> {
  const isMeant = (call: StoredCall) => call.from === from && call.parent_call_sid === null;
  return stored(trunkline, region, `the call from ${from}`, isMeant);
}

/** Waits for a call's record in a Region's bucket, and for its timeline. */
export function storedCall(
  trunkline: RunningTrunkline,
  region: RegionName,
  callSid: string,
): Promise<StoredCall> {
  return stored(trunkline, region, callSid, ({ sid }) => sid === callSid);
}

function stored(
  { home }: RunningTrunkline,
  region: RegionName,
  what: string,
  isMeant: (call: StoredCall) => boolean,
): Promise<StoredCall> {
  return until(`the record and the timeline of ${what} in the bucket of ${region}`, () => {
    const call = storedCalls(home, region).find(isMeant);
    const timeline = `/${call?.sid}.events.jsonl`;
    return bucketFiles(home, region).some((name) => name.endsWith(timeline)) && call;
  });
}

/** The timeline of a stored call. */
export function timelineOf(trunkline: RunningTrunkline, region: RegionName, callSid: string): StoredEvent[] {
  return storedTimeline(trunkline.home, region, callSid);
}

/** The events of one type. */
export function eventsOf<T extends StoredEvent['type']>(
  events: readonly StoredEvent[],
  type: T,
): Extract<StoredEvent, { type: T }>[] {
  return events.filter((event): event is Extract<StoredEvent, { type: T }> => event.type === type);
}

/** Names of the objects of a bucket, without the folder it lies in. */
export function objectNames(trunkline: RunningTrunkline, region: RegionName): string[] {
  return bucketFiles(trunkline.home, region).map((path) => path.slice(path.indexOf(`trunkline-${region}/`)));
}
