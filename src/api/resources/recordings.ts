import { type Request, type Response, Router } from 'express';
import { recordingKey } from '../../call/keys.ts';
import type { RecordingRecord } from '../../call/record.ts';
import { shownRecording } from '../../call/recording-records.ts';
import { isSid } from '../../core/ids.ts';
import type { Page } from '../../storage/ports.ts';
import { accountOf } from '../account-of.ts';
import { resource } from '../answer.ts';
import { ApiError, missing, notFound } from '../api-error.ts';
import { dateRange, earliest } from '../date-filter.ts';
import { type OperationParameters, PAGING } from '../operation.ts';
import { type PageRequest, pageBody, pageRequest, slice } from '../paging.ts';
import { formOf, queryOf } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';
import { changeRecording, startRecording } from './call-recordings.ts';
import { callOf } from './calls.ts';
import { deletedRecording, deletedRecordings, rememberDeleted } from './recording-deletion.ts';
import { sendMedia } from './recording-media.ts';

/**
 * The recordings in this Region's bucket: of the account, and of one call.
 *
 * @see https://www.twilio.com/docs/voice/api/recording
 */
export function recordings(options: RegionOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  resource(
    router,
    '/Recordings{.json}',
    {
      async get(req, res) {
        const query = queryOf(req);
        if (query.filled('ConferenceSid')) {
          res.json(pageBody(req, 'recordings', pageRequest(query), { items: [], hasMore: false }, undefined));
          return;
        }
        res.json(await list(options, req, query.filled('CallSid'), shownRecording));
      },
    },
    {
      get: {
        id: 'ListRecording',
        parameters: { CallSid: 'sid', ConferenceSid: 'sid', ...SOFT_DELETED, ...CREATED, ...PAGING },
      },
    },
  );
  one(router, options, { parent: '', view: shownRecording, id: 'Recording' });
  one(router, options, { parent: '/Calls/:callSid', view: callView, id: 'CallRecording' });
  resource(
    router,
    '/Calls/:callSid/Recordings{.json}',
    {
      async get(req, res) {
        const call = await callOf(options, req, 'callSid');
        res.json(await list(options, req, call.sid, callView));
      },
      async post(req, res) {
        const call = await callOf(options, req, 'callSid');
        res.status(201).json(callView(await startRecording(options, call, formOf(req))));
      },
    },
    {
      get: { id: 'ListCallRecording', parameters: { ...CREATED, ...PAGING } },
      post: { id: 'CreateCallRecording', parameters: TERMS },
    },
  );
  return router;
}

const CREATED: OperationParameters = {
  DateCreated: 'date',
  'DateCreated<': 'date',
  'DateCreated>': 'date',
};

const SOFT_DELETED: OperationParameters = { IncludeSoftDeleted: 'boolean' };

const TERMS: OperationParameters = {
  RecordingStatusCallback: 'url',
  RecordingStatusCallbackMethod: 'method',
  RecordingStatusCallbackEvent: 'strings',
  RecordingChannels: ['mono', 'dual'],
  RecordingTrack: ['inbound', 'outbound', 'both'],
  Trim: ['trim-silence', 'do-not-trim'],
};

/** A recording as it is found at the account or at its call. */
interface Place {
  readonly parent: '' | '/Calls/:callSid';
  readonly view: (recording: RecordingRecord) => object;
  readonly id: string;
}

/**
 * One recording. `.json` is its record; without a suffix, or with `.wav`, the same path is its audio.
 * @see https://www.twilio.com/docs/voice/api/recording#fetch-a-recordings-media-file
 */
function one(router: Router, options: RegionOptions, { parent, view, id }: Place): void {
  const changes = {
    ...(parent !== '' && {
      async post(req: Request, res: Response) {
        const call = await callOf(options, req, 'callSid');
        res.json(callView(await changeRecording(options, call, String(req.params['sid']), formOf(req))));
      },
    }),
    async delete(req: Request, res: Response) {
      await remove(options, await recordingOf(options, req));
      res.status(204).end();
    },
  };
  const parameters: OperationParameters = {
    Status: ['paused', 'in-progress', 'stopped'],
    PauseBehavior: ['skip', 'silence'],
  };
  resource(
    router,
    `${parent}/Recordings/:sid.json`,
    {
      async get(req, res) {
        const withDeleted = parent === '' && queryOf(req).boolean('IncludeSoftDeleted') === true;
        res.json(view(await recordingOf(options, req, withDeleted)));
      },
      ...changes,
    },
    {
      element: 'Recording',
      get: { id: `Fetch${id}`, ...(parent === '' && { parameters: SOFT_DELETED }) },
      post: { id: `Update${id}`, parameters, required: ['Status'] },
      delete: { id: `Delete${id}` },
    },
  );
  resource(
    router,
    `${parent}/Recordings/:sid{.:suffix}`,
    {
      async get(req, res) {
        const suffix = req.params['suffix'];
        if (suffix !== undefined && suffix !== 'wav') {
          throw notFound(`Recordings are offered as .wav and .json, not as .${String(suffix)}.`);
        }
        await sendMedia(options.bucket, await recordingOf(options, req), req, res);
      },
      ...changes,
    },
    {
      element: 'Recording',
      get: { id: `Fetch${id}Media`, parameters: { RequestedChannels: ['1', '2'] }, answers: 'audio/wav' },
      post: { id: `Update${id}WithoutSuffix`, parameters, required: ['Status'] },
      delete: { id: `Delete${id}WithoutSuffix` },
    },
  );
}

async function recordingOf(
  options: RegionOptions,
  req: Request,
  withDeleted = false,
): Promise<RecordingRecord> {
  const sid = String(req.params['sid']);
  const kept = isSid(sid, 'RE') ? await options.store.fetchRecording(sid) : undefined;
  const deleted = !kept && withDeleted ? await deletedRecording(options, accountOf(req), sid) : undefined;
  const recording = kept ?? deleted;
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
  const filter = {
    callSid,
    createdFrom: created.from,
    createdBefore: earliest(created.before, request.upTo === undefined ? undefined : request.upTo + 1),
  };
  const fetch = (offset: number, limit: number) =>
    options.store.listRecordings(accountOf(req), filter, offset, limit);
  const page =
    view === shownRecording && query.boolean('IncludeSoftDeleted') === true
      ? await withDeleted(await deletedRecordings(options, accountOf(req), filter), fetch, request)
      : await fetch(request.page * request.pageSize, request.pageSize);
  const items = page.items.map(view);
  return pageBody(req, 'recordings', request, { ...page, items }, page.items[0]?.created_at_ms);
}

/** The asked part of both lists together, newest first. */
async function withDeleted(
  deleted: readonly RecordingRecord[],
  fetch: (offset: number, limit: number) => Promise<Page<RecordingRecord>>,
  request: PageRequest,
): Promise<Page<RecordingRecord>> {
  const { items } = await fetch(0, (request.page + 1) * request.pageSize + 1);
  const all = [...items, ...deleted].sort((a, b) => b.created_at_ms - a.created_at_ms);
  return slice(all, request);
}

function callView(recording: RecordingRecord): object {
  const { account_sid: account, call_sid: call, sid } = recording;
  return {
    ...shownRecording(recording),
    uri: `/2010-04-01/Accounts/${account}/Calls/${call}/Recordings/${sid}.json`,
  };
}

const UNFINISHED: ReadonlySet<RecordingRecord['status']> = new Set(['in-progress', 'paused', 'processing']);

/**
 * The objects go first: what the index still names can be deleted again, what it has forgotten cannot. That there was a
 * recording is remembered for a while.
 */
async function remove(options: RegionOptions, recording: RecordingRecord): Promise<void> {
  if (UNFINISHED.has(recording.status)) {
    throw new ApiError(
      409,
      20009,
      `Recording ${recording.sid} is ${recording.status}; it can be deleted once it is completed.`,
    );
  }
  await rememberDeleted(options, recording);
  await options.bucket.delete(recordingKey(recording.account_sid, recording.sid, 'wav'));
  await options.bucket.delete(recordingKey(recording.account_sid, recording.sid, 'json'));
  await options.store.deleteRecording(recording.sid);
}
