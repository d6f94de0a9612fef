import { FRAME_MS, FRAME_SAMPLES } from '../frame.ts';
import { KEYS, writeEvent } from '../rtp-event.ts';
import { dtmfTone } from '../tones.ts';
import type { FrameSource, OutgoingFrame } from './outgoing-frame.ts';

const TONE_FRAMES = 6; // 120 ms: Q.24 wants at least 40, and carriers' gateways more than 100
const GAP_FRAMES = 5; // 100 ms between keys
const END_PACKETS = 3; // RFC 4733 §2.5.1.4: the final packet is sent three times in all
const VOLUME = 10; // −10 dBm0

/** @see https://www.twilio.com/docs/voice/twiml/play#digits `w` is half a second, `W` a whole one */
const PAUSE_FRAMES: Readonly<Record<string, number>> = { w: 500 / FRAME_MS, W: 1_000 / FRAME_MS };

type Step = (frame: OutgoingFrame) => void;

const pause: Step = (frame) => {
  frame.kind = 'pause';
};

const pauses = (count: number): Step[] => Array.from({ length: Math.max(0, count) }, () => pause);

/** A key as RFC 4733 event: constant timestamp, growing duration, the last packet thrice, then the gap. */
function eventSteps(event: number): Step[] {
  const steps = Array.from({ length: TONE_FRAMES - 1 + END_PACKETS }, (_, index): Step => {
    const duration = Math.min(index + 1, TONE_FRAMES) * FRAME_SAMPLES;
    return (frame) => {
      frame.kind = 'event';
      frame.begins = index === 0;
      writeEvent({ event, end: index >= TONE_FRAMES - 1, volume: VOLUME, duration }, frame.event);
    };
  });
  return [...steps, ...pauses(GAP_FRAMES - (END_PACKETS - 1))];
}

/** A key as its two tones, for peers without telephone-event. */
function toneSteps(key: string): Step[] {
  const pcm = dtmfTone(key, TONE_FRAMES * FRAME_MS);
  const steps = Array.from({ length: TONE_FRAMES }, (_, index): Step => {
    return (frame) => {
      frame.kind = 'audio';
      frame.pcm.set(pcm.subarray(index * FRAME_SAMPLES, (index + 1) * FRAME_SAMPLES));
    };
  });
  return [...steps, ...pauses(GAP_FRAMES)];
}

/** The first character of `digits` that is neither a key nor a pause, or `undefined`. */
export function wrongDigit(digits: string): string | undefined {
  return [...digits].find((digit) => PAUSE_FRAMES[digit] === undefined && eventCode(digit) < 0);
}

function eventCode(digit: string): number {
  return KEYS.map(String).indexOf(digit.toUpperCase());
}

/** Key presses and pauses frame by frame; `digits` must have passed {@link wrongDigit}. */
export function digitFrames(digits: string, asEvents: boolean): FrameSource {
  const steps = [...digits].flatMap((digit) => {
    const frames = PAUSE_FRAMES[digit];
    if (frames !== undefined) return pauses(frames);
    return asEvents ? eventSteps(eventCode(digit)) : toneSteps(digit.toUpperCase());
  });
  let at = 0;
  return {
    next(frame) {
      const step = steps[at++];
      if (!step) return 'none';
      step(frame);
      return at < steps.length ? 'more' : 'last';
    },
  };
}
