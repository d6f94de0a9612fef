import { connect } from 'node:net';
import type { Clock, Timer } from '../core/clock.ts';
import { failure } from '../core/diagnostic.ts';
import type { Ids } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import { LegEnded } from '../leg/port.ts';
import type { Endpoint } from '../media/format.ts';
import type { RegionId } from '../region/region.ts';
import { Channel } from './channel.ts';
import { type EdgeAddress, EdgeUnreachable } from './edge-address.ts';
import { type CallConnection, ClaimedCall, DialledCall, type HeldCall } from './held-call.ts';
import { legIdOf } from './leg-id.ts';
import { CommandFailed, type CommandResult } from './link.ts';
import { MessageError, parseEdgeMessage, parseWorkerMessage } from './messages.ts';
import { type Handshake, proof, sameProof } from './proof.ts';
import type { DialRequest, EdgeMessage, LegCommand, WorkerMessage } from './protocol.ts';
import { type ClaimAnswer, callKey, type DialAnswer, Unanswered } from './unanswered.ts';

export interface EdgeConnectionOptions {
  readonly secret: string;
  readonly worker: string;
  readonly region: RegionId;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly heartbeatMs: number;
  readonly connectMs: number;
  readonly idleMs: number;
  readonly onClosed: () => void;
}

/** What is said about calls, once both sides trust each other. */
type CallMessage = Exclude<EdgeMessage, { type: 'challenge' | 'welcome' | 'denied' | 'ping' }>;

/** Why an edge would not take the message; it would close the connection, and end every call on it. */
function problemOf(message: WorkerMessage): string | undefined {
  try {
    parseWorkerMessage(message);
    return undefined;
  } catch (error) {
    if (error instanceof MessageError) return error.message;
    throw error;
  }
}

/** One worker's connection to one edge process: handshake, claims, dials, and the calls held through it. */
export class EdgeConnection implements CallConnection {
  readonly #edge: EdgeAddress;
  readonly #o: EdgeConnectionOptions;
  readonly #channel: Channel<EdgeMessage, WorkerMessage>;
  readonly #socketClosed: Promise<void>;
  readonly #connecting: Timer;
  #state: 'connecting' | 'greeting' | 'ready' | 'closed' = 'connecting';
  #handshake: Handshake | undefined;
  #idle: Timer | undefined;
  #stopping = false;
  /** Claims and dials that wait for the handshake. */
  #waiting: WorkerMessage[] = [];
  readonly #unanswered = new Unanswered();
  readonly #held = new Map<string, HeldCall>();

  constructor(edge: EdgeAddress, options: EdgeConnectionOptions) {
    this.#edge = edge;
    this.#o = options;
    const socket = connect({ host: edge.host, port: edge.port });
    this.#socketClosed = new Promise((resolve) => socket.once('close', () => resolve()));
    this.#channel = new Channel<EdgeMessage, WorkerMessage>({
      socket,
      clock: options.clock,
      heartbeatMs: options.heartbeatMs,
      parse: parseEdgeMessage,
      onMessage: (message) => this.#receive(message),
      onClosed: (reason) => this.#closed(reason),
    });
    this.#connecting = options.clock.after(options.connectMs, () =>
      this.#channel.close(`it did not answer within ${options.connectMs} ms`),
    );
  }

  get process(): string {
    return this.#edge.process;
  }

  get calls(): number {
    return this.#held.size;
  }

  claim(callSid: string, epoch: number, media: Endpoint): Promise<ClaimAnswer> {
    const leg = { callSid, epoch };
    if (this.#unanswered.hasClaim(leg) || this.#held.has(callKey(leg))) {
      return Promise.reject(new Error(`epoch ${epoch} of ${callSid} has been claimed before`));
    }
    const answer = this.#unanswered.claim(leg);
    this.#ask({ type: 'claim', ...leg, media });
    return answer;
  }

  dial(request: DialRequest, media: Endpoint): Promise<DialAnswer> {
    const leg = { callSid: legIdOf(request), epoch: request.job.epoch };
    if (this.#unanswered.hasDial(leg) || this.#held.has(callKey(leg))) {
      return Promise.reject(new Error(`epoch ${leg.epoch} of ${leg.callSid} has been dialled before`));
    }
    const message = { type: 'dial', media, request } as const;
    const problem = problemOf(message);
    if (problem !== undefined) {
      return Promise.resolve({ notDialled: failure(12400, `This call cannot be placed: ${problem}`) });
    }
    const answer = this.#unanswered.dial(leg, request);
    this.#ask(message);
    return answer;
  }

  related(accounts: readonly [string, string]): Promise<boolean> {
    return this.#question((id) => ({ type: 'ask-related', id, accounts }));
  }

  domainRelated(name: string, accountSid: string): Promise<boolean> {
    return this.#question((id) => ({ type: 'ask-domain-related', id, name, accountSid }));
  }

  #question(message: (id: number) => WorkerMessage): Promise<boolean> {
    const id = this.#unanswered.nextId();
    const answer = this.#unanswered.question(id);
    this.#ask(message(id));
    return answer;
  }

  #ask(message: WorkerMessage): void {
    this.#idle?.cancel();
    if (this.#state === 'ready') this.#channel.send(message);
    else this.#waiting.push(message);
  }

  command(callSid: string, epoch: number, command: LegCommand): Promise<CommandResult> {
    const id = this.#unanswered.nextId();
    const message = { type: 'command', callSid, epoch, id, command } as const;
    const problem = problemOf(message);
    if (problem !== undefined) return Promise.reject(new CommandFailed(problem));
    const result = this.#unanswered.command(id);
    this.#channel.send(message);
    return result;
  }

  release(callSid: string, epoch: number): Promise<void> {
    this.#held.delete(callKey({ callSid, epoch }));
    return new Promise((resolve) => {
      this.#channel.send({ type: 'release', callSid, epoch }, resolve);
      this.#restIfIdle();
    });
  }

  /** Closes it; calls still held end with `shutdown`. */
  async shutDown(): Promise<void> {
    this.#stopping = true;
    this.#channel.end('this worker stops');
    await this.#socketClosed;
  }

  #restIfIdle(): void {
    if (this.#state !== 'ready' || this.#held.size > 0 || this.#unanswered.asks) return;
    this.#idle?.cancel();
    this.#idle = this.#o.clock.after(this.#o.idleMs, () => this.#channel.end('it was idle'));
  }

  #receive(message: EdgeMessage): void {
    switch (message.type) {
      case 'challenge':
        this.#hello(message.process, message.nonce);
        break;
      case 'welcome':
        this.#welcomed(message.mac);
        break;
      case 'denied':
        this.#channel.close(message.reason);
        break;
      case 'ping':
        break;
      default:
        if (this.#state === 'ready') this.#serve(message);
        else this.#channel.close(`it sent ${message.type} before it authenticated itself`);
    }
  }

  #serve(message: CallMessage): void {
    switch (message.type) {
      case 'granted':
        this.#granted(message);
        break;
      case 'refused':
        this.#unanswered.takeClaim(message)?.resolve({ refused: message.reason });
        this.#restIfIdle();
        break;
      case 'dialling':
        this.#dialling(message);
        break;
      case 'not-dialled':
        this.#unanswered.takeDial(message)?.resolve({ notDialled: message.diagnostic });
        this.#restIfIdle();
        break;
      case 'related':
        this.#unanswered.takeQuestion(message.id)?.resolve(message.related);
        this.#restIfIdle();
        break;
      case 'done':
        this.#unanswered
          .takeCommand(message.id)
          ?.resolve(message.status === undefined ? {} : { status: message.status });
        break;
      case 'failed':
        (this.#unanswered.takeCommand(message.id) ?? this.#unanswered.takeQuestion(message.id))?.reject(
          new CommandFailed(message.reason),
        );
        this.#restIfIdle();
        break;
      default:
        this.#held.get(callKey(message))?.happened(message);
    }
  }

  #hello(process: string, edgeNonce: string): void {
    if (this.#state !== 'connecting') {
      this.#channel.close('it challenged twice');
      return;
    }
    const { worker, region, secret, ids } = this.#o;
    const handshake = { process, edgeNonce, worker, region, workerNonce: ids.token(16) };
    this.#handshake = handshake;
    this.#state = 'greeting';
    const mac = proof(secret, 'worker', handshake);
    this.#channel.send({ type: 'hello', worker, region, nonce: handshake.workerNonce, mac });
  }

  #welcomed(mac: string): void {
    const handshake = this.#handshake;
    if (this.#state !== 'greeting' || !handshake) {
      this.#channel.close('it welcomed before it was greeted');
    } else if (!sameProof(proof(this.#o.secret, 'edge', handshake), mac)) {
      this.#channel.close('it does not know the control secret: give both the same TRUNKLINE_CONTROL_SECRET');
    } else if (handshake.process !== this.#edge.process) {
      this.#replaced(handshake.process);
    } else {
      this.#connecting.cancel();
      this.#state = 'ready';
      this.#channel.trust();
      for (const message of this.#waiting.splice(0)) this.#channel.send(message);
    }
  }

  /** Another process listens there now: the one that held the calls is gone, and they with it. */
  #replaced(process: string): void {
    this.#unanswered.refuseClaims('gone');
    this.#channel.end(`${process} listens there now`);
  }

  #granted(message: Extract<EdgeMessage, { type: 'granted' }>): void {
    const claim = this.#unanswered.takeClaim(message);
    if (!claim) {
      this.#channel.close(`it granted ${message.callSid}, which nobody claimed`);
      return;
    }
    const call = new ClaimedCall(this, message.epoch, message.job, message.leg);
    this.#held.set(callKey(message), call);
    claim.resolve(call);
  }

  #dialling(message: Extract<EdgeMessage, { type: 'dialling' }>): void {
    const dial = this.#unanswered.takeDial(message);
    if (!dial) {
      this.#channel.close(`it dials ${message.callSid}, which nobody asked for`);
      return;
    }
    const call = new DialledCall(this, dial.request, message.leg, message.sipCallId);
    this.#held.set(callKey(message), call);
    dial.resolve(call);
  }

  #closed(reason: string): void {
    this.#state = 'closed';
    this.#connecting.cancel();
    this.#idle?.cancel();
    this.#o.onClosed();
    const calls = [...this.#held.values()];
    const fields = {
      process: this.#edge.process,
      host: this.#edge.host,
      port: this.#edge.port,
      calls: calls.length,
    };
    const level = calls.length === 0 || this.#stopping ? 'info' : 'error';
    this.#o.logger[level](fields, `the connection to an edge process closed: ${reason}`);
    this.#held.clear();
    const end = new LegEnded(
      this.#stopping ? 'shutdown' : 'edge-lost',
      undefined,
      `the edge is lost: ${reason}`,
    );
    for (const call of calls) call.lose(end);
    this.#unanswered.rejectAll(new EdgeUnreachable(this.#edge, reason), end);
  }
}
