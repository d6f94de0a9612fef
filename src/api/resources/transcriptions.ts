import { type Request, Router } from 'express';
import { transcriptionKey } from '../../call/keys.ts';
import { type Transcription, transcriptionResource } from '../../call/transcription.ts';
import { isSid } from '../../core/ids.ts';
import { accountOf } from '../account-of.ts';
import { resource } from '../answer.ts';
import { ApiError, missing } from '../api-error.ts';
import { PAGING } from '../operation.ts';
import { pageBody, pageRequest } from '../paging.ts';
import { queryOf } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';

/**
 * What was said in the recordings of this Region: of the account, and of one recording. They outlive their recording:
 * Twilio documents nothing else, and deletes them by a request of their own.
 *
 * @see https://www.twilio.com/docs/voice/api/recording-transcription
 */
export function transcriptions(options: RegionOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  at(router, options, '', 'Transcription');
  at(router, options, '/Recordings/:recordingSid', 'RecordingTranscription');
  return router;
}

function at(router: Router, options: RegionOptions, parent: string, id: string): void {
  const view = (transcription: Transcription) => transcriptionResource(transcription, options.region.id);
  resource(
    router,
    `${parent}/Transcriptions{.json}`,
    {
      async get(req, res) {
        const { recordingSid } = req.params;
        const request = pageRequest(queryOf(req));
        const { page, pageSize, upTo } = request;
        const filter = {
          recordingSid: recordingSid === undefined ? undefined : String(recordingSid),
          createdBefore: upTo === undefined ? undefined : upTo + 1,
        };
        const account = accountOf(req);
        const found = await options.store.listTranscriptions(account, filter, page * pageSize, pageSize);
        if (found.items.length === 0) await requireRecording(options, req);
        const items = found.items.map(view);
        res.json(pageBody(req, 'transcriptions', request, { ...found, items }, found.items[0]?.createdAt));
      },
    },
    { get: { id: `List${id}`, parameters: PAGING } },
  );
  resource(
    router,
    `${parent}/Transcriptions/:sid{.json}`,
    {
      async get(req, res) {
        res.json(view(await owned(options, req)));
      },
      async delete(req, res) {
        const transcription = await owned(options, req);
        const { sid, accountSid, status } = transcription;
        if (status === 'in-progress') {
          throw new ApiError(
            409,
            20009,
            `Transcription ${sid} is in-progress; it can be deleted afterwards.`,
          );
        }
        // The object goes first: what the index still names can be deleted again.
        await options.bucket.delete(transcriptionKey(accountSid, sid));
        await options.store.deleteTranscription(sid);
        res.status(204).end();
      },
    },
    { element: 'Transcription', get: { id: `Fetch${id}` }, delete: { id: `Delete${id}` } },
  );
}

/** A recording that has been deleted is named by its transcriptions still. */
async function requireRecording(options: RegionOptions, req: Request): Promise<void> {
  const { recordingSid } = req.params;
  if (recordingSid === undefined) return;
  const sid = String(recordingSid);
  const recording = isSid(sid, 'RE') ? await options.store.fetchRecording(sid) : undefined;
  if (recording?.account_sid === accountOf(req)) return;
  const known = await options.store.listTranscriptions(accountOf(req), { recordingSid: sid }, 0, 1);
  if (known.items.length === 0) throw gone(options, req);
}

async function owned(options: RegionOptions, req: Request): Promise<Transcription> {
  const { sid, recordingSid } = req.params;
  const known = isSid(String(sid), 'TR') ? await options.store.fetchTranscription(String(sid)) : undefined;
  const here = known?.accountSid === accountOf(req);
  if (known && here && (recordingSid === undefined || known.recordingSid === recordingSid)) return known;
  throw gone(options, req);
}

function gone({ region }: RegionOptions, req: Request): Error {
  return missing(req.originalUrl.split('?')[0] ?? '', region.id);
}
