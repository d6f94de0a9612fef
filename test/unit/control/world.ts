import { afterEach } from 'vitest';
import type { InboundJob } from '../../../src/call/job.ts';
import { type ControlClient, createControlClient } from '../../../src/control/client.ts';
import type { CommandResult, InboundLink } from '../../../src/control/link.ts';
import type { LegCommand, LegGrant } from '../../../src/control/protocol.ts';
import { type ControlHandler, type ControlServer, createControlServer } from '../../../src/control/server.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import { failure } from '../../../src/core/diagnostic.ts';
import { RandomIds } from '../../../src/core/ids.ts';
import type { Logger } from '../../../src/core/logger.ts';
import { callJob } from '../../support/call-job.ts';

export const SECRET = 'a secret of both';
export const HEARTBEAT_MS = 1_000;
export const inner = { address: '127.0.0.1', port: 40_000 };
export const leg: LegGrant = {
  state: 'ringing',
  media: {
    handle: 7,
    edge: { address: '127.0.0.1', port: 40_002 },
    format: { codec: 'PCMU', payloadType: 0, dtmfPayloadType: 101 },
  },
};

/** What an edge would know, and what it was asked. */
export class Edge implements ControlHandler {
  readonly jobs = new Map<string, InboundJob>();
  readonly log: string[] = [];
  readonly commands: LegCommand[] = [];
  answer: (command: LegCommand) => Promise<CommandResult> = async () => ({});
  dial: ControlHandler['dial'] = async () => ({ notDialled: failure(13224, 'no carrier') });

  offer(fields: Partial<InboundJob> = {}): InboundJob {
    const job = callJob(fields);
    this.jobs.set(job.callSid, job);
    return job;
  }

  claim: ControlHandler['claim'] = ({ callSid, epoch, worker, region }) => {
    const job = this.jobs.get(callSid);
    this.log.push(`claim ${worker} ${region} ${epoch}`);
    if (!job) return { refused: 'gone' };
    return { granted: { job: { ...job, epoch }, leg } };
  };

  related: ControlHandler['related'] = async () => false;
  domainRelated: ControlHandler['domainRelated'] = async () => false;

  async command(_callSid: string, _epoch: number, command: LegCommand): Promise<CommandResult> {
    this.commands.push(command);
    return this.answer(command);
  }

  release(_callSid: string, epoch: number): void {
    this.log.push(`release ${epoch}`);
  }

  lost(worker: string, callSids: readonly string[]): void {
    this.log.push(`lost ${worker} ${callSids.length}`);
  }
}

/** Undone after each test, the latest first. */
export const clean: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of clean.splice(0).reverse()) await step();
});

export function collected(lines: string[]): Logger {
  const line = (_: object, message?: string) => void lines.push(message ?? '');
  const logger: Logger = { debug: line, info: line, warn: line, error: line, child: () => logger };
  return logger;
}

export interface World {
  readonly edge: Edge;
  readonly server: ControlServer;
  readonly address: { process: string; host: string; port: number };
  readonly edgeClock: VirtualClock;
  readonly edgeLog: string[];
}

export async function startEdge(heartbeatMs = HEARTBEAT_MS): Promise<World> {
  const edge = new Edge();
  const edgeClock = new VirtualClock();
  const edgeLog: string[] = [];
  const server = createControlServer({
    secret: SECRET,
    processId: 'edge-1',
    clock: edgeClock,
    ids: new RandomIds(),
    logger: collected(edgeLog),
    heartbeatMs,
    handler: edge,
  });
  const bound = await server.listen({ host: '127.0.0.1', port: 0 });
  clean.push(() => server.close());
  return { edge, server, address: { process: 'edge-1', ...bound }, edgeClock, edgeLog };
}

export function startWorker(
  name = 'worker-1',
  secret = SECRET,
  clock = new VirtualClock(),
  heartbeatMs = HEARTBEAT_MS,
): ControlClient {
  const client = createControlClient({
    secret,
    worker: name,
    region: 'ie1',
    clock,
    ids: new RandomIds(),
    logger: collected([]),
    heartbeatMs,
  });
  clean.push(() => client.close());
  return client;
}

export async function granted(answer: ReturnType<ControlClient['claim']>): Promise<InboundLink> {
  const result = await answer;
  if ('refused' in result) throw new Error(`refused: ${result.refused}`);
  return result;
}
