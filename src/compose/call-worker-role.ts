import { mkdir } from 'node:fs/promises';
import type { CallbackTask, StorageTask } from '../call/tasks.ts';
import { createRegionalConfig } from '../config/redis.ts';
import { createSigningTokens } from '../config/signing-tokens.ts';
import { createControlClient } from '../control/client.ts';
import { createRedisEdgeRegistry } from '../control/registry.ts';
import { createOutgoingLeg } from '../leg/remote/outgoing-leg.ts';
import { createRemoteLeg } from '../leg/remote/remote-leg.ts';
import { createMediaHost } from '../media/threads/media-host.ts';
import { createBullCallQueue } from '../queue/bullmq/call-queue.ts';
import { createBullTaskQueue } from '../queue/bullmq/task-queue.ts';
import { createRedisOrderReceiver } from '../queue/redis/orders.ts';
import { publicUrl } from '../region/host-names.ts';
import { REGIONS, type RegionId } from '../region/region.ts';
import { runApiCall } from '../runtime/api-call.ts';
import { gatherArchiving } from '../runtime/archive-gathering.ts';
import { createAudioLibrary } from '../runtime/audio-library.ts';
import { CallDirectory } from '../runtime/call-directory.ts';
import type { CallParts } from '../runtime/call-parts.ts';
import { createDeviceDirectory } from '../runtime/device-directory.ts';
import { createEdgeProcesses } from '../runtime/edge-processes.ts';
import { runLiveCall } from '../runtime/live-call.ts';
import { CallWorker } from '../runtime/worker.ts';
import { createFliteSpeech } from '../speech/flite.ts';
import { createRedisCallStore } from '../storage/redis/call-store.ts';
import { connectRedis, disconnectRedis } from '../storage/redis/connect.ts';
import { createWebhookSession } from '../webhook/client.ts';
import { createHttpClient } from '../webhook/http-adapter.ts';
import type { WebhookAttempt } from '../webhook/port.ts';
import { ResponseCache } from '../webhook/response-cache.ts';
import { tokenOf } from './credentials.ts';
import { GRACE_MS, HEARTBEAT_MS } from './edge-role.ts';
import { countAttempt } from './metrics.ts';
import { publicUrlTemplate, resolveHost } from './ports.ts';
import type { Role, RoleContext } from './role.ts';
import { speechToText } from './speech.ts';
import { redisVariables, regionRedis, requireRedis, spoolDirectory } from './stores.ts';

/** Documents fetched with GET that may be kept (ETag, Last-Modified), for all calls of this worker. */
const DOCUMENT_CACHE_BYTES = 16 * 2 ** 20;

/** Entry scripts of a worker's threads. */
export interface WorkerScripts {
  readonly media: URL;
  readonly speech: URL;
}

/** A call worker of one Region: webhooks, TwiML, audio. It holds nothing of any other Region, and no S3 key. */
export async function startCallWorker(
  context: RoleContext,
  id: RegionId,
  scripts: WorkerScripts,
): Promise<Role> {
  const { settings, credentials, clock, ids, logger, metrics } = context;
  const region = REGIONS[id];
  const connection = regionRedis(settings, id);
  const spoolDir = spoolDirectory(settings, id);
  await mkdir(spoolDir, { recursive: true });

  const redis = connectRedis(connection, id, logger);
  await requireRedis(redis, redisVariables(id));
  const store = createRedisCallStore({ redis, region });
  const config = createRegionalConfig({
    redis,
    region,
    clock,
    ids,
    given: { accountSid: credentials.accountSid, token: tokenOf(credentials, id) },
  });
  const queue = createBullCallQueue({ connection, region, clock, logger });
  const storage = createBullTaskQueue<StorageTask>({
    connection,
    name: region.queues.recordings,
    clock,
    logger,
  });
  const callbacks = createBullTaskQueue<CallbackTask>({
    connection,
    name: region.queues.callbacks,
    clock,
    logger,
  });
  const { choices } = settings;
  const http = createHttpClient({ allowPrivate: settings.allowPrivate, clock });
  const media = await createMediaHost({
    script: scripts.media,
    address: await resolveHost(settings.inner, 'TRUNKLINE_INNER'),
    spoolDir,
  });
  const tts = createFliteSpeech({ script: scripts.speech });
  const control = createControlClient({
    secret: credentials.controlSecret,
    worker: context.process,
    region: id,
    clock,
    ids,
    logger,
    heartbeatMs: HEARTBEAT_MS,
  });

  const signingToken = createSigningTokens({ vault: config.tokens, clock, logger });
  const cache = new ResponseCache({ maxBytes: DOCUMENT_CACHE_BYTES });
  const onAttempt = (attempt: WebhookAttempt) => countAttempt(metrics, attempt);
  const calls = new CallDirectory();
  const edges = createEdgeProcesses({ registry: createRedisEdgeRegistry({ redis }), clock, logger });
  const parts: CallParts = {
    worker: context.process,
    region,
    store,
    config,
    storage: gatherArchiving(storage, clock),
    callbacks,
    legs: {
      inbound: (link) => createRemoteLeg({ link, media, clock }),
      outgoing: (link) => createOutgoingLeg({ link, media, clock }),
    },
    dial: (edge, request) => control.dial(edge, request, media.inner),
    edges,
    devices: createDeviceDirectory({
      config,
      domain: settings.domain,
      control,
      edges,
      homeEdge: region.homeEdge,
    }),
    calls,
    adopt: (run) => worker.adopt(run),
    speech: speechToText(settings, clock),
    audio: createAudioLibrary({ tts, http, clock, ids }),
    webhooks: (accountSid, onWarning) => {
      const authToken = () => signingToken(accountSid);
      return createWebhookSession({ http, clock, ids, cache, onAttempt, onWarning, authToken, choices });
    },
    clock,
    ids,
    logger,
    publicUrl: publicUrl(publicUrlTemplate(settings, id), 'api', id),
    choices,
    handoverMs: 2 * GRACE_MS + 3 * HEARTBEAT_MS,
    onAnswer: () => metrics.callAnswered(),
    onEnd: (record) => metrics.callEnded(record.status),
  };
  const worker = new CallWorker({
    name: context.process,
    queue,
    control,
    media,
    store,
    clock,
    logger,
    capacity: settings.capacity,
    run: (link, signal) => {
      metrics.queueWaited(Math.max(0, clock.now() - link.job.createdAt));
      return runLiveCall(link, parts, signal);
    },
    make: (job, taken, signal) => {
      metrics.queueWaited(Math.max(0, clock.now() - job.createdAt));
      return runApiCall(job, taken, parts, signal);
    },
    abandon: async (job, cause) => {
      await storage.add(
        {
          kind: 'finish-call',
          job,
          status: 'failed',
          cause,
          endedAt: clock.now(),
          diagnostics: [],
          timeline: [],
        },
        { id: `finish-${job.callSid}-${job.epoch}`, attempts: 20, backoffMs: 500 },
      );
    },
  });
  metrics.liveCalls(() => worker.live);
  metrics.mediaLegs(async () => (await media.census()).legs);
  const subscriber = connectRedis(connection, id, logger);
  const orders = createRedisOrderReceiver({ region, redis, subscriber, logger });
  orders.receive(context.process, (order) => calls.handle(order));
  worker.start();

  return {
    async stop(deadline) {
      await worker.stop(deadline);
      await orders.close();
      await control.close();
      await media.close();
      await tts.close();
      await Promise.all([queue.close(), storage.close(), callbacks.close(), http.close()]);
      await store.close();
      await Promise.all([disconnectRedis(redis), disconnectRedis(subscriber)]);
    },
  };
}
