import type { CallRecord } from './record.ts';

/** Where an ended call's objects lie in its Region's bucket (DESIGN §6, Objects). */
interface CallPlace {
  readonly accountSid: string;
  readonly callSid: string;
  /** The call's creation, milliseconds: the dated folder is its day in UTC. */
  readonly createdAt: number;
}

function callKey({ accountSid, callSid, createdAt }: CallPlace, suffix: string): string {
  const day = new Date(createdAt).toISOString().slice(0, 10).replaceAll('-', '/');
  return `accounts/${accountSid}/calls/${day}/${callSid}${suffix}`;
}

function placeOf(record: CallRecord): CallPlace {
  return { accountSid: record.account_sid, callSid: record.sid, createdAt: record.created_at_ms };
}

/** `accounts/<AccountSid>/calls/<YYYY>/<MM>/<DD>/<CallSid>.json` */
export function callRecordKey(call: CallRecord | CallPlace): string {
  return callKey('sid' in call ? placeOf(call) : call, '.json');
}

/** `accounts/<AccountSid>/calls/<YYYY>/<MM>/<DD>/<CallSid>.events.jsonl` */
export function timelineKey(call: CallRecord | CallPlace): string {
  return callKey('sid' in call ? placeOf(call) : call, '.events.jsonl');
}

/** `accounts/<AccountSid>/recordings/<RecordingSid>.wav|.json` */
export function recordingKey(accountSid: string, recordingSid: string, kind: 'wav' | 'json'): string {
  return `accounts/${accountSid}/recordings/${recordingSid}.${kind}`;
}

/** `accounts/<AccountSid>/transcriptions/<TranscriptionSid>.json` */
export function transcriptionKey(accountSid: string, transcriptionSid: string): string {
  return `accounts/${accountSid}/transcriptions/${transcriptionSid}.json`;
}

/** The record of something finished, as its key in the bucket tells; undefined: another object. */
export function parseObjectKey(
  key: string,
): { readonly kind: 'calls' | 'recordings' | 'transcriptions'; readonly sid: string } | undefined {
  const [, kind, sid] = FINISHED_KEY.exec(key) ?? [];
  if (sid === undefined) return undefined;
  if (kind === 'recordings' || kind === 'transcriptions') return { kind, sid };
  return { kind: 'calls', sid };
}

const FINISHED_KEY =
  /^accounts\/AC\w+\/(calls\/\d{4}\/\d\d\/\d\d(?=\/CA)|recordings(?=\/RE)|transcriptions(?=\/TR))\/(\w+)\.json$/;
