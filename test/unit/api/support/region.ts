import type { RegionOptions } from '../../../../src/api/region-options.ts';
import { recordingKey } from '../../../../src/call/keys.ts';
import type { CallRecord, RecordingRecord } from '../../../../src/call/record.ts';
import type { StorageTask } from '../../../../src/call/tasks.ts';
import { ACCOUNTS } from '../../../../src/config/accounts.ts';
import {
  createMemoryNameOwnership,
  createMemoryNumberOwnership,
  createMemoryRegionalConfig,
} from '../../../../src/config/memory.ts';
import type { RegionalConfig } from '../../../../src/config/port.ts';
import { createMemoryRecords } from '../../../../src/config/records/memory.ts';
import { VirtualClock } from '../../../../src/core/clock.ts';
import { rfc2822 } from '../../../../src/core/dates.ts';
import { CountingIds } from '../../../../src/core/ids.ts';
import { silentLogger } from '../../../../src/core/logger.ts';
import { createMemoryCallQueue, type MemoryCallQueue } from '../../../../src/queue/memory/call-queue.ts';
import { createMemoryOrders } from '../../../../src/queue/memory/orders.ts';
import { createMemoryCallPace } from '../../../../src/queue/memory/pace.ts';
import { createMemoryTaskQueue, type MemoryTaskQueue } from '../../../../src/queue/memory/task-queue.ts';
import { REGION_IDS, REGIONS, type RegionId } from '../../../../src/region/region.ts';
import { createMemoryRoutes } from '../../../../src/routing/memory.ts';
import { createMemoryBucket } from '../../../../src/storage/memory/bucket.ts';
import { createMemoryCallStore } from '../../../../src/storage/memory/call-store.ts';
import type { Bucket, CallStore } from '../../../../src/storage/ports.ts';

export const ACCOUNT = `AC${'a'.repeat(32)}`;
export const CREATED = Date.UTC(2026, 0, 15, 12);

export function sid(prefix: string, n: number): string {
  return prefix + n.toString(16).padStart(32, '0');
}

/** What all Regions share: who owns which number, and where its calls go. */
export class World {
  readonly ids = new CountingIds();
  readonly clock = new VirtualClock(CREATED);
  readonly ownership = createMemoryNumberOwnership();
  readonly names = createMemoryNameOwnership();
  readonly accounts = createMemoryRecords(ACCOUNTS);
  readonly routes = createMemoryRoutes({ clock: this.clock }).table;

  /** The numbers of the account, in any order. */
  async numbers(): Promise<string[]> {
    return (await this.ownership.list(ACCOUNT)).map((number) => number.phoneNumber);
  }

  /** The Region in a number's route record, if there is one. */
  async routeOf(phoneNumber: string): Promise<RegionId | undefined> {
    return (await this.routes.fetch('phone-number', phoneNumber))?.voiceRegion;
  }
}

/** One Region's own data, in memory. */
export class RegionWorld {
  readonly token: string;
  readonly config: RegionalConfig;
  readonly store: CallStore;
  readonly bucket: Bucket;
  readonly calls: MemoryCallQueue;
  readonly orders = createMemoryOrders();
  readonly storage: MemoryTaskQueue<StorageTask>;

  constructor(
    readonly id: RegionId,
    readonly world = new World(),
  ) {
    this.token = `token-of-${id}`;
    this.config = createMemoryRegionalConfig(id, {
      clock: world.clock,
      ids: world.ids,
      given: { accountSid: ACCOUNT, token: this.token },
    });
    this.store = createMemoryCallStore(world.clock);
    this.bucket = createMemoryBucket(REGIONS[id].bucket);
    this.calls = createMemoryCallQueue(world.clock);
    this.storage = createMemoryTaskQueue<StorageTask>(world.clock);
  }

  options(changes: Partial<RegionOptions> = {}): RegionOptions {
    const { store, bucket, config, calls, storage } = this;
    const { ids, clock, routes, ownership, names, accounts } = this.world;
    return {
      region: REGIONS[this.id],
      regions: REGION_IDS,
      accountSid: ACCOUNT,
      store,
      bucket,
      config,
      calls,
      orders: this.orders.sender,
      pace: createMemoryCallPace(clock, 1),
      storage,
      routes,
      ownership,
      names,
      accounts,
      domain: 'trunkline.localhost',
      ids,
      clock,
      logger: silentLogger,
      publicUrl: 'http://{product}.{edge}.{region}.test',
      metrics: { contentType: 'text/plain; version=0.0.4', metrics: async () => 'trunkline_live_calls 0\n' },
      health: async () => ({ ready: true, checks: { redis: 'ok' } }),
      listenerIsLoopback: true,
      ...changes,
    };
  }

  async addCall(n: number, changes: Partial<CallRecord> = {}): Promise<CallRecord> {
    const call = callRecord(this.id, n, changes);
    await this.store.save(call);
    return call;
  }

  async addRecording(
    n: number,
    media: Buffer | null,
    changes: Partial<RecordingRecord> = {},
  ): Promise<RecordingRecord> {
    const recording = recordingRecord(this.id, n, changes);
    await this.store.saveRecording(recording);
    if (media) await this.bucket.put(recordingKey(ACCOUNT, recording.sid, 'wav'), media, 'audio/wav');
    return recording;
  }

  /** The keys in its bucket. */
  async objects(): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of this.bucket.list('')) keys.push(key);
    return keys;
  }
}

/** Call `n` was created `n` minutes after noon and lasted ten seconds. */
function callRecord(region: RegionId, n: number, changes: Partial<CallRecord>): CallRecord {
  const created = CREATED + n * 60_000;
  const call = sid('CA', n);
  const uri = `/2010-04-01/Accounts/${ACCOUNT}/Calls/${call}`;
  return {
    sid: call,
    account_sid: ACCOUNT,
    api_version: '2010-04-01',
    parent_call_sid: null,
    date_created: rfc2822(created),
    date_updated: rfc2822(created + 10_000),
    start_time: rfc2822(created),
    end_time: rfc2822(created + 10_000),
    to: '+15105550100',
    to_formatted: '(510) 555-0100',
    from: '+15105550199',
    from_formatted: '(510) 555-0199',
    phone_number_sid: sid('PN', 1),
    status: 'completed',
    duration: '10',
    price: null,
    price_unit: null,
    direction: 'inbound',
    answered_by: null,
    annotation: null,
    forwarded_from: null,
    group_sid: null,
    caller_name: null,
    queue_time: '3',
    trunk_sid: null,
    uri: `${uri}.json`,
    subresource_uris: { recordings: `${uri}/Recordings.json` },
    region,
    ingress_edge: 'dublin',
    egress_edge: null,
    worker: 'worker-1',
    epoch: 1,
    cause: 'the caller hung up',
    sip_call_id: 'a@b',
    diagnostics: [],
    created_at_ms: created,
    ...changes,
  };
}

function recordingRecord(region: RegionId, n: number, changes: Partial<RecordingRecord>): RecordingRecord {
  const created = CREATED + n * 60_000;
  const recording = sid('RE', n);
  const uri = `/2010-04-01/Accounts/${ACCOUNT}/Recordings/${recording}`;
  return {
    sid: recording,
    account_sid: ACCOUNT,
    api_version: '2010-04-01',
    call_sid: sid('CA', n),
    conference_sid: null,
    date_created: rfc2822(created),
    date_updated: rfc2822(created),
    start_time: rfc2822(created),
    duration: '1',
    channels: 1,
    source: 'RecordVerb',
    status: 'completed',
    error_code: null,
    price: null,
    price_unit: null,
    track: 'inbound',
    encryption_details: null,
    uri: `${uri}.json`,
    media_url: `http://api.test${uri}`,
    subresource_uris: {},
    region,
    bytes: 0,
    sha256: null,
    created_at_ms: created,
    ...changes,
  };
}
