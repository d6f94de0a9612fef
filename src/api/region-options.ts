import type { Queue } from 'bullmq';
import type { StorageTask } from '../call/tasks.ts';
import type { Accounts } from '../config/accounts.ts';
import type { NameOwnership, NumberOwnership, RegionalConfig } from '../config/port.ts';
import type { Clock } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { CallPace, CallQueue, OrderSender, TaskQueue } from '../queue/port.ts';
import type { Region, RegionId } from '../region/region.ts';
import type { RouteTable } from '../routing/port.ts';
import type { Bucket, CallStore } from '../storage/ports.ts';

/** What `/metrics` answers; a prom-client Registry is one. */
export interface MetricsPage {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** What `/healthz` answers: ready, and one line for each thing that was looked at. */
export interface Health {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, string>>;
}

/** What the HTTP side of one Region is made of. */
export interface RegionOptions {
  readonly region: Region;
  /** The Regions that run in this installation: where a key may be routed. */
  readonly regions: readonly RegionId[];
  /** The first account: it is always active, and the dashboard shows it. */
  readonly accountSid: string;
  readonly store: CallStore;
  readonly bucket: Bucket;
  readonly routes: RouteTable;
  readonly ownership: NumberOwnership;
  readonly names: NameOwnership;
  readonly accounts: Accounts;
  readonly config: RegionalConfig;
  /** How calls that the API creates, and orders to calls that run, reach the Region's workers. */
  readonly calls: CallQueue;
  readonly orders: OrderSender;
  readonly pace: CallPace;
  /** Ends of calls that no worker ever had. */
  readonly storage: TaskQueue<StorageTask>;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly logger: Logger;
  /** `TRUNKLINE_DOMAIN`: what SIP domains and hosts end in; `twilio.com` is understood in its place. */
  readonly domain: string;
  /** `TRUNKLINE_PUBLIC_URL`, placeholders and all. */
  readonly publicUrl: string;
  readonly metrics: MetricsPage;
  readonly health: () => Promise<Health>;
  /** The Region's queues, for `/dashboard/queues`. */
  readonly queues?: readonly Queue[];
  /** The pages ask for no password when only this machine can reach them. */
  readonly listenerIsLoopback: boolean;
}
