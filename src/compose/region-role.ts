import { regionApp } from '../api/region-app.ts';
import type { CallbackTask, StorageTask } from '../call/tasks.ts';
import { ACCOUNTS } from '../config/accounts.ts';
import { createRedisRecords } from '../config/records/redis.ts';
import { createNameOwnership, createNumberOwnership, createRegionalConfig } from '../config/redis.ts';
import { createSigningTokens } from '../config/signing-tokens.ts';
import { createRedisEdgeRegistry } from '../control/registry.ts';
import { bullmq } from '../queue/bullmq/bullmq.ts';
import { createBullCallQueue } from '../queue/bullmq/call-queue.ts';
import { createBullTaskQueue } from '../queue/bullmq/task-queue.ts';
import { createRedisOrderSender } from '../queue/redis/orders.ts';
import { createRedisCallPace } from '../queue/redis/pace.ts';
import { REGIONS, type RegionId } from '../region/region.ts';
import { createRouteTable } from '../routing/redis.ts';
import { watchIndex } from '../runtime/index-restoration.ts';
import { watchOrphans } from '../runtime/orphans.ts';
import { createRegionTasks } from '../runtime/region-tasks.ts';
import { createRedisCallStore } from '../storage/redis/call-store.ts';
import { connectRedis, disconnectRedis } from '../storage/redis/connect.ts';
import { createWebhookSession } from '../webhook/client.ts';
import { createHttpClient } from '../webhook/http-adapter.ts';
import type { WebhookAttempt } from '../webhook/port.ts';
import { tokenOf } from './credentials.ts';
import { HEARTBEAT_MS } from './edge-role.ts';
import { listenHttp } from './http-listener.ts';
import { countAttempt } from './metrics.ts';
import { publicUrlTemplate, regionAddress } from './ports.ts';
import type { Role, RoleContext } from './role.ts';
import { speechToText } from './speech.ts';
import {
  GLOBAL_PREFIX,
  GLOBAL_REDIS_VARIABLES,
  globalRedis,
  redisVariables,
  regionBucket,
  regionRedis,
  requireRedis,
  spoolDirectory,
} from './stores.ts';

/** The service of one Region: its REST API, its dashboards, and the durable work that ends in its bucket. */
export async function startRegion(context: RoleContext, id: RegionId): Promise<Role> {
  const { settings, credentials, clock, ids, logger, metrics } = context;
  const region = REGIONS[id];
  const connection = regionRedis(settings, id);
  const redis = connectRedis(connection, id, logger);
  const global = connectRedis(globalRedis(settings), 'global', logger);
  await Promise.all([requireRedis(redis, redisVariables(id)), requireRedis(global, GLOBAL_REDIS_VARIABLES)]);
  const bucket = regionBucket(settings, id, logger);
  const store = createRedisCallStore({ redis, region, bucket });
  const config = createRegionalConfig({
    redis,
    region,
    clock,
    ids,
    given: { accountSid: credentials.accountSid, token: tokenOf(credentials, id) },
  });
  const ownership = createNumberOwnership({ redis: global });
  const names = createNameOwnership({ redis: global });
  const accounts = createRedisRecords(global, GLOBAL_PREFIX, ACCOUNTS);
  const routes = createRouteTable({ redis: global, clock, delayMs: settings.routeDelayMs });
  const registry = createRedisEdgeRegistry({ redis: global });
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
  const calls = createBullCallQueue({ connection, region, clock, logger });
  const orderSubscriber = connectRedis(connection, id, logger);
  const orders = createRedisOrderSender({ region, redis, subscriber: orderSubscriber, clock, ids, logger });
  const pace = createRedisCallPace({ redis, region, callsPerSecond: settings.callsPerSecond });
  const { choices } = settings;
  const http = createHttpClient({ allowPrivate: settings.allowPrivate, clock });

  const signingToken = createSigningTokens({ vault: config.tokens, clock, logger });
  const onAttempt = (attempt: WebhookAttempt) => countAttempt(metrics, attempt);
  const tasks = createRegionTasks({
    region,
    store,
    bucket,
    callbacks,
    storage,
    spoolDir: spoolDirectory(settings, id),
    config,
    webhooks: (accountSid) => {
      const signed = () => signingToken(accountSid);
      return createWebhookSession({ http, clock, ids, onAttempt, authToken: signed, choices });
    },
    speech: speechToText(settings, clock),
    ids,
    clock,
    logger,
    onRecording: (status) => (status === 'failed' ? metrics.recordingFailed() : metrics.recordingStored()),
  });
  await bucket.ensure();
  const restoration = watchIndex({ index: store.index, bucket, clock, logger });
  const orphans = watchOrphans({
    store,
    calls,
    storage,
    clock,
    logger,
    handoverMs: settings.dispatchTimeoutMs + 2 * HEARTBEAT_MS,
  });
  storage.process(8, tasks.store);
  callbacks.process(16, tasks.callback);

  const queues = [region.queues.calls, region.queues.callbacks, region.queues.recordings].map(
    (name) => new bullmq.Queue(name, { connection: redis, skipVersionCheck: true }),
  );
  const app = regionApp({
    region,
    regions: settings.regions,
    accountSid: credentials.accountSid,
    store,
    bucket,
    routes,
    ownership,
    names,
    accounts,
    config,
    calls,
    orders,
    pace,
    storage,
    ids,
    clock,
    logger,
    domain: settings.domain,
    publicUrl: publicUrlTemplate(settings, id),
    metrics: metrics.registry,
    queues,
    listenerIsLoopback: ['127.0.0.1', '::1', 'localhost'].includes(settings.http.host),
    health: async () => {
      const [edges, workers] = await Promise.all([registry.list(), store.workers()]);
      const ready = edges.length > 0 && workers.length > 0;
      return {
        ready,
        checks: {
          edges:
            edges.length > 0 ? `${edges.length} edge process(es)` : 'no edge process has announced itself',
          workers:
            workers.length > 0 ? `${workers.length} call worker(s)` : `no call worker of ${id} is alive`,
        },
      };
    },
  });
  const server = await listenHttp(app, regionAddress(settings, id), `the service of ${id}`);

  return {
    async stop() {
      orphans.stop();
      await restoration.stop();
      await server.close();
      await Promise.all([calls.close(), storage.close(), callbacks.close(), http.close(), orders.close()]);
      await Promise.all(queues.map((queue) => queue.close()));
      await Promise.all([store.close(), bucket.close(), routes.close()]);
      await Promise.all([disconnectRedis(redis), disconnectRedis(orderSubscriber), disconnectRedis(global)]);
    },
  };
}
