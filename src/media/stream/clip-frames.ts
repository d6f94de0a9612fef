import { FRAME_SAMPLES } from '../frame.ts';
import type { FrameSource, OutgoingFrame } from './outgoing-frame.ts';

/** A clip frame by frame; a last partial frame is filled up with silence. */
export function clipFrames(pcm: Int16Array): FrameSource {
  let at = 0;
  return {
    next(frame: OutgoingFrame) {
      if (at >= pcm.length) return 'none';
      const part = pcm.subarray(at, at + FRAME_SAMPLES);
      at += FRAME_SAMPLES;
      frame.kind = 'audio';
      frame.pcm.set(part);
      frame.pcm.fill(0, part.length);
      return at < pcm.length ? 'more' : 'last';
    },
  };
}

/** A clip over and over: the first sample follows the last one, even in the middle of a frame. It never ends. */
export function loopedFrames(pcm: Int16Array): FrameSource {
  let at = 0;
  return {
    next(frame: OutgoingFrame) {
      frame.kind = pcm.length === 0 ? 'pause' : 'audio';
      for (let filled = 0; pcm.length > 0 && filled < FRAME_SAMPLES; ) {
        const part = pcm.subarray(at, at + FRAME_SAMPLES - filled);
        frame.pcm.set(part, filled);
        filled += part.length;
        at = (at + part.length) % pcm.length;
      }
      return 'more';
    },
  };
}
