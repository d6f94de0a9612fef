import { isIP } from 'node:net';
import type { Endpoint, MediaDirection, MediaFormat } from './format.ts';
import {
  type AudioStream,
  type LocalMedia,
  type MediaLine,
  type ReadFault,
  readSession,
  type Session,
  writeSession,
} from './session-description.ts';

export type { LocalMedia } from './session-description.ts';

/** Why a description was not taken: the SIP status to refuse with and Twilio's code for the notification. */
export interface Refusal {
  readonly ok: false;
  /** 400: not a usable SDP. 488: well formed, but nothing in it that we can do (trunks say 415 instead). */
  readonly status: 400 | 488;
  /** 32102 bad SDP, 32103 no SDP. @see https://www.twilio.com/docs/api/errors/32102 */
  readonly code: 32102 | 32103;
  readonly reason: string;
}

/** What both sides agreed on. */
export interface Agreement {
  readonly ok: true;
  readonly format: MediaFormat;
  /** Where to send RTP; port and address mean nothing while `direction` has no sending in it. */
  readonly remote: Endpoint;
  /** Where to send RTCP: `a=rtcp` (RFC 3605) or the next port (RFC 3550 §11). */
  readonly remoteRtcp: Endpoint;
  /** Ours. */
  readonly direction: MediaDirection;
}

/** What we offer when nothing has been agreed yet: both G.711 laws and RFC 4733 events. */
export const OFFERED_FORMATS: readonly MediaFormat[] = [
  { codec: 'PCMU', payloadType: 0, dtmfPayloadType: 101 },
  { codec: 'PCMA', payloadType: 8, dtmfPayloadType: 101 },
];

/**
 * Answers an offer (RFC 3264 §6): the first audio stream with a codec of ours, the first such codec in the offerer's
 * order, telephone-event under the offered number; every other stream is refused with port 0. Never throws.
 *
 * `direction` is what we want; what comes back is that as far as the offer allows.
 */
export function answerOffer(
  offer: string,
  local: LocalMedia,
  direction: MediaDirection = 'sendrecv',
): (Agreement & { readonly sdp: string }) | Refusal {
  const session = readSession(offer);
  if (!session.ok) return refuseUnreadable(session);
  const chosen = choose(session, local);
  if (!chosen.ok) return chosen;
  const { stream, format } = chosen;
  const ours = meet(direction, mirror(effectiveDirection(stream)));
  const lines = session.media.map((media): MediaLine => {
    return media === stream
      ? { kind: 'audio', formats: [format], direction: ours }
      : { kind: 'refused', media };
  });
  return {
    ok: true,
    sdp: writeSession(local, lines),
    format,
    remote: stream.rtp,
    remoteRtcp: stream.rtcp,
    direction: ours,
  };
}

/** An offer with one audio stream in these formats, first preferred: `OFFERED_FORMATS`, or the one agreed for a re-INVITE. */
export function makeOffer(
  local: LocalMedia,
  formats: readonly MediaFormat[] = OFFERED_FORMATS,
  direction: MediaDirection = 'sendrecv',
): string {
  return writeSession(local, [{ kind: 'audio', formats, direction }]);
}

/** What an answer to our `offer` (one that `makeOffer` wrote) agrees to, RFC 3264 §7. No answer makes it throw. */
export function acceptAnswer(offer: string, answer: string): Agreement | Refusal {
  const session = readSession(answer);
  if (!session.ok) return refuseUnreadable(session);
  const ours = readSession(offer);
  const offered = ours.ok ? ours.media[0] : undefined;
  if (!offered?.audio) throw new Error('acceptAnswer: the offer is none that makeOffer wrote');
  const stream = session.media[0];
  if (!stream?.audio || stream.rtp.port === 0) return unacceptable('the peer refused the audio stream');
  const fault = faultOfStream(stream, offered.rtp.address);
  if (fault !== undefined) return unacceptable(fault);
  const format = stream.formats.find((f) => offered.formats.some((o) => o.codec === f.codec));
  if (!format) return unacceptable('the answer has none of the offered codecs');
  const direction = meet(offered.direction, mirror(effectiveDirection(stream)));
  return { ok: true, format, remote: stream.rtp, remoteRtcp: stream.rtcp, direction };
}

/**
 * `next` as the successor of `previous` in one session: the version in `o=` stays when nothing else changed and grows
 * by one when something did (RFC 3264 §8).
 */
export function continueSession(previous: string, next: string): string {
  const before = ORIGIN_VERSION.exec(previous)?.[2];
  if (before === undefined) return next;
  const versioned = (version: number) =>
    next.replace(ORIGIN_VERSION, (_, head: string) => `${head}${version}`);
  return versioned(Number(before)) === previous ? previous : versioned(Number(before) + 1);
}

const ORIGIN_VERSION = /^(o=\S+ \d+ )(\d+)/m;

type Choice = { readonly ok: true; readonly stream: AudioStream; readonly format: MediaFormat } | Refusal;

function choose(session: Session, local: LocalMedia): Choice {
  let reason = 'the offer has no audio stream';
  for (const stream of session.media) {
    if (!stream.audio || stream.rtp.port === 0) continue;
    const fault = faultOfStream(stream, local.address);
    const format = stream.formats[0];
    if (fault === undefined && format) return { ok: true, stream, format };
    reason =
      fault ??
      `no common codec: offered ${stream.payloads || 'none'}, supported are PCMU and PCMA at 8000 Hz`;
  }
  return unacceptable(reason);
}

/** Why this stream can't be joined from `localAddress`. */
function faultOfStream(stream: AudioStream, localAddress: string): string | undefined {
  if (stream.protocol !== 'RTP/AVP') return `transport ${stream.protocol}, only RTP/AVP is supported`;
  const { address } = stream.rtp;
  const family = isIP(address);
  // Our choice: a host name in c= would have to be resolved before the answer; nobody sends one.
  if (family === 0) return `the media address ${JSON.stringify(address)} is no IPv4 or IPv6 address`;
  if (!isUnspecified(address) && family !== isIP(localAddress))
    return `the media address ${address} can't be reached from ${localAddress}`;
  return undefined;
}

const isUnspecified = (address: string) => address === '0.0.0.0' || address === '::';

/** The peer's direction; an unspecified address takes its receiving away: RFC 2543's hold, RFC 3264 §8.4. */
function effectiveDirection(stream: AudioStream): MediaDirection {
  return isUnspecified(stream.rtp.address) ? meet(stream.direction, 'sendonly') : stream.direction;
}

const sends = (d: MediaDirection) => d === 'sendrecv' || d === 'sendonly';
const receives = (d: MediaDirection) => d === 'sendrecv' || d === 'recvonly';

function directionOf(send: boolean, receive: boolean): MediaDirection {
  if (send) return receive ? 'sendrecv' : 'sendonly';
  return receive ? 'recvonly' : 'inactive';
}

/** The same stream from the other side. */
function mirror(direction: MediaDirection): MediaDirection {
  return directionOf(receives(direction), sends(direction));
}

/** What both allow. */
function meet(a: MediaDirection, b: MediaDirection): MediaDirection {
  return directionOf(sends(a) && sends(b), receives(a) && receives(b));
}

function refuseUnreadable(fault: ReadFault): Refusal {
  return { ok: false, status: 400, code: fault.empty ? 32103 : 32102, reason: fault.reason };
}

function unacceptable(reason: string): Refusal {
  return { ok: false, status: 488, code: 32102, reason };
}
