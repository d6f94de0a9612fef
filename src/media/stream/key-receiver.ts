import { KEYS, type Key, LONGEST_EVENT, parseEvent } from '../rtp-event.ts';

const REMEMBERED = 8; // presses whose stragglers are still recognised

interface Press {
  readonly event: number;
  timestamp: number;
  duration: number;
  ended: boolean;
}

/**
 * Makes key presses of RFC 4733 packets: one per press, at its first packet, whichever that is. All packets of an
 * event carry the timestamp of its beginning (§2.2.1), so updates, the three end packets and stragglers are told
 * by it, and a lost end needs no timer.
 */
export class KeyReceiver {
  #source: number | undefined;
  #presses: Press[] = []; // newest first

  /** The key, when this packet begins a press. */
  packet(source: number, timestamp: number, marker: boolean, payload: Uint8Array): Key | undefined {
    const event = parseEvent(payload);
    const key = event && KEYS[event.event];
    if (!event || key === undefined) return undefined; // flash, tones and the like, §3.2
    if (source !== this.#source) {
      this.#source = source;
      this.#presses = [];
    }
    const known = this.#presses.find((press) => press.timestamp === timestamp && press.event === event.event);
    const press = known ?? this.#continued(event.event, timestamp, event.duration, marker);
    if (press) {
      press.timestamp = timestamp;
      press.duration = event.duration;
      press.ended ||= event.end;
      return undefined;
    }
    const began = { event: event.event, timestamp, duration: event.duration, ended: event.end };
    this.#presses = [began, ...this.#presses.slice(0, REMEMBERED - 1)];
    return key;
  }

  /**
   * The press that goes on under a new timestamp: as a further segment of a long one (§2.5.1.3), or because the
   * sender wrongly advances the timestamp with every update.
   */
  #continued(event: number, timestamp: number, duration: number, marker: boolean): Press | undefined {
    const [press] = this.#presses;
    if (!press || press.ended || marker || press.event !== event) return undefined;
    const advance = (timestamp - press.timestamp) | 0;
    const segment = advance > 0 && advance <= LONGEST_EVENT + 1 && press.duration > LONGEST_EVENT - 1_600;
    const wandering = advance > 0 && advance <= 1_600 && duration > press.duration;
    return segment || wandering ? press : undefined;
  }
}
