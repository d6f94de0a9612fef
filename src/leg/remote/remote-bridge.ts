import type { LegCommand } from '../../control/protocol.ts';
import type { Clock } from '../../core/clock.ts';
import type { AudioClip, Bridge } from '../port.ts';
import { carriedOut } from './carried-out.ts';
import type { LegLine } from './leg-line.ts';

/**
 * An edge that was relaying goes on until a worker's first frame comes, so that a bridge moves to a worker without a
 * gap. Where no bridge follows, this is that frame: 20 ms, one packet.
 */
const LAST_WORD: AudioClip = { id: 'end-of-bridge', pcm: new Int16Array(160) };

/** The two stay joined in the worker. */
const GENTLY = { gently: true } as const;

/** The bridge that a leg is in. */
const bridges = new WeakMap<LegLine, RemoteBridge>();

/**
 * Two remote legs that hear each other. They are joined in this worker's media host as soon as both have media there.
 * While nothing taps either of them, their edge relays their audio directly instead, without this worker: when both are
 * at one edge process, both peers have answered (before that a format is a guess), and either both or neither of
 * them take telephone events, which the edge passes on but cannot turn into sound. The media host's side stays joined
 * meanwhile, so that the way back has no gap: while a tap begins or ends, each direction changes over in a pause.
 *
 * A bridge that begins as a direct one is joined here only when the edge relays it: what this worker passed on until
 * then would be some frames old, and whoever talks already would lose as much when the edge takes over.
 */
export class RemoteBridge implements Bridge {
  readonly #one: LegLine;
  readonly #other: LegLine;
  readonly #clock: Clock;
  #joined = false;
  /** What the edge was told last. */
  #direct = false;
  /** The edge was told to relay it: each direction may still be on that path, or on its way from it. */
  #relayed = false;
  /** The edge would not relay it. */
  #refused = false;
  #ended: Promise<void> | undefined;

  /** Begins a bridge, in place of those that the legs are in. One of them over: it has ended. */
  static between(one: LegLine, other: LegLine, clock: Clock): RemoteBridge {
    for (const line of [one, other])
      bridges
        .get(line)
        ?.end()
        .catch(() => {}); // it never rejects
    const bridge = new RemoteBridge(one, other, clock);
    bridge.#begin();
    return bridge;
  }

  private constructor(one: LegLine, other: LegLine, clock: Clock) {
    this.#one = one;
    this.#other = other;
    this.#clock = clock;
  }

  end(): Promise<void> {
    this.#ended ??= this.#part();
    return this.#ended;
  }

  #begin(): void {
    for (const line of [this.#one, this.#other]) {
      bridges.set(line, this);
      line.onChange = () => this.#update();
      line.ended.addEventListener('abort', this.#legEnded, { once: true });
    }
    this.#update();
  }

  readonly #legEnded = () => {
    this.end().catch(() => {}); // it never rejects
  };

  #update(): void {
    if (this.#ended !== undefined) return;
    if (this.#one.ended.aborted || this.#other.ended.aborted) return this.#legEnded();
    const one = this.#one.open;
    const other = this.#other.open;
    if (!one || !other) return;
    const direct = this.#mayBeDirect();
    if (!direct) this.#join();
    if (direct === this.#direct) return;
    this.#direct = direct;
    // once joined, the peers may have talked through this worker: what they say next must not overtake that
    const order: LegCommand = direct
      ? { verb: 'bridge', with: other.link.id, ...(this.#joined ? GENTLY : {}) }
      : { verb: 'unbridge', ...(this.#tapped ? GENTLY : {}) }; // otherwise the direct path is of no use any more
    this.#relayed ||= direct;
    one.link.command(order).then(
      () => this.#join(),
      () => {
        // The leg is over, which ends the bridge too, or the edge cannot: then it stays with this worker.
        this.#refused = true;
        this.#update();
      },
    );
  }

  /** In the media host. */
  #join(): void {
    const [one, other] = [this.#one, this.#other];
    if (this.#joined || this.#ended !== undefined || one.ended.aborted || other.ended.aborted) return;
    if (!one.open || !other.open) return;
    this.#joined = true;
    one.open.media.bridge(other.open.media);
  }

  get #tapped(): boolean {
    return this.#one.tapped || this.#other.tapped;
  }

  #mayBeDirect(): boolean {
    const one = this.#one.open;
    const other = this.#other.open;
    if (this.#refused || !one || !other) return false;
    if (!this.#one.answered || !this.#other.answered) return false;
    if (this.#tapped) return false;
    if (one.link.process !== other.link.process) return false;
    return (one.format.dtmfPayloadType === undefined) === (other.format.dtmfPayloadType === undefined);
  }

  async #part(): Promise<void> {
    for (const line of [this.#one, this.#other]) {
      line.ended.removeEventListener('abort', this.#legEnded);
      bridges.delete(line);
      line.onChange = undefined;
    }
    if (this.#joined) this.#one.open?.media.unbridge();
    const left = [this.#one, this.#other].find((line) => !line.ended.aborted);
    if (!this.#relayed || !left?.open) return;
    await carriedOut(left.open.link.command({ verb: 'unbridge' }), this.#clock);
    for (const line of [this.#one, this.#other]) {
      if (!bridges.has(line)) line.play(LAST_WORD, line.ended).catch(() => {}); // it is over, and hears nobody
    }
  }
}
