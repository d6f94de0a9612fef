import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import { failure } from '../core/diagnostic.ts';
import type { Ids } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { MediaFormat } from '../media/format.ts';
import type { ClaimAnswer, ControlHandler, DialAnswer, EdgeEnd } from './handler.ts';
import { legIdOf } from './leg-id.ts';
import { fittingDiagnostic, fittingHeaders, fittingText } from './messages.ts';
import { type OwnedCall, OwnedCalls } from './owned-calls.ts';
import { step } from './ownership.ts';
import type { WorkerMessage } from './protocol.ts';
import { type WorkerLink, WorkerSession } from './worker-session.ts';

export type { ClaimAnswer, ClaimRequest, ControlHandler, DialAnswer, EdgeEnd } from './handler.ts';
export type { WorkerLink };

/** Connections that have not authenticated themselves, at most; more are closed unheard. Our choice. */
const MAX_STRANGERS = 64;

export interface ControlServerOptions {
  /** Shared with the workers. */
  readonly secret: string;
  /** This edge process, as jobs and the registry name it. */
  readonly processId: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /** How often an idle connection is heard from. */
  readonly heartbeatMs: number;
  readonly handler: ControlHandler;
}

/** The edge's end of the control channel. Every `notify…` does nothing when no worker owns the call in this epoch. */
export interface ControlServer {
  /** Rejects with the system's error (EADDRINUSE …); port 0 takes a free one. */
  listen(options: { readonly host: string; readonly port: number }): Promise<{ host: string; port: number }>;
  /** The leg ended. */
  notifyEnded(callSid: string, epoch: number, end: EdgeEnd): void;
  /** The codec of the leg changed. */
  notifyFormat(callSid: string, epoch: number, format: MediaFormat): void;
  /** A provisional response, 100–199, from the peer that is called; `early`: its audio can be heard. */
  notifyProgress(callSid: string, epoch: number, status: number, early: boolean): void;
  /** The peer that is called has answered; `headers` are the `X-…` headers of its 200. */
  notifyAnswered(callSid: string, epoch: number, headers: Readonly<Record<string, string>>): void;
  /** The peer sent REFER. */
  notifyRefer(callSid: string, epoch: number, referTo: string): void;
  /** A NOTIFY of the REFER we sent; `final`: no more will come. */
  notifyReferred(callSid: string, epoch: number, status: number, final: boolean): void;
  census(): { readonly workers: number; readonly strangers: number; readonly calls: number };
  /** Closes every connection without calling `lost`: the edge is going away itself. */
  close(): Promise<void>;
}

export function createControlServer(options: ControlServerOptions): ControlServer {
  if (options.secret === '')
    throw new Error('the control channel needs a secret: set TRUNKLINE_CONTROL_SECRET');
  return new TcpControlServer(options);
}

class TcpControlServer implements ControlServer {
  readonly #o: ControlServerOptions;
  readonly #server: Server;
  readonly #sessions = new Set<WorkerSession>();
  readonly #calls: OwnedCalls;
  #closing = false;

  constructor(options: ControlServerOptions) {
    this.#o = options;
    this.#calls = new OwnedCalls(options.logger);
    this.#server = createServer((socket) => this.#connected(socket));
  }

  listen({ host, port }: { host: string; port: number }): Promise<{ host: string; port: number }> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#o.logger.error({ error }, 'the control socket failed'));
        const bound = this.#server.address();
        resolve({ host, port: typeof bound === 'object' && bound ? bound.port : port });
      });
    });
  }

  notifyEnded(callSid: string, epoch: number, end: EdgeEnd): void {
    const { cause, sipStatus, headers, diagnostic } = end;
    this.#calls.tell({
      type: 'ended',
      callSid,
      epoch,
      cause,
      ...(sipStatus === undefined ? {} : { sipStatus }),
      ...(headers === undefined ? {} : { headers: fittingHeaders(headers) }),
      ...(diagnostic === undefined ? {} : { diagnostic: fittingDiagnostic(diagnostic) }),
    });
  }

  notifyFormat(callSid: string, epoch: number, format: MediaFormat): void {
    this.#calls.tell({ type: 'format', callSid, epoch, format });
  }

  notifyProgress(callSid: string, epoch: number, status: number, early: boolean): void {
    this.#calls.tell({ type: 'progress', callSid, epoch, status, early });
  }

  notifyAnswered(callSid: string, epoch: number, headers: Readonly<Record<string, string>>): void {
    this.#calls.tell({ type: 'answered', callSid, epoch, headers: fittingHeaders(headers) });
  }

  notifyRefer(callSid: string, epoch: number, referTo: string): void {
    this.#calls.tell({ type: 'refer', callSid, epoch, referTo: fittingText(referTo) });
  }

  notifyReferred(callSid: string, epoch: number, status: number, final: boolean): void {
    this.#calls.tell({ type: 'referred', callSid, epoch, status, final });
  }

  census() {
    let workers = 0;
    for (const session of this.#sessions) if (session.link) workers++;
    return { workers, strangers: this.#sessions.size - workers, calls: this.#calls.size };
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#closing = true;
    for (const session of [...this.#sessions]) session.end('this edge process stops');
    await closed;
  }

  #connected(socket: Socket): void {
    if (this.census().strangers >= MAX_STRANGERS) {
      socket.on('error', () => {}); // a stranger's reset is of no interest
      socket.destroy();
      this.#o.logger.warn(
        {},
        `more than ${MAX_STRANGERS} control connections wait to authenticate: one was closed`,
      );
      return;
    }
    const session = new WorkerSession(socket, this.#o, {
      message: (message, link) => this.#receive(session, message, link),
      closed: (reason) => this.#closed(session, reason),
    });
    this.#sessions.add(session);
  }

  #closed(session: WorkerSession, reason: string): void {
    this.#sessions.delete(session);
    const held = this.#calls.lose(session);
    const { link, remote } = session;
    const fields = { remote, worker: link?.worker, calls: held.length };
    const level = link && held.length === 0 ? 'info' : 'warn';
    this.#o.logger[level](fields, `a control connection closed: ${reason}`);
    if (link && !this.#closing) this.#o.handler.lost(link.worker, held);
  }

  #receive(session: WorkerSession, message: WorkerMessage, link: WorkerLink): void {
    try {
      this.#handle(session, message, link);
    } catch (error) {
      this.#o.logger.error({ error, worker: link.worker, message: message.type }, 'a control message failed');
      session.close('handling one of its messages failed');
    }
  }

  #handle(session: WorkerSession, message: WorkerMessage, link: WorkerLink): void {
    switch (message.type) {
      case 'claim':
        this.#claim(session, message, link);
        break;
      case 'dial':
        this.#dial(session, message, link);
        break;
      case 'command':
        this.#command(session, message);
        break;
      case 'ask-related':
        this.#answerRelated(session, message.id, this.#o.handler.related(message.accounts));
        break;
      case 'ask-domain-related': {
        const { id, name, accountSid } = message;
        this.#answerRelated(session, id, this.#o.handler.domainRelated(name, accountSid));
        break;
      }
      case 'release':
        this.#release(session, message);
        break;
      case 'hello':
        session.close('the worker said hello twice');
        break;
      case 'ping':
        break;
    }
  }

  #claim(session: WorkerSession, message: Extract<WorkerMessage, { type: 'claim' }>, link: WorkerLink): void {
    const { callSid, epoch } = message;
    const answer = this.#answerClaim(session, message, link);
    if ('refused' in answer) session.send({ type: 'refused', callSid, epoch, reason: answer.refused });
    else session.send({ type: 'granted', callSid, epoch, ...answer.granted });
  }

  #answerClaim(
    session: WorkerSession,
    { callSid, epoch, media }: Extract<WorkerMessage, { type: 'claim' }>,
    { worker, region, remote }: WorkerLink,
  ): ClaimAnswer {
    const claim = { type: 'claim', epoch, worker: session.key } as const;
    const known = this.#calls.get(callSid);
    if (known && epoch <= known.ownership.epoch) {
      const [, verdict] = step(known.ownership, claim);
      return { refused: verdict === 'superseded' ? verdict : 'taken' };
    }
    const answer = this.#o.handler.claim(
      { callSid, epoch, worker, region, media },
      { worker, region, remote },
    );
    if ('refused' in answer) return answer;
    if (known) this.notifyEnded(callSid, known.ownership.epoch, { cause: 'epoch-lost' });
    this.#calls.hold(session, callSid, epoch);
    return answer;
  }

  /** The call is the worker's from here on, whatever the edge makes of it. */
  #dial(
    session: WorkerSession,
    { request, media }: Extract<WorkerMessage, { type: 'dial' }>,
    link: WorkerLink,
  ): void {
    const callSid = legIdOf(request);
    const { epoch } = request.job;
    const known = this.#calls.get(callSid);
    if (known) {
      const message = `${callSid} is held at this edge already, in epoch ${known.ownership.epoch}`;
      session.send({ type: 'not-dialled', callSid, epoch, diagnostic: failure(12400, message) });
      return;
    }
    const held = this.#calls.hold(session, callSid, epoch, []);
    const asked = async () => this.#o.handler.dial(request, media, link); // a throw becomes a rejection, too
    asked().then(
      (answer) => this.#dialled(held, callSid, answer),
      (error: unknown) => {
        this.#o.logger.error({ error, CallSid: callSid, worker: link.worker }, 'dialling a call failed');
        const message = 'The edge failed while it placed this call: see its log for the CallSid.';
        this.#dialled(held, callSid, { notDialled: failure(12400, message) });
      },
    );
  }

  #dialled(held: OwnedCall, callSid: string, answer: DialAnswer): void {
    if (this.#calls.get(callSid) !== held) return; // released or lost meanwhile
    const { session, ownership } = held;
    const { epoch } = ownership;
    const unsaid = held.unsaid ?? [];
    held.unsaid = undefined;
    if ('notDialled' in answer) {
      this.#calls.delete(callSid);
      const diagnostic = fittingDiagnostic(answer.notDialled);
      session.send({ type: 'not-dialled', callSid, epoch, diagnostic });
      return;
    }
    session.send({ type: 'dialling', callSid, epoch, ...answer.dialling });
    for (const message of unsaid) session.send(message);
  }

  #command(session: WorkerSession, message: Extract<WorkerMessage, { type: 'command' }>): void {
    const { callSid, epoch, id, command } = message;
    const fail = (reason: string) => session.send({ type: 'failed', id, reason });
    const verdict = this.#calls.apply(session, callSid, { type: 'command', epoch, worker: session.key });
    if (verdict !== 'ok') {
      fail(`epoch ${epoch} of ${callSid} is not this worker's: ${verdict}`);
      return;
    }
    this.#o.handler.command(callSid, epoch, command).then(
      ({ status }) => session.send({ type: 'done', id, ...(status === undefined ? {} : { status }) }),
      (error: unknown) => fail(reasonOf(error)),
    );
  }

  #answerRelated(session: WorkerSession, id: number, answer: Promise<boolean>): void {
    answer.then(
      (related) => session.send({ type: 'related', id, related }),
      (error: unknown) => session.send({ type: 'failed', id, reason: reasonOf(error) }),
    );
  }

  #release(session: WorkerSession, { callSid, epoch }: Extract<WorkerMessage, { type: 'release' }>): void {
    const verdict = this.#calls.apply(session, callSid, { type: 'release', epoch, worker: session.key });
    if (verdict !== 'ok') return;
    this.#calls.delete(callSid);
    this.#o.handler.release(callSid, epoch);
  }
}

/** What a worker is told of an error. */
const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error)).slice(0, 1024);
