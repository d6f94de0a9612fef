import { FRAME_SAMPLES } from '../frame.ts';
import { EVENT_BYTES } from '../rtp-event.ts';

/** The next 20 ms towards the peer; filled again and again. */
export interface OutgoingFrame {
  /** `pause`: nothing of ours; the edge sends silence. */
  kind: 'audio' | 'event' | 'pause';
  readonly pcm: Int16Array;
  /** A telephone-event payload. */
  readonly event: Uint8Array;
  /** This is the first packet of its event. */
  begins: boolean;
}

export function outgoingFrame(): OutgoingFrame {
  return {
    kind: 'pause',
    pcm: new Int16Array(FRAME_SAMPLES),
    event: new Uint8Array(EVENT_BYTES),
    begins: false,
  };
}

/** Something to send, cut into frames. */
export interface FrameSource {
  /** Fills `frame`. `last`: and that was all of it. `none`: there was nothing left, `frame` is untouched. */
  next(frame: OutgoingFrame): 'more' | 'last' | 'none';
}
