import { type Request, type Response, Router } from 'express';
import { recordingKey } from '../../call/keys.ts';
import type { RecordingRecord } from '../../call/record.ts';
import { isSid } from '../../core/ids.ts';
import { accountOf } from '../account-of.ts';
import { resource } from '../answer.ts';
import { ApiError, missing } from '../api-error.ts';
import { dateRange, earliest } from '../date-filter.ts';
import { pageBody, pageRequest } from '../paging.ts';
import { formOf, queryOf } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';
import { changeRecording, startRecording } from './call-recordings.ts';
import { callOf } from './calls.ts';
import { sendMedia } from './recording-media.ts';

/**
 * The recordings in this Region's bucket: of the account, and of one call.
 *
 * @see https://www.twilio.com/docs/voice/api/recording
 */
export function recordings(options: RegionOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  resource(router, '/Recordings{.json}', {
    async get(req, res) {
      const query = queryOf(req);
      if (query.filled('ConferenceSid')) {
        res.json(pageBody(req, 'recordings', pageRequest(query), { items: [], hasMore: false }, undefined));
        return;
      }
      res.json(await list(options, req, query.filled('CallSid'), accountView));
    },
  });
  for (const parent of ['', '/Calls/:callSid']) one(router, options, parent);
  resource(router, '/Calls/:callSid/Recordings{.json}', {
    async get(req, res) {
      const call = await callOf(options, req, 'callSid');
      res.json(await list(options, req, call.sid, callView));
    },
    async post(req, res) {
      const call = await callOf(options, req, 'callSid');
      res.status(201).json(callView(await startRecording(options, call, formOf(req))));
    },
  });
  return router;
}

/**
 * One recording. `.json` is its record; without a suffix, or with `.wav`, the same path is its audio.
 * @see https://www.twilio.com/docs/voice/api/recording#fetch-a-recordings-media-file
 */
function one(router: Router, options: RegionOptions, parent: string): void {
  const view = parent === '' ? accountView : callView;
  router.get(`${parent}/Recordings/:sid.json`, async (req, res) => {
    res.json(view(await recordingOf(options, req)));
  });
  resource(router, `${parent}/Recordings/:sid{.:suffix}`, {
    async get(req, res) {
      const suffix = req.params['suffix'];
      if (suffix !== undefined && suffix !== 'wav') {
        throw new ApiError(
          404,
          20404,
          `Recordings are offered as .wav and .json, not as .${String(suffix)}.`,
        );
      }
      await sendMedia(options.bucket, await recordingOf(options, req), req, res);
    },
    ...(parent !== '' && {
      async post(req: Request, res: Response) {
        const call = await callOf(options, req, 'callSid');
        res.json(callView(await changeRecording(options, call, String(req.params['sid']), formOf(req))));
      },
    }),
    async delete(req, res) {
      await remove(options, await recordingOf(options, req));
      res.status(204).end();
    },
  });
}

async function recordingOf(options: RegionOptions, req: Request): Promise<RecordingRecord> {
  const sid = String(req.params['sid']);
  const recording = isSid(sid, 'RE') ? await options.store.fetchRecording(sid) : undefined;
  const call = req.params['callSid'];
  const here = recording?.account_sid === accountOf(req);
  if (recording && here && (call === undefined || recording.call_sid === call)) return recording;
  throw missing(req.originalUrl.split('?')[0] ?? '', options.region.id);
}

async function list(
  options: RegionOptions,
  req: Request,
  callSid: string | undefined,
  view: (recording: RecordingRecord) => object,
): Promise<object> {
  const query = queryOf(req);
  const request = pageRequest(query);
  const created = dateRange(query, 'DateCreated');
  const page = await options.store.listRecordings(
    accountOf(req),
    {
      callSid,
      createdFrom: created.from,
      createdBefore: earliest(created.before, request.upTo === undefined ? undefined : request.upTo + 1),
    },
    request.page * request.pageSize,
    request.pageSize,
  );
  const items = page.items.map(view);
  return pageBody(req, 'recordings', request, { ...page, items }, page.items[0]?.created_at_ms);
}

function accountView({ callback: _, ...recording }: RecordingRecord): object {
  return recording;
}

function callView(recording: RecordingRecord): object {
  const { account_sid: account, call_sid: call, sid } = recording;
  return {
    ...accountView(recording),
    uri: `/2010-04-01/Accounts/${account}/Calls/${call}/Recordings/${sid}.json`,
  };
}

const UNFINISHED: ReadonlySet<RecordingRecord['status']> = new Set(['in-progress', 'paused', 'processing']);

/** The objects go first: what the index still names can be deleted again, what it has forgotten cannot. */
async function remove(options: RegionOptions, recording: RecordingRecord): Promise<void> {
  if (UNFINISHED.has(recording.status)) {
    throw new ApiError(
      409,
      20009,
      `Recording ${recording.sid} is ${recording.status}; it can be deleted once it is completed.`,
    );
  }
  await options.bucket.delete(recordingKey(recording.account_sid, recording.sid, 'wav'));
  await options.bucket.delete(recordingKey(recording.account_sid, recording.sid, 'json'));
  await options.store.deleteRecording(recording.sid);
}
