import { type Request, Router } from 'express';
import { transcriptionKey } from '../../call/keys.ts';
import { type Transcription, transcriptionResource } from '../../call/transcription.ts';
import { isSid } from '../../core/ids.ts';
import { accountOf } from '../account-of.ts';
import { resource } from '../answer.ts';
import { ApiError, missing } from '../api-error.ts';
import { PAGING } from '../operation.ts';
import { recordPage } from '../record-page.ts';
import type { RegionOptions } from '../region-options.ts';

/**
 * What was said in the recordings of this Region: of the account, and of one recording. They outlive their recording.
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
        const all = await options.config.records.transcriptions.list(accountOf(req));
        const { recordingSid } = req.params;
        if (recordingSid !== undefined) await requireRecording(options, req, all);
        const found = all.filter((one) => recordingSid === undefined || one.recordingSid === recordingSid);
        res.json(recordPage(req, 'transcriptions', found, view));
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
        await options.config.records.transcriptions.remove(sid);
        res.status(204).end();
      },
    },
    { element: 'Transcription', get: { id: `Fetch${id}` }, delete: { id: `Delete${id}` } },
  );
}

/** A recording that has been deleted is named by its transcriptions still. */
async function requireRecording(
  options: RegionOptions,
  req: Request,
  known: readonly Transcription[],
): Promise<void> {
  const sid = String(req.params['recordingSid']);
  if (known.some(({ recordingSid }) => recordingSid === sid)) return;
  const recording = isSid(sid, 'RE') ? await options.store.fetchRecording(sid) : undefined;
  if (recording?.account_sid !== accountOf(req)) throw gone(options, req);
}

async function owned(options: RegionOptions, req: Request): Promise<Transcription> {
  const { sid, recordingSid } = req.params;
  const known = isSid(String(sid), 'TR')
    ? await options.config.records.transcriptions.fetch(String(sid))
    : undefined;
  const here = known?.accountSid === accountOf(req);
  if (known && here && (recordingSid === undefined || known.recordingSid === recordingSid)) return known;
  throw gone(options, req);
}

function gone({ region }: RegionOptions, req: Request): Error {
  return missing(req.originalUrl.split('?')[0] ?? '', region.id);
}
