import type { StorageTask } from '../call/tasks.ts';
import { ACCOUNTS } from '../config/accounts.ts';
import { createRedisRecords } from '../config/records/redis.ts';
import { createNameOwnership, createNumberOwnership } from '../config/redis.ts';
import { areRelated } from '../config/related-accounts.ts';
import { createControlServer } from '../control/server.ts';
import { createAccountStatuses } from '../edge/account-statuses.ts';
import { createDigestGate } from '../edge/digest-gate.ts';
import { createDispatch, type RegionQueues } from '../edge/dispatch.ts';
import { createRegistrar } from '../edge/registrar.ts';
import { Switchboard } from '../edge/switchboard.ts';
import { createRelayHost } from '../media/threads/relay-host.ts';
import { createBullCallQueue } from '../queue/bullmq/call-queue.ts';
import { createBullTaskQueue } from '../queue/bullmq/task-queue.ts';
import { type EdgeId, edgePort } from '../region/edge.ts';
import { REGIONS, type RegionId } from '../region/region.ts';
import { createRouteLookup } from '../routing/redis-lookup.ts';
import { createSipAgent } from '../sip/agent/agent.ts';
import type { SipListener } from '../sip/agent/port.ts';
import { lookupA } from '../sip/transport/resolve.ts';
import { connectRedis, disconnectRedis } from '../storage/redis/connect.ts';
import { announceEdge } from './announcement.ts';
import { allowCarrier } from './carrier.ts';
import { formatAddress, resolveHost, unusable } from './ports.ts';
import { publicLookup } from './public-lookup.ts';
import { connectDirectories } from './region-directories.ts';
import type { Role, RoleContext } from './role.ts';
import { GLOBAL_PREFIX, GLOBAL_REDIS_VARIABLES, globalRedis, regionRedis, requireRedis } from './stores.ts';

/** Heartbeats of the control channel, both ways. */
export const HEARTBEAT_MS = 2_000;
/** How long a call whose worker's connection broke waits before it is offered again. */
export const GRACE_MS = 500;
const MEDIA_TIMEOUT_MS = 120_000; // our choice: a muted phone may be quiet for long, a dead one for ever

/** An edge process: the SIP sockets, dialogs and media relays of its Edge Locations. */
export async function startEdge(
  context: RoleContext,
  edges: readonly EdgeId[],
  mediaScript: URL,
): Promise<Role> {
  const { settings, credentials, clock, ids, logger, metrics } = context;
  const global = connectRedis(globalRedis(settings), 'global', logger);
  await requireRedis(global, GLOBAL_REDIS_VARIABLES);
  const subscriber = connectRedis(globalRedis(settings), 'global', logger);
  await allowCarrier(settings.ingressAllow, settings.carrier, logger);
  const regions = regionQueues(context);
  const dispatch = createDispatch({ regions, clock, logger });
  const routes = createRouteLookup({
    redis: global,
    subscriber,
    clock,
    onLookup: (observation) => metrics.routeLookedUp(observation),
  });
  // Contacts name hosts, too, and only the resolver knows where those lead
  const lookup = settings.allowPrivate ? lookupA : publicLookup(lookupA);
  const agent = createSipAgent({ clock, ids, logger, lookup });
  const listeners: SipListener[] = [];
  agent.onMalformed = (reason, source) => {
    metrics.sipMalformed();
    logger.debug(
      { edge: source.listener.label, from: formatAddress({ host: source.address, port: source.port }) },
      reason,
    );
  };
  const relay = await createRelayHost({
    script: mediaScript,
    address: await resolveHost(settings.inner, 'TRUNKLINE_INNER'),
    ports: settings.rtp,
    silentAfterMs: MEDIA_TIMEOUT_MS,
  });
  relay.onFailed = (error) => {
    throw error; // without its media thread an edge carries no call: ends loudly, the supervisor starts another
  };
  const { directories, ...regional } = connectDirectories(context);
  const accountRecords = createRedisRecords(global, GLOBAL_PREFIX, ACCOUNTS);
  const names = createNameOwnership({ redis: global });
  const accounts = createAccountStatuses({ accounts: accountRecords, clock, logger });
  const gate = createDigestGate({ clock, ids, listeners });
  const control = { process: context.process, host: settings.control.host, port: 0 };
  const switchboard = new Switchboard({
    agent,
    relay,
    routes,
    ownership: createNumberOwnership({ redis: global }),
    directories,
    accounts,
    gate,
    dispatch,
    clock,
    ids,
    logger,
    listeners,
    lookup: lookupA,
    domain: settings.domain,
    carrier: settings.carrier,
    allowPrivate: settings.allowPrivate,
    choices: settings.choices,
    ingressAllow: settings.ingressAllow,
    dispatchTimeoutMs: settings.dispatchTimeoutMs,
    graceMs: GRACE_MS,
    control,
    onCall: (edge) => metrics.callReceived(edge),
    onRefused: (edge, status) => metrics.inviteRefused(edge, status),
  });
  const server = createControlServer({
    secret: credentials.controlSecret,
    processId: context.process,
    clock,
    ids,
    logger,
    heartbeatMs: HEARTBEAT_MS,
    handler: {
      ...switchboard.handler,
      related: (pair) => areRelated(accountRecords, pair),
      async domainRelated(name, accountSid) {
        const owner = await names.ownerOf('sip-domain', name);
        return owner !== undefined && (await areRelated(accountRecords, [owner, accountSid]));
      },
    },
  });
  switchboard.connect(server);
  const registrar = createRegistrar({
    routes,
    directories,
    accounts,
    gate,
    clock,
    ids,
    logger,
    listeners,
    domain: settings.domain,
    process: context.process,
  });
  agent.onRequest = (request, source) =>
    request.method === 'REGISTER' ? registrar.handle(request, source) : undefined;
  agent.onDisconnected = (source) => void registrar.disconnected(source);
  metrics.liveCalls(() => switchboard.live);
  metrics.sipState(() => ({ ...agent.census() }));
  metrics.mediaLegs(async () => (await relay.census()).legs);
  const reached = await server.listen(settings.control).catch((error: unknown) => {
    const what = 'the control connections of call workers';
    throw unusable({ ...settings.control, kind: 'tcp', what, variable: 'TRUNKLINE_CONTROL' }, error);
  });
  control.port = reached.port;
  listeners.push(...(await listen(context, agent, edges)));
  const announcement = announceEdge(context, global, { ...control, edges });

  return {
    async stop(deadline) {
      await switchboard.drain(deadline); // live calls may still dial through this process
      await announcement.close();
      await dispatch.flushed(deadline);
      await agent.close();
      await server.close();
      await relay.close();
      await Promise.all(
        [...regions.values()].flatMap((queues) => [queues.calls.close(), queues.storage.close()]),
      );
      await routes.close();
      await Promise.all([regional.close(), disconnectRedis(global), disconnectRedis(subscriber)]);
    },
  };
}

function regionQueues({ settings, clock, logger }: RoleContext): Map<RegionId, RegionQueues> {
  return new Map(
    settings.regions.map((id) => {
      const region = REGIONS[id];
      const connection = regionRedis(settings, id);
      const calls = createBullCallQueue({ connection, region, clock, logger });
      const storage = createBullTaskQueue<StorageTask>({
        connection,
        name: region.queues.recordings,
        clock,
        logger,
      });
      return [id, { calls, storage }] as const;
    }),
  );
}

async function listen(
  { settings }: RoleContext,
  agent: ReturnType<typeof createSipAgent>,
  edges: readonly EdgeId[],
): Promise<readonly SipListener[]> {
  const { host, port } = settings.sip;
  const advertise = settings.advertise === undefined ? {} : { advertise: settings.advertise };
  return Promise.all(
    edges.flatMap((edge) => {
      const at = { host, port: edgePort(edge, port) };
      return (['udp', 'tcp'] as const).map((transport) =>
        agent.listen({ transport, ...at, label: edge, ...advertise }).catch((error: unknown) => {
          throw unusable({ ...at, kind: transport, what: `edge ${edge}`, variable: 'TRUNKLINE_SIP' }, error);
        }),
      );
    }),
  );
}
