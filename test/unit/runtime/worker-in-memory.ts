import { STANDARD_CHOICES } from '../../../src/call/choices.ts';
import type { CallJob, OutboundJob } from '../../../src/call/job.ts';
import type { CallRecord } from '../../../src/call/record.ts';
import type { CallbackTask, StorageTask } from '../../../src/call/tasks.ts';
import type { TimelineEvent } from '../../../src/call/timeline.ts';
import { createMemoryRegionalConfig } from '../../../src/config/memory.ts';
import { type EdgeAddress, EdgeUnreachable } from '../../../src/control/client.ts';
import { legIdOf } from '../../../src/control/leg-id.ts';
import type { CommandResult, InboundLink, OutgoingLink } from '../../../src/control/link.ts';
import type { DialRequest, LegCommand, LegGrant } from '../../../src/control/protocol.ts';
import { createMemoryEdgeRegistry } from '../../../src/control/registry.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import type { Diagnostic } from '../../../src/core/diagnostic.ts';
import { CountingIds } from '../../../src/core/ids.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { DtmfKey } from '../../../src/leg/port.ts';
import {
  type ActiveRecording,
  type AudioClip,
  type LegEndCause,
  LegEnded,
  type RecordingEnd,
  type RecordOptions,
} from '../../../src/leg/port.ts';
import { createOutgoingLeg } from '../../../src/leg/remote/outgoing-leg.ts';
import { createRemoteLeg } from '../../../src/leg/remote/remote-leg.ts';
import type { MediaHost, MediaLeg } from '../../../src/media/threads/port.ts';
import { createMemoryTaskQueue } from '../../../src/queue/memory/task-queue.ts';
import { EDGE_IDS } from '../../../src/region/edge.ts';
import { REGIONS } from '../../../src/region/region.ts';
import { CallDirectory } from '../../../src/runtime/call-directory.ts';
import type { CallParts } from '../../../src/runtime/call-parts.ts';
import { createDeviceDirectory } from '../../../src/runtime/device-directory.ts';
import { createEdgeProcesses } from '../../../src/runtime/edge-processes.ts';
import { createMemoryCallStore } from '../../../src/storage/memory/call-store.ts';
import type { WebhookRequest, WebhookResult } from '../../../src/webhook/port.ts';
import { callJob } from '../../support/call-job.ts';

const GRANT: Omit<LegGrant, 'state'> = {
  media: {
    handle: 1,
    edge: { address: '127.0.0.1', port: 4000 },
    format: { codec: 'PCMU', payloadType: 0, dtmfPayloadType: 101 },
  },
};

/** A call's link whose edge is the test. */
class FakeLink<J extends CallJob> {
  readonly commands: LegCommand[] = [];
  leg: LegGrant;
  readonly process: string;
  readonly job: J;
  readonly id: string;
  released = false;
  onEnded: ((end: LegEnded) => void) | undefined;
  onRefer: ((referTo: string) => void) | undefined;
  onReferred: ((status: number, final: boolean) => void) | undefined;
  onFormat: undefined;
  readonly #losing = new AbortController();

  constructor(job: J, process: string, id: string = job.callSid, handle: number = GRANT.media.handle) {
    this.job = job;
    this.id = id;
    this.process = process;
    this.leg = { state: 'ringing', media: { ...GRANT.media, handle } };
  }

  get lost(): AbortSignal {
    return this.#losing.signal;
  }

  async command(command: LegCommand): Promise<CommandResult> {
    this.commands.push(command);
    return {};
  }

  async release(): Promise<void> {
    this.released = true;
  }

  end(cause: LegEndCause, sipStatus?: number, headers = {}, diagnostic?: Diagnostic): void {
    this.onEnded?.(new LegEnded(cause, sipStatus, undefined, headers, diagnostic));
  }
}

export class FakeInbound extends FakeLink<ReturnType<typeof callJob>> implements InboundLink {
  /** As it is granted to a worker that takes it over. */
  wasAnswered(): this {
    this.leg = { ...this.leg, state: 'answered' };
    return this;
  }
}

/** A call that the edge was asked to make. */
export class FakeOutgoing extends FakeLink<OutboundJob> implements OutgoingLink {
  readonly sipCallId: string;
  readonly request: DialRequest;
  onProgress: ((status: number, early: boolean) => void) | undefined;
  onAnswered: ((headers: Readonly<Record<string, string>>) => void) | undefined;

  constructor(request: DialRequest, process: string) {
    super(request.job, process, legIdOf(request), 10 + (request.fork ?? 0));
    this.request = request;
    this.sipCallId = `${this.id}@edge`;
  }

  ring(status = 180, early = false): void {
    this.onProgress?.(status, early);
  }

  answer(headers: Readonly<Record<string, string>> = {}): void {
    this.onAnswered?.(headers);
  }
}

/** Recordings and audio without a thread: what was done with them. */
class FakeMedia implements MediaHost {
  readonly inner = { address: '127.0.0.1', port: 5000 };
  readonly recordings: { readonly options: RecordOptions; readonly done: string[] }[] = [];
  /** Handles of the legs that have media, in this order. */
  readonly opened: number[] = [];
  readonly digits: string[] = [];
  readonly played: string[] = [];
  #newest: MediaLeg | undefined;

  /** A key that the party of the newest leg presses. */
  press(key: DtmfKey): void {
    this.#newest?.onKey?.(key);
  }

  open({ handle }: LegGrant['media']): MediaLeg {
    const host = this;
    this.opened.push(handle);
    const ends = new Set<(reason: RecordingEnd['reason']) => void>();
    const leg: MediaLeg = {
      onKey: undefined as ((key: DtmfKey) => void) | undefined,
      async play(clip: AudioClip) {
        host.played.push(clip.id);
      },
      async sendDigits(digits) {
        host.digits.push(digits);
      },
      listen: () => ({ [Symbol.dispose]: () => {} }),
      record(options): ActiveRecording {
        const done: string[] = [];
        host.recordings.push({ options, done });
        let end: (reason: RecordingEnd['reason']) => void = () => {};
        const ended = new Promise<RecordingEnd>((resolve) => {
          end = (reason) =>
            resolve({
              reason,
              durationMs: 5_000,
              storedMs: 5_000,
              channels: options.channels ?? 1,
              silent: false,
              path: `/spool/${options.recordingSid}.wav`,
            });
        });
        ends.add(end);
        return {
          ended,
          stop: () => end('stopped'),
          pause: (behavior) => void done.push(`pause ${behavior}`),
          resume: () => void done.push('resume'),
        };
      },
      echo() {},
      bridge() {},
      unbridge() {},
      configure() {},
      async close() {
        for (const end of ends) end('hangup');
      },
    };
    this.#newest = leg;
    return leg;
  }

  async census() {
    return { legs: 0, recordings: 0, clips: 0 };
  }

  async close() {}
}

/** A call worker of ie1 whose stores are memory, whose edge and application are the test. */
export function createWorker() {
  const clock = new VirtualClock(Date.UTC(2026, 10, 3, 9, 30));
  const store = createMemoryCallStore(clock);
  const storage = createMemoryTaskQueue<StorageTask>(clock);
  const callbacks = createMemoryTaskQueue<CallbackTask>(clock);
  const config = createMemoryRegionalConfig('ie1', { clock });
  const registry = createMemoryEdgeRegistry({ clock });
  const media = new FakeMedia();
  const calls = new CallDirectory();
  const requests: WebhookRequest[] = [];
  const links: FakeOutgoing[] = [];
  const asked: { readonly edge: EdgeAddress; readonly request: DialRequest }[] = [];
  const adopted = new Set<Promise<void>>();
  const shutdown = new AbortController();
  const ended: CallRecord[] = [];
  const world = {
    /** What an edge says of a dial, instead of calling. */
    refusal: undefined as Diagnostic | undefined,
    unreachable: new Set<string>(),
    related: (_accounts: readonly [string, string]): boolean => false,
    /** By URL; others answer 404. */
    documents: new Map<string, string>(),
  };

  const edges = createEdgeProcesses({ registry, clock, logger: silentLogger });
  const parts: CallParts = {
    worker: 'worker-1',
    region: REGIONS.ie1,
    choices: STANDARD_CHOICES,
    store,
    config,
    storage,
    callbacks,
    legs: {
      inbound: (link) => createRemoteLeg({ link, media, clock }),
      outgoing: (link) => createOutgoingLeg({ link, media, clock }),
    },
    async dial(edge, request) {
      asked.push({ edge, request });
      if (world.unreachable.has(edge.process)) throw new EdgeUnreachable(edge, 'it is gone');
      if (world.refusal) return { notDialled: world.refusal };
      const link = new FakeOutgoing(request, edge.process);
      links.push(link);
      return link;
    },
    edges,
    devices: createDeviceDirectory({
      config,
      domain: 'trunkline.localhost',
      control: {
        related: async (_edge, accounts) => world.related(accounts),
        domainRelated: async () => false,
      },
      edges,
      homeEdge: 'dublin',
    }),
    calls,
    adopt(run) {
      const work = run(shutdown.signal).finally(() => adopted.delete(work));
      adopted.add(work);
    },
    audio: {
      async speech(text) {
        return { clip: { id: text, pcm: new Int16Array(0) }, diagnostics: [] };
      },
      async media(url) {
        return { id: url, pcm: new Int16Array(0) };
      },
      async decode() {
        return { id: 'decoded', pcm: new Int16Array(0) };
      },
    },
    webhooks: () => ({
      async fetch(request) {
        requests.push(request);
        return answer(request, world.documents.get(request.url));
      },
    }),
    clock,
    ids: new CountingIds(),
    logger: silentLogger,
    publicUrl: 'http://127.0.0.1:8082',
    handoverMs: 5_000,
    onEnd: (record) => ended.push(record),
  };

  return Object.assign(world, {
    parts,
    clock,
    store,
    storage,
    callbacks,
    config,
    registry,
    media,
    calls,
    requests,
    links,
    asked,
    adopted,
    shutdown,
    ended,
    /** One edge process, edge-1, that serves every edge. */
    async startEdge(process = 'edge-1', edges: readonly (typeof EDGE_IDS)[number][] = EDGE_IDS) {
      await registry.announce({ process, edges, host: '127.0.0.1', port: 7000 }, 3_600_000);
    },
    inbound(fields: Parameters<typeof callJob>[0] = {}) {
      return new FakeInbound(callJob({ createdAt: clock.now(), ...fields }), 'edge-1');
    },
    /** Lets everything happen that is due, and what is written a little later. */
    settle: () => clock.advance(100),
    /** The newest call that the edge was asked to make. */
    link(index = -1): FakeOutgoing {
      const link = links.at(index);
      if (!link) throw new Error('the edge was not asked to call anybody');
      return link;
    },
    async record(callSid: string): Promise<CallRecord> {
      const record = await store.fetch(callSid);
      if (!record) throw new Error(`no record of ${callSid}`);
      return record;
    },
    async timeline(callSid: string): Promise<readonly TimelineEvent['type'][]> {
      return (await store.timeline(callSid)).map(({ type }) => type);
    },
    /** Number, event and SIP status of the status callbacks to `url`, in the order they were queued. */
    told(url = 'https://example.com/progress') {
      return callbacks.added
        .filter((task) => task.url === url)
        .map(({ params: p }) =>
          [p['SequenceNumber'], p['CallStatus'], p['SipResponseCode']]
            .filter((part) => part !== undefined)
            .join(' '),
        );
    },
  });
}

export type TestWorker = ReturnType<typeof createWorker>;

function answer(request: WebhookRequest, body: string | undefined): WebhookResult {
  const status = body === undefined ? 404 : 200;
  const attempt = { url: request.url, method: request.method, attempt: 1, ms: 1, status };
  if (body === undefined) {
    const diagnostic = {
      code: 11200,
      level: 'error',
      message: `${request.url} answered 404`,
      docs: '',
    } as const;
    return { ok: false, diagnostic, attempts: [attempt] };
  }
  const response = { url: request.url, status, contentType: 'text/xml', body: Buffer.from(body) };
  return { ok: true, response, attempts: [attempt] };
}
