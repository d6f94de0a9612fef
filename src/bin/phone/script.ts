import { msOfSamples } from '../../media/frame.ts';
import { clipFrames } from '../../media/stream/clip-frames.ts';
import { digitFrames } from '../../media/stream/digit-frames.ts';
import type { FrameSource } from '../../media/stream/outgoing-frame.ts';

/** One thing this side does, in the order of the command line. */
export type Action =
  /** Keys and pauses; they have been checked. */
  | { readonly kind: 'press'; readonly digits: string }
  | { readonly kind: 'play'; readonly path: string; readonly pcm: Int16Array };

/** When this side begins: a time after the answer, or once the peer has spoken and fallen silent. */
export type Start = { readonly afterMs: number } | 'silence';

export interface ScriptOptions {
  readonly start: Start;
  readonly actions: readonly Action[];
  /** The other side. */
  readonly peer: 'callee' | 'caller';
  /** Keys as RFC 4733 events; otherwise as tones. */
  readonly asEvents: boolean;
  /** Claims that the peer has spoken and is silent now. */
  readonly isPeerSilent: () => boolean;
  readonly report: (text: string) => void;
}

/** The script as frames, in order, each source said aloud when its turn comes. */
export function scriptFrames(options: ScriptOptions): readonly FrameSource[] {
  const { actions, asEvents, peer, report } = options;
  if (actions.length === 0) return [];
  const sources = actions.flatMap((action): FrameSource[] => {
    if (action.kind === 'press') {
      return [...action.digits].map((digit) => {
        const pressed = asEvents
          ? `pressed ${digit}`
          : `pressed ${digit}, as a tone: the ${peer} takes no events`;
        const isPause = digit === 'w' || digit === 'W';
        return announced(digitFrames(digit, asEvents), isPause ? undefined : () => report(pressed));
      });
    }
    const seconds = (msOfSamples(action.pcm.length) / 1_000).toFixed(1);
    return [announced(clipFrames(action.pcm), () => report(`plays ${action.path}, ${seconds} s`))];
  });
  return [waiting(options), ...sources];
}

function waiting({ start, isPeerSilent }: ScriptOptions): FrameSource {
  let frames = start === 'silence' ? 0 : Math.round(start.afterMs / 20);
  return {
    next(frame) {
      frame.kind = 'pause';
      const over = start === 'silence' ? isPeerSilent() : --frames <= 0;
      return over ? 'last' : 'more';
    },
  };
}

function announced(source: FrameSource, begins: (() => void) | undefined): FrameSource {
  let begun = false;
  return {
    next(frame) {
      if (!begun) begins?.();
      begun = true;
      return source.next(frame);
    },
  };
}
