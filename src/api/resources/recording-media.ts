import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { recordingKey } from '../../call/keys.ts';
import type { RecordingRecord } from '../../call/record.ts';
import type { Bucket } from '../../storage/ports.ts';
import { ApiError, invalid, notFound } from '../api-error.ts';
import { queryOf } from '../parameters.ts';

/**
 * Streams a recording's WAV from the bucket: the whole of it, or the one range that was asked for.
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-range-requests
 */
export async function sendMedia(
  bucket: Bucket,
  recording: RecordingRecord,
  req: Request,
  res: Response,
): Promise<void> {
  checkChannels(recording, req);
  const key = recordingKey(recording.account_sid, recording.sid, 'wav');
  const info = await bucket.stat(key);
  if (!info) throw notFound(`Recording ${recording.sid} has no media: its status is ${recording.status}.`);
  const range = wantedRange(req, info.bytes);
  res.set({ 'Content-Type': 'audio/wav', 'Accept-Ranges': 'bytes' });
  res.set('Content-Length', String(range ? range.end - range.start + 1 : info.bytes));
  if (range) res.status(206).set('Content-Range', `bytes ${range.start}-${range.end}/${info.bytes}`);
  if (req.method === 'HEAD') {
    res.end();
    return;
  }
  const media = await bucket.stream(key, range);
  if (!media) throw notFound(`Recording ${recording.sid} has been deleted.`);
  try {
    await pipeline(media.body, res);
  } catch (error) {
    // A caller that stops listening is no fault of ours; a bucket that fails is.
    if (!res.destroyed || media.body.errored) throw error;
  }
}

/** @see https://www.twilio.com/docs/voice/api/recording#download-dual-channel-media-files */
function checkChannels(recording: RecordingRecord, req: Request): void {
  const channels = queryOf(req).oneOf('RequestedChannels', ['1', '2']);
  if (channels === '2' && recording.channels === 1) {
    throw invalid(16113, `Recording ${recording.sid} is mono; it cannot be downloaded with two channels.`);
  }
  if (channels === '1' && recording.channels === 2) {
    throw invalid(
      20001,
      `Recording ${recording.sid} has two channels; downloading it as mono is not offered.`,
    );
  }
}

/** Undefined: all of it, which is also the answer to several ranges and to one that cannot be read. */
function wantedRange(req: Request, total: number): { start: number; end: number } | undefined {
  const ranges = req.range(total);
  if (ranges === -1) {
    throw new ApiError(416, 20001, `The recording has ${total} bytes; the range lies outside.`, {
      'Content-Range': `bytes */${total}`,
    });
  }
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1)
    return undefined;
  return ranges[0];
}
