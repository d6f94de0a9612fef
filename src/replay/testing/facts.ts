import type { CallStatus } from '../../call/record.ts';
import type { Sounds } from '../../leg/simulated/sounds.ts';
import { parametersOf } from '../application/answers.ts';
import type { SeenExchange } from '../application/tested-application.ts';
import type { Chronicle } from '../chronicle.ts';
import type { SimulatedDialer } from '../simulated-dialer.ts';

/** Something that a party heard. Times are virtual milliseconds since the call came in. */
export interface HeardSound {
  readonly at: number;
  /** The words, or the URL of what is played. */
  readonly text: string;
  /** Length; how much of it was heard where it was cut short. */
  readonly ms: number;
  readonly cutShort: boolean;
}

/** A request to the application. */
export interface CallRequest {
  readonly at: number;
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly params: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** HTTP status of the answer; undefined when there was none, and `error` says why. */
  readonly status: number | undefined;
  readonly error: string | undefined;
  /** How long the application really took. */
  readonly realMs: number;
}

/** A call that the call made. */
export interface DialedCall {
  readonly sid: string;
  /** The number, the SIP URI, or the SID of the application. */
  readonly to: string;
  readonly from: string;
  readonly status: CallStatus;
  /** Seconds since it was answered; null as long as it goes on. */
  readonly duration: number | null;
  /** `X-…` headers that it was called with. */
  readonly headers: Readonly<Record<string, string>>;
  readonly heard: readonly HeardSound[];
}

export interface RecordingMade {
  readonly sid: string;
  /** Milliseconds; null while it is being made. */
  readonly ms: number | null;
  /** Why it ended. */
  readonly reason: string | undefined;
}

export function heardSounds({ all }: Sounds): readonly HeardSound[] {
  return all.map(({ at, text, ms, cutAt }) => {
    const cutShort = cutAt < at + ms;
    return { at, text, ms: cutShort ? cutAt - at : ms, cutShort };
  });
}

export function callRequests(seen: readonly SeenExchange[]): readonly CallRequest[] {
  return seen.map(({ at, request, status, error, realMs }) => {
    const { url, method, headers, body = '' } = request;
    return { at, url, method, headers, params: parametersOf(url, body), status, error, realMs };
  });
}

export function dialedCalls({ children }: SimulatedDialer): readonly DialedCall[] {
  return children.map((child) => {
    const { sid, to, from, status, duration } = child.record;
    const { target } = child.order;
    return {
      sid,
      to,
      from,
      status,
      duration: duration === null ? null : Number(duration),
      headers: target.kind === 'sip' ? target.headers : {},
      heard: 'peer' in child.leg ? heardSounds(child.leg.peer.sounds) : [],
    };
  });
}

export function recordingsMade({ recordings }: Chronicle): readonly RecordingMade[] {
  return recordings.map(({ sid, end }) => ({ sid, ms: end?.durationMs ?? null, reason: end?.reason }));
}
