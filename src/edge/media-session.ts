import type { Endpoint, MediaDirection, MediaFormat } from '../media/format.ts';
import { acceptAnswer, answerOffer, continueSession, makeOffer } from '../media/offer-answer.ts';
import type { OfferReply } from '../sip/agent/port.ts';
import type { SipRequest } from '../sip/message/message.ts';

/** Why an offer cannot be answered. */
export interface MediaRefusal {
  readonly status: number;
  readonly code: number;
  readonly reason: string;
}

/** The offer/answer state of one leg at its edge (RFC 3264). */
export interface MediaSession {
  /** What goes into the next 200: the answer to the peer's offer, or our own offer when it made none. */
  readonly localSdp: string;
  readonly format: MediaFormat;
  /** Where the peer's SDP says it listens; undefined until there is one. */
  readonly remote: Endpoint | undefined;
  readonly direction: MediaDirection;
  /** A re-INVITE: with an offer to answer, or without (we offer). A refusal leaves everything as it was. */
  renegotiate(offer: string | undefined): OfferReply;
  /**
   * The peer's answer to our offer; false when it cannot be used. A `provisional` one, in a 18x, may be followed by
   * another: of another fork, or of the same peer that thought better of it.
   */
  acceptAnswer(answer: string, provisional?: boolean): boolean;
}

/** Used for audio until the peer's answer says otherwise: PCMU is the first we offer. */
const OFFERED: MediaFormat = { codec: 'PCMU', payloadType: 0, dtmfPayloadType: 101 };

interface Agreed {
  readonly localSdp: string;
  readonly format: MediaFormat;
  readonly remote: Endpoint | undefined;
  readonly direction: MediaDirection;
}

/** Our address, the relay's port there, and the number that names the session in `o=`. */
export interface LocalEnd {
  readonly address: string;
  readonly port: number;
  readonly sessionId: number;
}

/** A session that begins with our offer: a call that we make, or one that came without an SDP. */
export function offerMedia(local: LocalEnd): MediaSession {
  return sessionFrom(ownOffer(local), local, true);
}

/** A session that begins with the peer's offer; with ours when it made none. */
export function createMediaSession(offer: string | undefined, local: LocalEnd): MediaSession | MediaRefusal {
  if (offer === undefined) return offerMedia(local);
  const first = agree(offer, local);
  return 'status' in first ? first : sessionFrom(first, local, false);
}

const versioned = (local: LocalEnd) => ({ ...local, version: 1 });

function ownOffer(local: LocalEnd): Agreed {
  return {
    localSdp: makeOffer(versioned(local)),
    format: OFFERED,
    remote: undefined,
    direction: 'sendrecv',
  };
}

function agree(peerOffer: string, local: LocalEnd): Agreed | MediaRefusal {
  const answer = answerOffer(peerOffer, versioned(local));
  if (!answer.ok) return answer;
  return {
    localSdp: answer.sdp,
    format: answer.format,
    remote: answer.remote,
    direction: answer.direction,
  };
}

function sessionFrom(first: Agreed, local: LocalEnd, offered: boolean): MediaSession {
  let current = first;
  let offering = offered;

  return {
    get localSdp() {
      return current.localSdp;
    },
    get format() {
      return current.format;
    },
    get remote() {
      return current.remote;
    },
    get direction() {
      return current.direction;
    },
    renegotiate(peerOffer) {
      const next = peerOffer === undefined ? ownOffer(local) : agree(peerOffer, local);
      if ('status' in next)
        return {
          status: next.status,
          headers: { Warning: `399 trunkline "${next.reason.replaceAll('"', "'")}"` },
        };
      const localSdp = continueSession(current.localSdp, next.localSdp);
      offering = peerOffer === undefined;
      // Our own offer changes nothing until it is answered.
      current = { ...(offering ? current : next), localSdp };
      return { status: 200, body: localSdp };
    },
    acceptAnswer(answer, provisional = false) {
      if (!offering) return true; // an SDP in the ACK of an answered offer means nothing (RFC 3261 §13.2.1)
      offering = provisional;
      const accepted = acceptAnswer(current.localSdp, answer);
      if (!accepted.ok) return false;
      current = {
        ...current,
        format: accepted.format,
        remote: accepted.remote,
        direction: accepted.direction,
      };
      return true;
    },
  };
}

/** A body that cannot be an offer (RFC 3261 §8.2.3). */
export function bodyProblem({ headers, body }: SipRequest): MediaRefusal | undefined {
  const type = headers.get('Content-Type')?.split(';')[0]?.trim().toLowerCase();
  if (body === '' || type === 'application/sdp') return undefined;
  return {
    status: 415,
    code: 32102,
    reason: `the body is ${type ?? 'of no stated type'}; expected application/sdp`,
  };
}
