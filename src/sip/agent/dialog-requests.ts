import { type DialogState, glareDelay, nextRequest, refreshed, routeOf } from '../dialog/dialog-state.ts';
import { makeResponse } from '../message/build.ts';
import type { SipResponse } from '../message/message.ts';
import type { ClientTold } from '../transaction/effect.ts';
import { Challenges } from './authorization.ts';
import type { DialogOptions } from './confirmed-dialog.ts';
import { withGiven } from './given.ts';
import type { SipDialog } from './port.ts';
import { ALLOW, type Outgoing } from './stack.ts';

/** How often a re-INVITE refused with 491 is sent again before the 491 is the answer (our choice). */
const MAX_GLARE_RETRIES = 5;

type RequestOptions = NonNullable<Parameters<SipDialog['request']>[1]>;
type HeaderValues = Readonly<Record<string, string>>;

export interface DialogCalls {
  /** Resolves when no 2xx of ours waits for its ACK. */
  readonly idle: () => Promise<void>;
  /** The peer did not answer, or does not know the dialog. */
  readonly lost: (cause: 'timeout' | 'rejected', response: SipResponse) => void;
}

/** What one side of a dialog sends: the CSeq, the route, credentials, and one re-INVITE at a time. */
export class DialogRequests {
  state: DialogState;
  readonly #options: DialogOptions;
  readonly #calls: DialogCalls;
  #inviting = false;
  /** The last re-INVITE in the queue. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: DialogOptions, calls: DialogCalls) {
    this.state = options.state;
    this.#options = options;
    this.#calls = calls;
  }

  /** A re-INVITE of ours has no final response yet: one of the peer's is glare (RFC 3261 §14.2: 491). */
  get inviting(): boolean {
    return this.#inviting;
  }

  async request(method: string, options: RequestOptions): Promise<SipResponse> {
    const response = await this.#attempts(
      (authorization) => this.#once(method, options, authorization),
      method,
    );
    this.#checkLoss(response);
    return response;
  }

  reinvite(body: string): Promise<SipResponse> {
    const turn = this.#queue.then(() => this.#reinviteInTurn(body));
    this.#queue = turn.catch(() => {}); // its caller hears of the failure
    return turn;
  }

  /** Sends the ACK of a 2xx (RFC 3261 §13.2.2.4: the INVITE's number and credentials); the result sends it again. */
  acknowledge(cseq: number, authorization: HeaderValues): () => void {
    return this.#options.stack.transmit(this.#outgoing('ACK', cseq, { headers: authorization }));
  }

  /** A BYE nobody waits for: the agent closes. */
  farewell(): void {
    this.state = nextRequest(this.state);
    this.#options.stack.transmit(this.#outgoing('BYE', this.state.localSeq, {}));
  }

  async #reinviteInTurn(body: string): Promise<SipResponse> {
    for (let retries = 0; ; retries++) {
      await this.#calls.idle();
      if (this.#options.controller.signal.aborted) return noResponse(481);
      const response = await this.#attempts((authorization) => this.#invite(body, authorization), 'INVITE');
      this.#checkLoss(response);
      if (response.status !== 491 || retries === MAX_GLARE_RETRIES) return response;
      await this.#pause(glareDelay(this.#options.caller, this.#options.stack.ids.uint32()));
    }
  }

  /** Sends, and again with credentials when challenged (RFC 3261 §22.2). */
  async #attempts(
    send: (authorization: HeaderValues) => Promise<SipResponse>,
    method: string,
  ): Promise<SipResponse> {
    const { stack, credentials } = this.#options;
    const challenges = new Challenges(credentials, () => stack.ids.token(8));
    let response = await send({});
    while (challenges.take(response)) {
      response = await send(challenges.headers({ method, uri: routeOf(this.state).uri }));
    }
    return response;
  }

  /** RFC 3261 §12.2.1.2: 481 and 408 say that the dialog is gone at the other end. */
  #checkLoss(response: SipResponse): void {
    if (response.status === 481) this.#calls.lost('rejected', response);
    if (response.status === 408) this.#calls.lost('timeout', response);
  }

  #once(method: string, options: RequestOptions, authorization: HeaderValues): Promise<SipResponse> {
    const outgoing = this.#outgoing(method, this.state.localSeq + 1, {
      ...options,
      headers: { ...options.headers, ...authorization },
    });
    this.state = nextRequest(this.state);
    return new Promise((resolve) => {
      this.#options.stack.request(outgoing, (told) => {
        const response = finalOf(told);
        if (response) resolve(response);
      });
    });
  }

  #invite(body: string, authorization: HeaderValues): Promise<SipResponse> {
    this.state = nextRequest(this.state);
    const cseq = this.state.localSeq;
    const { stack, listener } = this.#options;
    const headers = {
      Contact: listener.contact,
      Allow: ALLOW,
      ...authorization,
    };
    const outgoing = this.#outgoing('INVITE', cseq, { headers, body, contentType: 'application/sdp' });
    this.#inviting = true;
    let acknowledge: (() => void) | undefined;
    return new Promise((resolve) => {
      stack.request(outgoing, (told) => {
        const response = finalOf(told);
        if (!response) return;
        if (acknowledge) return acknowledge(); // the 2xx again: so is our ACK
        this.#inviting = false;
        if (response.status < 300) {
          this.state = refreshed(this.state, response);
          acknowledge = this.acknowledge(cseq, authorization);
        }
        resolve(response);
      });
    });
  }

  #outgoing(method: string, cseq: number, options: RequestOptions): Outgoing {
    const { stack, listener, over, flow } = this.#options;
    const { local, remote, callId } = this.state;
    return {
      listener,
      method,
      ...routeOf(this.state),
      over,
      flow,
      headers: withGiven(
        {
          From: local,
          To: remote,
          'Call-ID': callId,
          CSeq: `${cseq} ${method}`,
          'User-Agent': stack.userAgent,
        },
        options.headers,
      ),
      body: options.body,
      contentType: options.contentType,
    };
  }

  /** Waits, or until the dialog ends. */
  #pause(ms: number): Promise<void> {
    const { stack, controller } = this.#options;
    return new Promise((resolve) => {
      const timer = stack.wheel.after(ms, done);
      function done() {
        timer.cancel();
        controller.signal.removeEventListener('abort', done);
        resolve();
      }
      controller.signal.addEventListener('abort', done);
    });
  }
}

/** The final response, with what stands for none (RFC 3261 §8.1.3.1); undefined for a provisional one. */
export function finalOf(told: ClientTold): SipResponse | undefined {
  if (told.kind === 'timeout') return noResponse(408);
  if (told.kind === 'transport-error') return noResponse(503);
  return told.response.status < 200 ? undefined : told.response;
}

function noResponse(status: number): SipResponse {
  return makeResponse(status, undefined, {});
}
