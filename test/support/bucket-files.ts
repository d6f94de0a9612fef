import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { timelineEvent } from '../../src/call/timeline.ts';

const record = z.looseObject({
  sid: z.string(),
  status: z.string(),
  region: z.string(),
  from: z.string(),
  to: z.string(),
  direction: z.string(),
  parent_call_sid: z.string().nullable(),
  ingress_edge: z.string().nullable(),
  egress_edge: z.string().nullable(),
  sip_call_id: z.string().nullable(),
  queue_time: z.string(),
  created_at_ms: z.number(),
  duration: z.string().nullable(),
  worker: z.string().nullable(),
  epoch: z.number(),
  cause: z.string().nullable(),
  diagnostics: z.array(z.looseObject({ code: z.number() })),
});

/** The objects of a filesystem bucket, as any other program would read them. */
export function bucketFiles(home: string, region: string): string[] {
  const root = join(home, 'buckets', `trunkline-${region}`);
  return readdirSync(root, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The call records of a bucket, oldest file name first, checked for the fields tests use. */
export function storedCalls(home: string, region: string): z.infer<typeof record>[] {
  return bucketFiles(home, region)
    .filter((path) => /\/calls\/\d{4}\/\d\d\/\d\d\/CA[0-9a-f]{32}\.json$/.test(path))
    .map((path) => record.parse(JSON.parse(readFileSync(path, 'utf8'))));
}

/** The timeline of a stored call; every line must be of the documented schema. */
export function storedTimeline(
  home: string,
  region: string,
  callSid: string,
): z.infer<typeof timelineEvent>[] {
  const path = bucketFiles(home, region).find((name) => name.endsWith(`${callSid}.events.jsonl`));
  if (!path) throw new Error(`no timeline of ${callSid} in the bucket of ${region}`);
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => timelineEvent.parse(JSON.parse(line)));
}
