import type { Socket } from 'node:net';
import type { Clock, Timer } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { RegionId } from '../region/region.ts';
import { Channel } from './channel.ts';
import { parseWorkerMessage } from './messages.ts';
import { type Handshake, proof, sameProof } from './proof.ts';
import type { EdgeMessage, WorkerMessage } from './protocol.ts';

/** A connection must have authenticated itself within this time. Our choice. */
const AUTHENTICATION_MS = 3_000;

/** A worker, as the edge process knows it while it is connected. */
export interface WorkerLink {
  readonly worker: string;
  readonly region: RegionId;
  /** `address:port` of the worker's end. */
  readonly remote: string;
}

export interface WorkerSessionOptions {
  readonly secret: string;
  readonly processId: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly heartbeatMs: number;
}

/** One worker's connection: its authentication, then its messages. */
export class WorkerSession {
  /** Set once the worker has authenticated itself. */
  link: WorkerLink | undefined;
  readonly remote: string;
  /** Tells apart two connections of one worker. */
  readonly key: string;
  readonly #o: WorkerSessionOptions;
  readonly #channel: Channel<WorkerMessage, EdgeMessage>;
  readonly #nonce: string;
  readonly #deadline: Timer;

  constructor(
    socket: Socket,
    options: WorkerSessionOptions,
    on: {
      readonly message: (message: WorkerMessage, link: WorkerLink) => void;
      readonly closed: (reason: string) => void;
    },
  ) {
    this.#o = options;
    this.remote = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#nonce = options.ids.token(16);
    this.key = this.#nonce;
    this.#channel = new Channel<WorkerMessage, EdgeMessage>({
      socket,
      clock: options.clock,
      heartbeatMs: options.heartbeatMs,
      parse: parseWorkerMessage,
      onMessage: (message) => {
        if (this.link) on.message(message, this.link);
        else this.#authenticate(message);
      },
      onClosed: (reason) => {
        this.#deadline.cancel();
        on.closed(reason);
      },
    });
    this.#deadline = options.clock.after(AUTHENTICATION_MS, () =>
      this.#channel.close(`it did not authenticate itself within ${AUTHENTICATION_MS} ms`),
    );
    this.send({ type: 'challenge', process: options.processId, nonce: this.#nonce });
  }

  send(message: EdgeMessage): void {
    this.#channel.send(message);
  }

  end(reason: string): void {
    this.#channel.end(reason);
  }

  close(reason: string): void {
    this.#channel.close(reason);
  }

  #authenticate(message: WorkerMessage): void {
    if (message.type !== 'hello') {
      this.#channel.close(`it sent ${message.type} before hello`);
      return;
    }
    const { worker, region, nonce: workerNonce, mac } = message;
    const { secret, processId: process } = this.#o;
    const handshake: Handshake = { process, edgeNonce: this.#nonce, worker, region, workerNonce };
    if (!sameProof(proof(secret, 'worker', handshake), mac)) {
      const reason =
        'the control secrets of worker and edge differ: give both the same TRUNKLINE_CONTROL_SECRET';
      this.#channel.dismiss({ type: 'denied', reason }, reason);
      return;
    }
    this.#deadline.cancel();
    this.link = { worker, region, remote: this.remote };
    this.#channel.trust();
    this.send({ type: 'welcome', mac: proof(secret, 'edge', handshake) });
    this.#o.logger.info({ worker, region, remote: this.remote }, 'a worker connected');
  }
}
