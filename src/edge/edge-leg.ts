import type { CommandResult } from '../control/link.ts';
import type { LegCommand } from '../control/protocol.ts';
import type { Logger } from '../core/logger.ts';
import type { Endpoint, MediaFormat } from '../media/format.ts';
import type { RelayLeg } from '../media/threads/port.ts';
import type { OfferReply, SipDialog } from '../sip/agent/port.ts';
import type { SipRequest } from '../sip/message/message.ts';
import type { MediaSession } from './media-session.ts';
import { notifyOf, referNews, referredTo, referTo } from './refer.ts';

/** What a leg has to say to whoever commands it. */
export interface LegNews {
  format(format: MediaFormat): void;
  /** False when nobody commands the leg now: the REFER is refused. */
  refer(referTo: string): boolean;
  referred(status: number, final: boolean): void;
  /** The peer's SDP cannot be used. */
  unusable(): void;
}

type SharedCommand = Extract<LegCommand, { verb: 'bridge' | 'unbridge' | 'refer' | 'notify' }>;

/** What both directions of a call have at their edge: a relay leg, the state of offer and answer, and the dialog. */
export class EdgeLeg {
  readonly #relay: RelayLeg;
  readonly #media: MediaSession;
  readonly #news: LegNews;
  readonly #logger: Logger;
  #dialog: SipDialog | undefined;
  /** The peer waits for the outcome of a REFER. */
  #referring = false;

  constructor(options: {
    readonly relay: RelayLeg;
    readonly media: MediaSession;
    readonly news: LegNews;
    readonly logger: Logger;
    /** No audio for too long on a call that is answered: before that, a peer may well be silent. */
    readonly onSilent: () => void;
  }) {
    this.#relay = options.relay;
    this.#media = options.media;
    this.#news = options.news;
    this.#logger = options.logger;
    options.relay.onSilent = () => {
      if (this.#dialog) options.onSilent();
    };
  }

  get answered(): boolean {
    return this.#dialog !== undefined;
  }

  get localSdp(): string {
    return this.#media.localSdp;
  }

  /** As a worker is told of it. */
  grantedBy(inner: Endpoint) {
    const media = { handle: this.#relay.handle, edge: inner, format: this.#media.format };
    return { state: this.#dialog ? ('answered' as const) : ('ringing' as const), media };
  }

  attach(worker: Endpoint | undefined): void {
    this.#relay.attach(worker);
  }

  /** The dialog is there: its requests are served from now on. */
  confirm(dialog: SipDialog): void {
    this.#dialog = dialog;
    dialog.onOffer = (offer) => {
      const before = this.#media.format;
      const reply = this.#media.renegotiate(offer);
      if (reply.status === 200) this.#point(before);
      return reply;
    };
    dialog.onAnswer = (answer) => {
      const before = this.#media.format;
      if (this.#media.acceptAnswer(answer)) this.#point(before);
      else this.#news.unusable();
    };
    dialog.onRequest = (request) => this.#request(request);
  }

  /** Points the relay where the peer's SDP says, as far as there is one; false: there is none. */
  listen(): boolean {
    this.#point(this.#media.format);
    return this.#media.remote !== undefined;
  }

  /** The peer's answer to our offer, which another may follow while `provisional`; false when it is of no use. */
  hear(answer: string, provisional: boolean): boolean {
    const before = this.#media.format;
    if (!this.#media.acceptAnswer(answer, provisional)) return false;
    this.#point(before);
    return true;
  }

  /** Carries out what is the same in both directions. */
  async command(command: SharedCommand, partner: (callSid: string) => EdgeLeg): Promise<CommandResult> {
    switch (command.verb) {
      case 'bridge':
        this.#relay.bridge(partner(command.with).#relay, { gently: command.gently === true });
        return {};
      case 'unbridge':
        this.#relay.unbridge({ gently: command.gently === true });
        return {};
      case 'refer': {
        const { status } = await this.#confirmed('referred').request('REFER', referTo(command.to));
        return { status };
      }
      case 'notify':
        return this.#notify(command.status);
    }
  }

  /** BYE. */
  bye(headers?: Readonly<Record<string, string>>): void {
    this.#dialog?.bye(headers).catch((error: unknown) => this.#logger.warn({ error }, 'BYE failed'));
  }

  /** The peer is sent nothing more. Repeating it changes nothing. */
  close(): void {
    this.#relay
      .close()
      .catch((error: unknown) => this.#logger.error({ error }, 'closing the media relay failed'));
  }

  #confirmed(what: string): SipDialog {
    if (!this.#dialog) throw new Error(`a call that is not answered cannot be ${what}`);
    return this.#dialog;
  }

  #point(before: MediaFormat): void {
    const { remote, format, direction } = this.#media;
    if (remote) this.#relay.configure(remote, format, direction);
    const changed =
      before.codec !== format.codec ||
      before.payloadType !== format.payloadType ||
      before.dtmfPayloadType !== format.dtmfPayloadType;
    if (changed) this.#news.format(format);
  }

  async #notify(status: number): Promise<CommandResult> {
    const dialog = this.#confirmed('notified');
    if (!this.#referring) throw new Error('the peer waits for no outcome of a REFER');
    if (status >= 200) this.#referring = false;
    const response = await dialog.request('NOTIFY', notifyOf(status));
    return { status: response.status };
  }

  #request(request: SipRequest): OfferReply {
    if (request.method === 'REFER') return this.#refer(request);
    if (request.method === 'NOTIFY') {
      const news = referNews(request);
      if (news) this.#news.referred(news.status, news.final);
      return { status: news ? 200 : 489 }; // RFC 6665 §8.3.2: Bad Event
    }
    if (request.method === 'INFO') return { status: 200 };
    return { status: 405, headers: { Allow: ALLOW } };
  }

  /** RFC 3515 §2.4.2: one Refer-To; 202, then at once a NOTIFY that says 100 (§2.4.4). */
  #refer(request: SipRequest): OfferReply {
    const target = referredTo(request);
    if (target === undefined) return { status: 400 };
    if (this.#referring) return { status: 491 }; // our choice: one transfer at a time
    if (!this.#news.refer(target)) return { status: 480 };
    this.#referring = true;
    // after the 202, which is sent when this returns
    queueMicrotask(() => {
      this.#notify(100).catch((error: unknown) => this.#logger.warn({ error }, 'NOTIFY failed'));
    });
    return { status: 202 };
  }
}

/** Methods that are answered within a dialog (RFC 3261 §20.5). */
const ALLOW = 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REFER, NOTIFY';
