import { parseObjectKey } from '../call/keys.ts';
import { parseTranscription } from '../call/transcription.ts';
import type { Clock, Timer } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Bucket, FinishedIndex } from '../storage/ports.ts';

/** Our choice: how often it is asked whether the index is whole; Redis may be replaced while the service runs. */
const ROUND_MS = 15_000;

/** Our choice: objects looked up, and then read, at a time. */
const BATCH = 32;

export interface IndexRestorationOptions {
  readonly index: FinishedIndex;
  readonly bucket: Bucket;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Makes the index of finished calls, recordings and transcriptions again from the Region's bucket whenever Redis has
 * lost it, while everything else goes on. `stop` resolves once nothing more is read or written.
 */
export function watchIndex(options: IndexRestorationOptions): { stop(): Promise<void> } {
  const { index, clock, logger } = options;
  const stopped = new AbortController();
  let next: Timer | undefined;
  let round = Promise.resolve();

  async function look(): Promise<void> {
    try {
      if (await index.isWhole()) return;
      const added = await restoreIndex(options, stopped.signal);
      if (stopped.signal.aborted) return;
      await index.markWhole();
      if (added > 0) logger.warn({ added }, 'the index in Redis was made again from the bucket');
    } catch (error) {
      logger.warn({ err: error }, 'the index could not be made from the bucket; it is tried again');
    }
  }
  function watch(): void {
    round = look().then(() => {
      if (!stopped.signal.aborted) next = clock.after(ROUND_MS, watch);
    });
  }
  watch();
  return {
    stop() {
      stopped.abort();
      next?.cancel();
      return round;
    },
  };
}

/** Adds what the bucket has and the index does not know; resolves how much that was. Leaves off when aborted. */
export async function restoreIndex(options: IndexRestorationOptions, signal: AbortSignal): Promise<number> {
  let added = 0;
  let batch: FinishedObject[] = [];
  const flush = async () => {
    const results = await Promise.all(
      (await unknownOf(batch, options.index)).map((one) => add(one, options)),
    );
    added += results.filter(Boolean).length;
    batch = [];
  };
  for await (const { key } of options.bucket.list('accounts/')) {
    if (signal.aborted) return added;
    const object = parseObjectKey(key);
    if (object) batch.push({ ...object, key });
    if (batch.length === BATCH) await flush();
  }
  await flush();
  return added;
}

type FinishedObject = NonNullable<ReturnType<typeof parseObjectKey>> & { readonly key: string };

async function unknownOf(
  objects: readonly FinishedObject[],
  index: FinishedIndex,
): Promise<readonly FinishedObject[]> {
  const of = (kind: FinishedObject['kind']) =>
    objects.filter((one) => one.kind === kind).map(({ sid }) => sid);
  const unknown = await Promise.all([
    index.unknownCalls(of('calls')),
    index.unknownRecordings(of('recordings')),
    index.unknownTranscriptions(of('transcriptions')),
  ]);
  const sids = new Set(unknown.flat());
  return objects.filter(({ sid }) => sids.has(sid));
}

/** False when there is nothing to add: it was deleted meanwhile, or is no record. */
async function add(
  { kind, sid, key }: FinishedObject,
  { index, bucket, logger }: IndexRestorationOptions,
): Promise<boolean> {
  const text = (await bucket.get(key))?.toString();
  if (text === undefined) return false;
  if (!names(text, sid)) {
    logger.warn({ key }, 'an object is not the record that its key promises: it is left out of the index');
    return false;
  }
  if (kind === 'calls') await index.addCall(JSON.parse(text));
  else if (kind === 'recordings') await index.addRecording(JSON.parse(text));
  else await index.addTranscription(parseTranscription(text));
  return true;
}

function names(text: string, expected: string): boolean {
  try {
    const { sid, account_sid }: Partial<Record<string, unknown>> = Object(JSON.parse(text));
    return sid === expected && typeof account_sid === 'string';
  } catch {
    return false;
  }
}
