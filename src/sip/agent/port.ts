import type { Endpoint } from '../../media/format.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';

export type TransportName = 'udp' | 'tcp';

/** A bound SIP socket. Everything an agent sends for a call leaves through the listener the call belongs to. */
export interface SipListener {
  readonly transport: TransportName;
  readonly bound: Endpoint;
  /** Written into Via and Contact. */
  readonly advertised: Endpoint;
  /** The owner's label for it: the edge id. */
  readonly label: string;
}

/** Where a message came from. */
export interface SipSource extends Endpoint {
  readonly listener: SipListener;
  /** False once the connection it came over is closed; without a connection never. */
  readonly open?: boolean;
}

/** Why a dialog or an unanswered INVITE ended: the reason of its `ended` signal. */
export class SipEnded extends Error {
  constructor(
    override readonly cause:
      | 'bye' // from the peer
      | 'cancel' // from the peer, before our final response
      | 'local-bye'
      | 'local-cancel'
      | 'refused' // we sent a final response ≥ 300
      | 'rejected' // the peer sent one
      | 'no-target' // the peer answered with a Contact that no request can be sent to: ACK and BYE have been sent
      | 'no-ack' // RFC 3261 §13.3.1.4: 64·T1 without ACK
      | 'unreachable' // no response at all within InviteOptions.silentMs
      | 'timeout' // timer B or F
      | 'transport-error'
      | 'closed', // the agent was shut down
    readonly status?: number,
    /** The request or response that ended it, with its headers, where there was one: a BYE, a CANCEL, a refusal. */
    readonly message_?: SipRequest | SipResponse,
  ) {
    super(`SIP dialog ended: ${cause}${status ? ` (${status})` : ''}`);
    this.name = 'SipEnded';
  }
}

/** By name as it is to be sent; several values are several lines. */
export type GivenHeaders = Readonly<Record<string, string | readonly string[]>>;

export interface ResponseOptions {
  readonly phrase?: string;
  readonly headers?: GivenHeaders;
  readonly body?: string;
  readonly contentType?: string;
  /**
   * Claims that a repetition of the INVITE may be answered anew: a refusal is then sent once and nothing is kept, as
   * long as the peer has been told nothing (RFC 3261 §8.2.7, §26.3.2.4). Otherwise it is repeated until its ACK.
   */
  readonly stateless?: true;
}

/** What the owner of a dialog answers to a re-INVITE (or UPDATE): a final status, with an SDP when 200. */
export interface OfferReply {
  readonly status: number;
  readonly body?: string;
  readonly headers?: GivenHeaders;
}

/** A confirmed dialog, caller's or callee's side (RFC 3261 §12). */
export interface SipDialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly listener: SipListener;
  /** Aborted with a SipEnded. */
  readonly ended: AbortSignal;
  /**
   * Answers a re-INVITE; `offer` is its SDP, undefined when it carried none (then the reply's body is our offer
   * and `onAnswer` receives the ACK's SDP). Without a handler: 488.
   */
  onOffer: ((offer: string | undefined) => OfferReply) | undefined;
  onAnswer: ((answer: string) => void) | undefined;
  /**
   * Any other request within the dialog (INFO, REFER, NOTIFY …): a final status, 202 and a NOTIFY by `request` for a
   * REFER (RFC 3515 §2.4.2, §2.4.4). Without a handler INFO is 200, others 405/501.
   */
  onRequest: ((request: SipRequest) => OfferReply) | undefined;
  /** Sends a re-INVITE with this SDP and resolves with the final response (ACK is sent); glare is retried per §14.1. */
  reinvite(body: string): Promise<SipResponse>;
  /**
   * Sends any other request and resolves with the final response: 408 stands for none, 503 for no way there. A NOTIFY
   * brings Event, Subscription-State and its `message/sipfrag` body as `headers`, `body` and `contentType`.
   */
  request(
    method: string,
    options?: { headers?: Readonly<Record<string, string>>; body?: string; contentType?: string },
  ): Promise<SipResponse>;
  /** Ends the dialog with BYE; resolves with the response's status (408: none). Idempotent. */
  bye(headers?: Readonly<Record<string, string>>): Promise<number>;
}

/** An INVITE that arrived and created a server transaction; 100 Trying has been sent, unless the agent screens. */
export interface InboundInvite {
  readonly request: SipRequest;
  readonly source: SipSource;
  /** Our To tag, the same in every response but a stateless one. */
  readonly localTag: string;
  /** Aborted with a SipEnded: CANCEL (487 has been sent), transport loss, our own refusal, or the dialog's end. */
  readonly ended: AbortSignal;
  /** Sends 100 to an INVITE that was screened and is taken. Once; nothing where it was sent on arrival. */
  trying(): void;
  /** Sends 101–199 (repeatable) or a final 300–699 (once). Does nothing after `ended`. */
  respond(status: number, options?: ResponseOptions): void;
  /**
   * Sends 200 with this SDP, retransmits it until ACK, and resolves with the dialog as soon as the 200 is sent;
   * a missing ACK ends the dialog with `no-ack` (and BYE). `onAnswer` receives an SDP in the ACK.
   */
  accept(body: string, options?: { headers?: Readonly<Record<string, string>> }): SipDialog;
}

/** An INVITE we sent. */
export interface OutboundInvite {
  readonly callId: string;
  /** Each provisional response 101–198, of every fork, in order. */
  onProgress: ((response: SipResponse) => void) | undefined;
  /** Resolves with the confirmed dialog and its 200 (ACK has been sent); rejects with SipEnded on any other end. */
  readonly answered: Promise<{ readonly dialog: SipDialog; readonly response: SipResponse }>;
  /** Rejects `answered` at once, and sends CANCEL (held back until the first provisional response, §9.1); a late 200 is acknowledged and ended with BYE. */
  cancel(): void;
}

export interface InviteOptions {
  /** What it leaves from. Another of the same label takes its place when the URI asks for that one's transport. */
  readonly listener: SipListener;
  /** Request-URI. */
  readonly uri: string;
  /** Overrides where the URI says to send it: from precisely this listener, whatever transport the URI names. */
  readonly destination?: Endpoint;
  /**
   * The flow of a registered device (RFC 5626 §5.3): where its REGISTER came from. The INVITE and everything later in
   * its dialog go there from precisely this listener, whatever URIs say; over TCP only on the connection that is open
   * to it already. A flow that is gone ends the INVITE with `transport-error` (503) at once.
   */
  readonly flow?: Endpoint;
  /** Route values of the INVITE, topmost first: the Path a device registered with (RFC 3327 §5.1). */
  readonly routes?: readonly string[];
  /** Name-addr or addr-spec without tag. */
  readonly from: string;
  readonly to?: string;
  /** Sent as given; one of the agent's own is replaced, except those that make the message part of its dialog. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Answers a 401 and a 407, of the INVITE and of every request in its dialog, once each (RFC 3261 §22). */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** Milliseconds without a response of any kind, 100 included, after which it ends as `unreachable`. */
  readonly silentMs?: number;
  /**
   * Called with the URIs of a 3xx's Contacts in the order of the message, whatever their `q`, once per call: the
   * INVITE goes on to what it returns, with the same Call-ID and To (RFC 3261 §8.1.3.4). Undefined, no Contact that
   * can be read, or another 3xx: `rejected` with the 3xx.
   */
  readonly redirect?: (
    contacts: readonly string[],
  ) => { readonly uri: string; readonly destination?: Endpoint } | undefined;
}

/** What the owner answers to a request outside of dialogs. */
export interface RequestReply extends OfferReply {
  /** Instead of the status's own. */
  readonly phrase?: string;
  /** Claims that a repetition may be asked anew: nothing is kept for it. */
  readonly stateless?: true;
}

/** Counts of what is alive: a leak test compares them before and after. */
export interface AgentCensus {
  readonly serverTransactions: number;
  readonly clientTransactions: number;
  readonly dialogs: number;
  readonly timers: number;
  readonly connections: number;
}

/** A SIP user agent, server and client side, over any number of listeners. */
export interface SipAgent {
  /** Binds a socket; rejects with the system's error (EADDRINUSE …). Port 0 takes a free one. */
  listen(options: {
    readonly transport: TransportName;
    readonly host: string;
    readonly port: number;
    readonly label: string;
    readonly advertise?: string;
  }): Promise<SipListener>;
  onInvite: ((invite: InboundInvite) => void) | undefined;
  /**
   * The owner decides whether an INVITE may come in before the peer is told anything, and says `trying` when it may.
   * Who has had a 100 stops repeating its INVITE, and would wait for ever for a challenge that was sent once and lost.
   */
  screens: boolean;
  /**
   * Out-of-dialog requests other than INVITE, ACK, CANCEL; without a handler OPTIONS is 200 and the rest 405 with Allow.
   * The reply may come later; who sent the request does not wait for longer than 64·T1 (RFC 3261 §17.1.2.2, timer F),
   * and nor does its transaction.
   */
  onRequest:
    | ((request: SipRequest, source: SipSource) => RequestReply | Promise<RequestReply> | undefined)
    | undefined;
  /** A stream connection is over; not called for those that `close` ends. */
  onDisconnected: ((source: SipSource) => void) | undefined;
  /** Messages that could not be parsed, for counters and logs. */
  onMalformed: ((reason: string, source: SipSource) => void) | undefined;
  /** Sends an INVITE. Throws a TypeError for a URI, an address or a header that cannot be sent as given. */
  invite(options: InviteOptions): OutboundInvite;
  census(): AgentCensus;
  /** Refuses new INVITEs with 503 from now on. */
  drain(): void;
  /** Ends every dialog, closes every socket. */
  close(): Promise<void>;
}
