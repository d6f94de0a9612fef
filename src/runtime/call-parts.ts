import type { TwimlChoices } from '../call/choices.ts';
import type { CallRecord } from '../call/record.ts';
import type { CallbackTask, StorageTask } from '../call/tasks.ts';
import type { RegionalConfig } from '../config/port.ts';
import type { EdgeAddress } from '../control/client.ts';
import type { InboundLink, OutgoingLink } from '../control/link.ts';
import type { DialRequest } from '../control/protocol.ts';
import type { Clock } from '../core/clock.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { Ids } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { Leg, OutgoingLeg } from '../leg/port.ts';
import type { TaskQueue } from '../queue/port.ts';
import type { Region } from '../region/region.ts';
import type { SpeechToText } from '../speech/port.ts';
import type { CallStore } from '../storage/ports.ts';
import type { WebhookSession } from '../webhook/port.ts';
import type { CallDirectory } from './call-directory.ts';
import type { DeviceDirectory } from './device-directory.ts';
import type { EdgeProcesses } from './edge-processes.ts';
import type { SharedAudioLibrary } from './noted-audio.ts';

/** What became of an attempt to call somebody. */
export type Placement = OutgoingLink | { readonly notDialled: Diagnostic };

/** A leg that has to be closed: resolves when its recordings are complete and nothing of it is left. */
export type Closable<L extends Leg> = L & { close(): Promise<void> };

/** What every call of a worker shares. */
export interface CallParts {
  readonly worker: string;
  readonly region: Region;
  readonly store: CallStore;
  readonly config: RegionalConfig;
  readonly storage: TaskQueue<StorageTask>;
  readonly callbacks: TaskQueue<CallbackTask>;
  readonly legs: {
    inbound(link: InboundLink): Closable<Leg>;
    /** A leg from the moment somebody is to be called; it ends as `not-placed` when nobody is. */
    outgoing(placing: Promise<Placement>): Closable<OutgoingLeg>;
  };
  /** Asks an edge process to call somebody. Rejects with EdgeUnreachable. */
  readonly dial: (edge: EdgeAddress, request: DialRequest) => Promise<Placement>;
  readonly edges: EdgeProcesses;
  /** Who is registered under a SIP URI; undefined: nobody of ours. Rejects when that cannot be read. */
  readonly devices: DeviceDirectory;
  /** The calls of this worker that orders reach. */
  readonly calls: CallDirectory;
  /** Keeps the worker alive for a call that has become independent of the one that made it. */
  readonly adopt: (run: (shutdown: AbortSignal) => Promise<void>) => void;
  readonly audio: SharedAudioLibrary;
  /** Absent: speech is not recognised here. */
  readonly speech?: SpeechToText | undefined;
  /** A session for one call's requests, signed with this Region's token of the account. */
  readonly webhooks: (accountSid: string, onWarning: (warning: Diagnostic) => void) => WebhookSession;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly publicUrl: string;
  readonly choices: TwimlChoices;
  /** How long the edge takes, at most, to offer a call again: who holds it then is settled. */
  readonly handoverMs: number;
  readonly onAnswer?: () => void;
  readonly onEnd?: (record: CallRecord) => void;
}
