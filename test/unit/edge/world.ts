import { BlockList } from 'node:net';
import { expect } from 'vitest';
import { STANDARD_CHOICES } from '../../../src/call/choices.ts';
import type { OutboundJob } from '../../../src/call/job.ts';
import type { StorageTask } from '../../../src/call/tasks.ts';
import type { AccountStatus } from '../../../src/config/accounts.ts';
import { createMemoryNumberOwnership, createMemoryRegionalConfig } from '../../../src/config/memory.ts';
import { createSipDirectory } from '../../../src/config/sip-directory.ts';
import type { DialRequest } from '../../../src/control/protocol.ts';
import type { ClaimAnswer, EdgeEnd } from '../../../src/control/server.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import { CountingIds } from '../../../src/core/ids.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { createDigestGate } from '../../../src/edge/digest-gate.ts';
import { createDispatch } from '../../../src/edge/dispatch.ts';
import type { RegionDirectory } from '../../../src/edge/region-directory.ts';
import { Switchboard } from '../../../src/edge/switchboard.ts';
import type { Endpoint, MediaDirection, MediaFormat } from '../../../src/media/format.ts';
import type { RelayHost, RelayLeg } from '../../../src/media/threads/port.ts';
import { createMemoryCallQueue } from '../../../src/queue/memory/call-queue.ts';
import { createMemoryTaskQueue } from '../../../src/queue/memory/task-queue.ts';
import { createMemoryRoutes } from '../../../src/routing/memory.ts';
import type { RouteLookup } from '../../../src/routing/port.ts';
import { createSipAgent } from '../../../src/sip/agent/agent.ts';
import { MemoryNetwork, type MemoryNetworkOptions } from '../../../src/sip/transport/memory.ts';
import { OFFER, Peer } from '../sip/agent/support.ts';
import { Callee, sdp } from './callee.ts';

export const NUMBER = '+12025550143';
export const OTHER_NUMBER = '+12025550199';
export const ACCOUNT = `AC${'a'.repeat(32)}`;
export const WORKER: Endpoint = { address: '127.0.0.1', port: 9_000 };
export const DISPATCH_MS = 10_000;
export const GRACE_MS = 500;
export const DUBLIN: Endpoint = { address: '10.0.0.1', port: 5060 };
export const FRANKFURT: Endpoint = { address: '10.0.0.1', port: 5062 };
export const CALLEE: Endpoint = { address: '10.0.0.3', port: 5080 };
export const CHILD = `CA${'c'.repeat(32)}`;

export interface FakeLeg extends RelayLeg {
  attached: Endpoint | undefined;
  remote: Endpoint | undefined;
  format: MediaFormat | undefined;
  direction: MediaDirection | undefined;
  bridgedWith: RelayLeg | undefined;
  closed: boolean;
}

/** A media relay that only remembers what it was told. */
class FakeRelay implements RelayHost {
  readonly inner = { address: '127.0.0.1', port: 8_000 };
  readonly legs: FakeLeg[] = [];

  async open(): Promise<RelayLeg> {
    const leg: FakeLeg = {
      handle: this.legs.length + 1,
      port: 30_000 + 2 * this.legs.length,
      attached: undefined,
      remote: undefined,
      format: undefined,
      direction: undefined,
      bridgedWith: undefined,
      closed: false,
      onSilent: undefined,
      configure: (remote, format, direction) => Object.assign(leg, { remote, format, direction }),
      attach: (worker) => {
        leg.attached = worker;
      },
      bridge: (other) => {
        leg.bridgedWith = other;
      },
      unbridge: () => {
        leg.bridgedWith = undefined;
      },
      close: async () => {
        leg.closed = true;
        return { packetsIn: 0, packetsOut: 0, lost: 0, jitterMs: 0 };
      },
    };
    this.legs.push(leg);
    return leg;
  }

  async census() {
    return { legs: this.legs.filter((leg) => !leg.closed).length, sockets: 0 };
  }

  async close() {}
}

export interface Overrides {
  readonly allow?: string;
  readonly lookup?: RouteLookup;
  readonly refuseJobs?: boolean;
  readonly mostAtOnce?: number;
  readonly network?: MemoryNetworkOptions;
  readonly carrier?: string;
  readonly allowPrivate?: boolean;
  readonly hosts?: Readonly<Record<string, string>>;
}

export async function world(overrides: Overrides = {}) {
  const clock = new VirtualClock();
  const ids = new CountingIds();
  const network = new MemoryNetwork(clock, overrides.network);
  const agent = createSipAgent({ clock, ids, logger: silentLogger, transports: network });
  const listeners = [
    await agent.listen({ transport: 'udp', host: DUBLIN.address, port: DUBLIN.port, label: 'dublin' }),
    await agent.listen({ transport: 'tcp', host: DUBLIN.address, port: DUBLIN.port, label: 'dublin' }),
    await agent.listen({
      transport: 'udp',
      host: FRANKFURT.address,
      port: FRANKFURT.port,
      label: 'frankfurt',
    }),
  ];
  const ownership = createMemoryNumberOwnership();
  for (const [index, phoneNumber] of [NUMBER, OTHER_NUMBER].entries()) {
    const sid = `PN${`${index + 1}`.repeat(32)}`;
    await ownership.claim({ sid, accountSid: ACCOUNT, phoneNumber, createdAt: 0 });
  }
  const calls = createMemoryCallQueue();
  if (overrides.refuseJobs) {
    calls.add = async () => {
      throw new Error('Redis is away');
    };
  }
  const storage = createMemoryTaskQueue<StorageTask>(clock);
  const ie1Calls = createMemoryCallQueue();
  const dispatch = createDispatch({
    regions: new Map([
      ['us1', { calls, storage }],
      ['ie1', { calls: ie1Calls, storage }],
    ]),
    clock,
    logger: silentLogger,
  });
  const relay = new FakeRelay();
  const configs = {
    us1: createMemoryRegionalConfig('us1', { clock }),
    ie1: createMemoryRegionalConfig('ie1', { clock }),
  };
  const routes = createMemoryRoutes({ clock });
  /** Regions whose Redis does not answer. */
  const away = new Set<string>();
  const directoryOf = (region: 'us1' | 'ie1'): RegionDirectory => {
    const directory = createSipDirectory(configs[region].records);
    const there = () => {
      if (away.has(region)) throw new Error('Redis is away');
    };
    return {
      registrations: configs[region].registrations,
      directory: {
        domain: async (name) => {
          there();
          return directory.domain(name);
        },
        credential: async (lists, username) => {
          there();
          return directory.credential(lists, username);
        },
      },
    };
  };
  const statuses = new Map<string, AccountStatus>();
  const refused: number[] = [];
  const ingressAllow = new BlockList();
  ingressAllow.addAddress(overrides.allow ?? '10.0.0.2', 'ipv4');
  const told = {
    ended: [] as [number, string][],
    ends: [] as (EdgeEnd & { callSid: string })[],
    formats: [] as MediaFormat[],
    progress: [] as [number, boolean][],
    answered: [] as Readonly<Record<string, string>>[],
    refers: [] as string[],
    referred: [] as [number, boolean][],
  };
  const switchboard = new Switchboard({
    agent,
    relay,
    listeners,
    lookup: async (host) => {
      const address = overrides.hosts?.[host];
      if (address === undefined) throw new Error(`ENOTFOUND ${host}`);
      return [address];
    },
    carrier: overrides.carrier,
    choices: STANDARD_CHOICES,
    allowPrivate: overrides.allowPrivate ?? true,
    routes: overrides.lookup ?? routes.lookup,
    directories: new Map([
      ['us1', directoryOf('us1')],
      ['ie1', directoryOf('ie1')],
    ]),
    accounts: { of: async (accountSid) => statuses.get(accountSid) ?? 'active' },
    gate: createDigestGate({ clock, ids, listeners }),
    onRefused: (_edge, status) => void refused.push(status),
    ownership,
    dispatch,
    clock,
    ids,
    logger: silentLogger,
    domain: 'trunkline.localhost',
    ingressAllow,
    ...(overrides.mostAtOnce === undefined ? {} : { mostAtOnce: overrides.mostAtOnce }),
    dispatchTimeoutMs: DISPATCH_MS,
    graceMs: GRACE_MS,
    control: { process: 'edge-1', host: '127.0.0.1', port: 7_000 },
  });
  switchboard.connect({
    listen: async (at) => at,
    notifyEnded: (callSid, epoch, end) => {
      told.ended.push([epoch, end.cause]);
      told.ends.push({ callSid, ...end });
    },
    notifyFormat: (_callSid, _epoch, format) => void told.formats.push(format),
    notifyProgress: (_callSid, _epoch, status, early) => void told.progress.push([status, early]),
    notifyAnswered: (_callSid, _epoch, headers) => void told.answered.push(headers),
    notifyRefer: (_callSid, _epoch, referTo) => void told.refers.push(referTo),
    notifyReferred: (_callSid, _epoch, status, final) => void told.referred.push([status, final]),
    census: () => ({ workers: 0, strangers: 0, calls: 0 }),
    close: async () => {},
  });
  const peer = await new Peer(clock, 'udp').bind(network);
  const callee = await new Callee(CALLEE).bind(network, 'udp', clock);
  const link = { worker: 'w1', region: 'us1' as const, remote: '' };
  const settle = () => clock.advance(20);
  return {
    clock,
    network,
    agent,
    calls,
    ie1Calls,
    storage,
    relay,
    configs,
    routes: routes.table,
    away,
    statuses,
    refused,
    switchboard,
    dispatch,
    peer,
    callee,
    told,
    link,
    settle,
    /** The job waiting in the queue, taken out. */
    async job() {
      const taken = await calls.take(new AbortController().signal);
      if (!taken) throw new Error('no job');
      return taken.job;
    },
    claim: (callSid: string, epoch: number, worker = 'w1'): ClaimAnswer =>
      switchboard.handler.claim({ callSid, epoch, worker, region: 'us1', media: WORKER }, link),
    /** The peer calls our number. */
    async dial(parts: Parameters<Peer['make']>[1] = {}) {
      const request = peer.request('INVITE', { uri: `sip:${NUMBER}@10.0.0.1`, body: OFFER, ...parts });
      await settle();
      return request;
    },
    /** The worker has the edge call somebody. */
    async call(parts: Partial<DialRequest> & { readonly uri?: string; readonly number?: string } = {}) {
      const { uri = 'sip:bob@10.0.0.3:5080', number, ...rest } = parts;
      const request: DialRequest = {
        job: outboundJob(),
        edge: 'dublin',
        party: number === undefined ? { kind: 'sip', uri } : { kind: 'number', number },
        from: OTHER_NUMBER,
        onBehalfOf: [],
        headers: {},
        ...rest,
      };
      const answer = await switchboard.handler.dial(request, WORKER, link);
      await settle();
      return answer;
    },
    ends: () => storage.added.flatMap((task) => (task.kind === 'finish-call' ? [task] : [])),
  };
}

export type World = Awaited<ReturnType<typeof world>>;

export function outboundJob(parts: Partial<OutboundJob> = {}): OutboundJob {
  return {
    callSid: CHILD,
    epoch: 1,
    accountSid: ACCOUNT,
    region: 'us1',
    direction: 'outbound-dial',
    parentCallSid: null,
    egressEdge: 'dublin',
    from: OTHER_NUMBER,
    to: 'sip:bob@10.0.0.3:5080',
    createdAt: 0,
    notes: [],
    ...parts,
  };
}

/** Every transaction of a finished call has gone by then. */
const LATE = 70_000;

/** The worker is done with the call, and nothing of it is left. */
export async function nothingIsLeft(w: World): Promise<void> {
  w.switchboard.handler.release(CHILD, 1);
  await w.clock.advance(LATE);
  expect(w.switchboard.live).toBe(0);
  expect(await w.relay.census()).toMatchObject({ legs: 0 });
  expect(w.agent.census()).toMatchObject({ clientTransactions: 0, serverTransactions: 0, dialogs: 0 });
}

/** The callee answers, and the edge acknowledges. */
export async function answered(w: World, parts: Parameters<Callee['respond']>[1] = {}): Promise<void> {
  w.callee.respond(200, { body: sdp(), ...parts });
  await w.settle();
  expect(w.callee.methods).toContain('ACK');
}
