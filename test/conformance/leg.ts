import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AudioClip, DtmfKey, Leg, RecordOptions } from '../../src/leg/port.ts';

/** A ringing leg with a peer to play against. */
export interface LegUnderTest {
  readonly leg: Leg;
  readonly peer: {
    press(key: DtmfKey): void | Promise<void>;
    /** Speaks for `ms` from now; silence otherwise. */
    speak(ms: number): void | Promise<void>;
    /** BYE, or CANCEL while it rings. */
    hangup(): void | Promise<void>;
  };
  /** Lets `ms` pass. */
  elapse(ms: number): Promise<void>;
  /** Awaits something that ends by the passing of time or by the peer's doing. */
  settle<T>(work: Promise<T>): Promise<T>;
  /** Milliseconds now, from any origin. */
  now(): number;
  close(): Promise<void>;
}

const NEVER = new AbortController().signal;

const clip = (ms: number, id = `tone-${ms}`): AudioClip => {
  const pcm = new Int16Array(ms * 8);
  for (let i = 0; i < pcm.length; i++) pcm[i] = 8_000 * Math.sin((2 * Math.PI * 440 * i) / 8_000);
  return { id, pcm };
};

let recordings = 0;
const recording = (options: Partial<RecordOptions> = {}): RecordOptions => ({
  recordingSid: `RE${(++recordings).toString(16).padStart(32, '0')}`,
  silenceMs: 0,
  maxLengthMs: 5_000,
  trim: false,
  ...options,
});

/** The outcome of `work` as a value, so that a rejection is never unhandled while the test goes on. */
const outcomeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );

/** Milliseconds of audio, read to its end. */
async function lengthOf(audio: AsyncIterable<Int16Array>): Promise<number> {
  let samples = 0;
  for await (const pcm of audio) samples += pcm.length;
  return samples / 8;
}

/** In real time, what is over at once is over long before this, and what is not is not: clips last longer. */
const AT_ONCE_MS = 20_000;

/** A media thread that stood still makes up for three frames of what it sends and for a second of what it hears. */
const MADE_UP_MS = { sent: 60, heard: 1_000 };

/**
 * What every adapter of the Leg port must do. In virtual time everything lasts as long as it says; in real time no
 * shorter, and no longer than the clock says it did: a machine may stand still at any moment.
 */
export function legConformance(
  name: string,
  open: () => Promise<LegUnderTest>,
  time: 'virtual' | 'real',
): void {
  const exact = time === 'virtual';
  describe(`${name} conforms to the Leg port`, () => {
    let it_: LegUnderTest;
    beforeEach(async () => {
      it_ = await open();
    });
    afterEach(() => it_.close());

    const answered = async (): Promise<Leg> => {
      await it_.settle(it_.leg.answer());
      return it_.leg;
    };

    const timed = async (work: Promise<unknown>): Promise<number> => {
      const begun = it_.now();
      await it_.settle(outcomeOf(work));
      return it_.now() - begun;
    };

    const expectEnded = (cause: string, sipStatus?: number) => {
      expect(it_.leg.state).toBe('ended');
      expect(it_.leg.ended.aborted).toBe(true);
      expect(it_.leg.ended.reason).toMatchObject({ name: 'LegEnded', cause });
      if (sipStatus !== undefined) expect(it_.leg.ended.reason).toMatchObject({ sipStatus });
    };

    /** A recording that began at `begun` holds at least `ms`, and nothing that did not happen. */
    const expectRecorded = (durationMs: number, ms: number, begun: number) => {
      if (exact) expect(durationMs).toBe(ms);
      expect(durationMs).toBeGreaterThanOrEqual(ms - 100);
      expect(durationMs).toBeLessThanOrEqual(it_.now() - begun + (exact ? 0 : MADE_UP_MS.heard));
    };

    const untilEnded = () =>
      it_.settle(
        new Promise<void>((resolve) => {
          if (it_.leg.ended.aborted) resolve();
          else it_.leg.ended.addEventListener('abort', () => resolve(), { once: true });
        }),
      );

    it('rings, is answered, and may be answered again', async () => {
      expect(it_.leg.state).toBe('ringing');
      await answered();
      expect(it_.leg.state).toBe('answered');
      await it_.settle(it_.leg.answer());
      expect(it_.leg.state).toBe('answered');
    });

    it('is refused with a SIP status', async () => {
      await it_.settle(it_.leg.reject(486, 'Busy Here'));
      expectEnded('rejected', 486);
      await expect(it_.settle(it_.leg.answer())).rejects.toMatchObject({
        name: 'LegEnded',
        cause: 'rejected',
      });
    });

    it('is hung up by a refusal once it was answered', async () => {
      const leg = await answered();
      await it_.settle(leg.reject(486));
      expectEnded('local-hangup');
    });

    it('is hung up once, however often asked', async () => {
      const leg = await answered();
      await it_.settle(leg.hangup());
      await it_.settle(leg.hangup());
      expectEnded('local-hangup');
    });

    it('is hung up while it rings', async () => {
      await it_.settle(it_.leg.hangup());
      expectEnded('local-hangup');
    });

    it('ends when the peer hangs up', async () => {
      await answered();
      await it_.peer.hangup();
      await untilEnded();
      expectEnded('peer-hangup');
    });

    it('ends when the peer gives up while it rings', async () => {
      await it_.peer.hangup();
      await untilEnded();
      expectEnded('peer-cancelled');
    });

    it('plays a clip for as long as it is', async () => {
      const leg = await answered();
      const took = await timed(leg.play(clip(400), NEVER));
      if (exact) expect(took).toBe(400);
      expect(took).toBeGreaterThanOrEqual(380 - MADE_UP_MS.sent); // the last frame takes no turn after it
    });

    it('falls silent at once when playing is aborted, with the reason given', async () => {
      const leg = await answered();
      const stop = new AbortController();
      const reason = new Error('enough');
      const playing = outcomeOf(leg.play(clip(2 * AT_ONCE_MS), stop.signal));
      await it_.elapse(100);
      const begun = it_.now();
      stop.abort(reason);
      expect(await it_.settle(playing)).toEqual({ error: reason });
      expect(it_.now() - begun).toBeLessThanOrEqual(exact ? 0 : AT_ONCE_MS);
      await it_.settle(leg.play(clip(60), NEVER)); // and can play again
    });

    it('refuses to play with an aborted signal', async () => {
      const leg = await answered();
      const reason = new Error('too late');
      await expect(it_.settle(leg.play(clip(100), AbortSignal.abort(reason)))).rejects.toBe(reason);
    });

    it('stops playing when the peer hangs up', async () => {
      const leg = await answered();
      const playing = outcomeOf(leg.play(clip(5_000), NEVER));
      await it_.elapse(60);
      await it_.peer.hangup();
      expect(await it_.settle(playing)).toMatchObject({ error: { name: 'LegEnded', cause: 'peer-hangup' } });
    });

    it('plays and sends nothing once it is over', async () => {
      const leg = await answered();
      await it_.settle(leg.hangup());
      const over = { name: 'LegEnded', cause: 'local-hangup' };
      await expect(it_.settle(leg.play(clip(100), NEVER))).rejects.toMatchObject(over);
      await expect(it_.settle(leg.sendDigits('1', NEVER))).rejects.toMatchObject(over);
      using keys = leg.keys();
      await expect(it_.settle(keys.next(NEVER))).rejects.toMatchObject(over);
    });

    it('sends keys with the pauses asked for', async () => {
      const leg = await answered();
      const took = await timed(leg.sendDigits('1w2', NEVER));
      expect(took).toBeGreaterThanOrEqual(500);
      if (exact) expect(took).toBeLessThanOrEqual(1_300);
    });

    it('hears keys in order and keeps them until they are taken', async () => {
      const leg = await answered();
      using keys = leg.keys();
      await it_.peer.press('1');
      await it_.peer.press('#');
      expect(await it_.settle(keys.next(NEVER))).toBe('1');
      expect(await it_.settle(keys.next(NEVER))).toBe('#');
      expect(keys.poll()).toBeUndefined();
    });

    it('loses no key to a wait that was given up', async () => {
      const leg = await answered();
      using keys = leg.keys();
      const patience = new AbortController();
      const first = outcomeOf(keys.next(patience.signal));
      const reason = new Error('enough');
      patience.abort(reason);
      expect(await it_.settle(first)).toEqual({ error: reason });
      await it_.peer.press('5');
      expect(await it_.settle(keys.next(NEVER))).toBe('5');
    });

    it('tells every listener, and none of what was pressed before', async () => {
      const leg = await answered();
      using early = leg.keys();
      await it_.peer.press('1');
      expect(await it_.settle(early.next(NEVER))).toBe('1');
      using late = leg.keys();
      await it_.peer.press('2');
      expect(await it_.settle(early.next(NEVER))).toBe('2');
      expect(await it_.settle(late.next(NEVER))).toBe('2');
    });

    it('wakes who waits for a key when the peer hangs up', async () => {
      const leg = await answered();
      using keys = leg.keys();
      const waiting = outcomeOf(keys.next(NEVER));
      await it_.peer.hangup();
      expect(await it_.settle(waiting)).toMatchObject({ error: { name: 'LegEnded', cause: 'peer-hangup' } });
    });

    it('hears what the peer says, until a pause', async () => {
      const leg = await answered();
      using speech = leg.listen({ pauseMs: 600, maxMs: 10_000 });
      await it_.peer.speak(1_000);
      const heard = await it_.settle(speech.next(NEVER));
      expect(await it_.settle(heard.ended)).toBe('pause');
      const ms = await it_.settle(lengthOf(heard.audio));
      if (exact) expect(ms).toBe(1_000);
      expect(ms).toBeGreaterThanOrEqual(900);
    });

    it('cuts speech that is too long, and hears the rest as another stretch', async () => {
      const leg = await answered();
      using speech = leg.listen({ pauseMs: 600, maxMs: 500 });
      await it_.peer.speak(1_300);
      const first = await it_.settle(speech.next(NEVER));
      expect(await it_.settle(first.ended)).toBe('too-long');
      const second = await it_.settle(speech.next(NEVER));
      await it_.settle(second.ended);
      expect(await it_.settle(lengthOf(first.audio))).toBeLessThanOrEqual(1_000);
    });

    it('keeps what was said until somebody asks', async () => {
      const leg = await answered();
      using speech = leg.listen({ pauseMs: 300, maxMs: 10_000 });
      const patience = new AbortController();
      const first = outcomeOf(speech.next(patience.signal));
      const reason = new Error('enough');
      patience.abort(reason);
      expect(await it_.settle(first)).toEqual({ error: reason });
      await it_.peer.speak(400);
      await it_.settle(leg.play(clip(1_000), NEVER));
      const heard = await it_.settle(speech.next(NEVER));
      expect(await it_.settle(heard.ended)).toBe('pause');
    });

    it('hears nothing more once nobody listens', async () => {
      const leg = await answered();
      const speech = leg.listen({ pauseMs: 600, maxMs: 10_000 });
      await it_.peer.speak(1_000);
      const heard = await it_.settle(speech.next(NEVER));
      speech[Symbol.dispose]();
      speech[Symbol.dispose]();
      expect(await it_.settle(heard.ended)).toBe('stopped');
      await it_.settle(lengthOf(heard.audio));
    });

    it('ends what is being said when the peer hangs up', async () => {
      const leg = await answered();
      using speech = leg.listen({ pauseMs: 600, maxMs: 10_000 });
      await it_.peer.speak(2_000);
      const heard = await it_.settle(speech.next(NEVER));
      const waiting = outcomeOf(speech.next(NEVER));
      await it_.peer.hangup();
      expect(await it_.settle(heard.ended)).toBe('hangup');
      expect(await it_.settle(waiting)).toMatchObject({ error: { name: 'LegEnded', cause: 'peer-hangup' } });
      using late = leg.listen({ pauseMs: 600, maxMs: 10_000 });
      await expect(it_.settle(late.next(NEVER))).rejects.toMatchObject({ name: 'LegEnded' });
    });

    it('lets the peer hear itself until it is told to stop', async () => {
      const leg = await answered();
      const heardBack = async (): Promise<boolean> => {
        const sent = leg.record(recording({ track: 'outbound', maxLengthMs: 60_000 }));
        const said = leg.record(recording({ silenceMs: 1_200, maxLengthMs: 60_000 }));
        await it_.peer.speak(500);
        expect(await it_.settle(said.ended)).toMatchObject({ reason: 'silence', silent: false });
        sent.stop();
        return !(await it_.settle(sent.ended)).silent;
      };
      const stop = new AbortController();
      const reason = new Error('enough');
      const echoing = outcomeOf(leg.echo(stop.signal));
      await it_.elapse(20);
      expect(await heardBack()).toBe(true);
      stop.abort(reason);
      expect(await it_.settle(echoing)).toEqual({ error: reason });
      expect(await heardBack()).toBe(false);
    });

    it('ends an echo when the peer hangs up, and begins none once it is over', async () => {
      const leg = await answered();
      const echoing = outcomeOf(leg.echo(NEVER));
      await it_.peer.hangup();
      const over = { error: { name: 'LegEnded', cause: 'peer-hangup' } };
      expect(await it_.settle(echoing)).toMatchObject(over);
      expect(await it_.settle(outcomeOf(leg.echo(NEVER)))).toMatchObject(over);
    });

    it('records until it is stopped', async () => {
      const leg = await answered();
      const begun = it_.now();
      const active = leg.record(recording());
      await it_.settle(leg.play(clip(600), NEVER)); // what it hears meanwhile is recorded
      active.stop();
      active.stop();
      const end = await it_.settle(active.ended);
      expect(end).toMatchObject({ reason: 'stopped', channels: 1 });
      expectRecorded(end.durationMs, 600, begun);
    });

    it('records no longer than allowed', async () => {
      const leg = await answered();
      const end = await it_.settle(leg.record(recording({ maxLengthMs: 500 })).ended);
      expect(end.reason).toBe('max-length');
      expect(end.durationMs).toBe(500);
    });

    it('ends a recording after enough silence, counted from the last speech', async () => {
      const leg = await answered();
      const begun = it_.now();
      const active = leg.record(recording({ silenceMs: 1_200 }));
      await it_.peer.speak(500);
      const end = await it_.settle(active.ended);
      expect(end).toMatchObject({ reason: 'silence', silent: false });
      expectRecorded(end.durationMs, 1_700, begun);
    });

    it('cuts silence off both ends when asked to', async () => {
      const leg = await answered();
      const active = leg.record(recording({ silenceMs: 1_200, trim: true }));
      await it_.settle(leg.play(clip(300), NEVER));
      await it_.peer.speak(500);
      const end = await it_.settle(active.ended);
      if (exact) expect(end.storedMs).toBe(500);
      expect(end.storedMs).toBeGreaterThanOrEqual(400);
      // 300 ms before, 1,200 after, of which some may be kept lest a consonant is cut.
      expect(end.storedMs).toBeLessThanOrEqual(end.durationMs - 1_200);
      expect(end.path).toBeDefined();
    });

    it('says that nothing was said', async () => {
      const leg = await answered();
      const end = await it_.settle(leg.record(recording({ silenceMs: 500, trim: true })).ended);
      expect(end).toMatchObject({ reason: 'silence', silent: true });
    });

    it('completes the recording when the peer hangs up', async () => {
      const leg = await answered();
      const active = leg.record(recording());
      await it_.peer.speak(300);
      await it_.elapse(400);
      await it_.peer.hangup();
      const end = await it_.settle(active.ended);
      expect(end).toMatchObject({ reason: 'hangup', silent: false });
      expect(end.path).toBeDefined();
    });
  });
}
