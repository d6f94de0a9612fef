/** The keys of RFC 4733 §3.2 table 3, each at the index that is its event code. */
export const KEYS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'] as const;

export type Key = (typeof KEYS)[number];

/** Length of a telephone-event payload that carries one event. */
export const EVENT_BYTES = 4;

/** The longest duration the field can say; a longer event continues as a new segment, RFC 4733 §2.5.1.3. */
export const LONGEST_EVENT = 0xffff;

/**
 * One named telephone event.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |     event     |E|R| volume    |          duration             |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * ```
 * @see RFC 4733 §2.3
 */
export interface RtpEvent {
  readonly event: number;
  readonly end: boolean;
  /** Attenuation in dB below 0 dBm0, 0 to 63. */
  readonly volume: number;
  /** Timestamp units (1/8000 s) since the event began. */
  readonly duration: number;
}

/** The first event of a telephone-event payload, or `undefined` when it is too short to hold one. */
export function parseEvent(payload: Uint8Array): RtpEvent | undefined {
  const [event, flags, high, low] = payload;
  if (event === undefined || flags === undefined || high === undefined || low === undefined) return undefined;
  return { event, end: (flags & 0x80) !== 0, volume: flags & 0x3f, duration: (high << 8) | low };
}

/** Writes `event` into the first four bytes of `into`. */
export function writeEvent(event: RtpEvent, into: Uint8Array): void {
  into[0] = event.event;
  into[1] = (event.end ? 0x80 : 0) | (event.volume & 0x3f);
  into[2] = event.duration >> 8;
  into[3] = event.duration & 0xff;
}
