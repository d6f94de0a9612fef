import type { RecordingRecord } from '../../call/record.ts';
import { shownRecording } from '../../call/recording-records.ts';
import { rfc2822 } from '../../core/dates.ts';
import { isSid } from '../../core/ids.ts';
import type { RegionOptions } from '../region-options.ts';

/** How long the record of a deleted recording is kept. @see https://www.twilio.com/docs/voice/api/recording */
const KEPT_MS = 40 * 86_400_000;

const folder = (accountSid: string) => `accounts/${accountSid}/recordings/deleted/`;
const keyOf = (accountSid: string, sid: string) => `${folder(accountSid)}${sid}.json`;

/** Keeps the record of a recording that is being deleted, for those who ask with IncludeSoftDeleted. */
export async function rememberDeleted(
  { bucket, clock }: RegionOptions,
  recording: RecordingRecord,
): Promise<void> {
  const deleted: RecordingRecord = {
    ...shownRecording(recording),
    status: 'deleted',
    date_updated: rfc2822(clock.now()),
    bytes: 0,
    sha256: null,
  };
  const { account_sid, sid } = recording;
  await bucket.put(keyOf(account_sid, sid), JSON.stringify(deleted), 'application/json');
}

/** A recording that was deleted, unless that is too long ago. */
export async function deletedRecording(
  options: RegionOptions,
  accountSid: string,
  sid: string,
): Promise<RecordingRecord | undefined> {
  return isSid(sid, 'RE') ? await read(options, keyOf(accountSid, sid)) : undefined;
}

/** What was deleted and is still remembered, in any order. What is too old is forgotten on this occasion. */
export async function deletedRecordings(
  options: RegionOptions,
  accountSid: string,
  filter: {
    readonly callSid: string | undefined;
    readonly createdFrom: number | undefined;
    readonly createdBefore: number | undefined;
  },
): Promise<readonly RecordingRecord[]> {
  const { callSid, createdFrom = 0, createdBefore = Number.POSITIVE_INFINITY } = filter;
  const found: RecordingRecord[] = [];
  for await (const { key } of options.bucket.list(folder(accountSid))) {
    const recording = await read(options, key);
    if (!recording || (callSid !== undefined && recording.call_sid !== callSid)) continue;
    const { created_at_ms: created } = recording;
    if (created >= createdFrom && created < createdBefore) found.push(recording);
  }
  return found;
}

async function read({ bucket, clock }: RegionOptions, key: string): Promise<RecordingRecord | undefined> {
  const text = (await bucket.get(key))?.toString();
  if (text === undefined) return undefined;
  const recording: RecordingRecord = JSON.parse(text);
  if (clock.now() - Date.parse(recording.date_updated) <= KEPT_MS) return recording;
  await bucket.delete(key);
  return undefined;
}
