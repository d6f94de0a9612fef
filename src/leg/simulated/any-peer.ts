import type { DtmfKey } from '../port.ts';
import type { Sounds } from './sounds.ts';

/** What the peer does whatever the direction of the call. */
export interface AnyPeer {
  press(key: DtmfKey): void;
  /** Speaks for `ms`; before and after there is silence. `word` is what a bridged party hears. */
  speak(ms: number, word?: string): void;
  /** Says this within `ms`; a recogniser understands it, with this confidence. */
  say(text: string, ms: number, confidence?: number): void;
  /** Sends no RTP for `ms`. */
  vanish(ms: number): void;
  /** Puts the call on hold, `a=inactive` (RFC 3264 §8.4): audio goes neither way, and none is missed. */
  hold(): void;
  resume(): void;
  /** What it hears. */
  readonly sounds: Sounds;
  /** Sends REFER. */
  refer(referTo: string): void;
  /** How it will answer a REFER: its status, then those of its NOTIFYs, the last of which is final. */
  whenReferred(status: number, notifies: readonly number[]): void;
}
