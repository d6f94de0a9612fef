import { describe, expect, it } from 'vitest';
import { CommandFailed } from '../../../src/control/link.ts';
import type { LegCommand } from '../../../src/control/protocol.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import { failure } from '../../../src/core/diagnostic.ts';
import { LegEnded } from '../../../src/leg/port.ts';
import { createRemoteLeg } from '../../../src/leg/remote/remote-leg.ts';
import { FakeLink } from './fake-call-link.ts';
import { FakeMediaHost } from './fake-media-host.ts';

const never = new AbortController().signal;
const clip = { id: 'tone', pcm: new Int16Array(8_000) };
const recording = { recordingSid: `RE${'1'.repeat(32)}`, silenceMs: 5_000, maxLengthMs: 60_000, trim: false };

function set(state: 'ringing' | 'answered' = 'ringing') {
  const clock = new VirtualClock();
  const link = new FakeLink(state);
  const host = new FakeMediaHost(clock);
  const leg = createRemoteLeg({ link, media: host, clock });
  const [media] = host.legs;
  if (!media) throw new Error('the leg opened no media');
  return { clock, link, host, leg, media };
}

describe('a remote leg', () => {
  it('opens the media that was granted', () => {
    const { link, host } = set();
    expect(host.opened).toEqual([link.leg.media]);
  });

  it('answers once, and is answered when the edge says so', async () => {
    const { leg, link } = set();
    const edge = link.hold();
    const both = Promise.all([leg.answer(), leg.answer()]);
    expect(leg.state).toBe('ringing');
    edge.resolve();
    await both;
    expect(leg.state).toBe('answered');
    await leg.answer();
    expect(link.commands).toEqual([{ verb: 'answer' }]);
  });

  it('counts an answer whose confirmation is read together with the end', async () => {
    const { leg, link } = set();
    const edge = link.hold();
    const answered = leg.answer();
    edge.resolve();
    link.end(new LegEnded('peer-hangup'));
    await answered;
    expect(leg.ended.reason).toMatchObject({ cause: 'peer-hangup' });
  });

  it('that was granted answered does not answer again', async () => {
    const { leg, link } = set('answered');
    expect(leg.state).toBe('answered');
    await leg.answer();
    expect(link.commands).toEqual([]);
  });

  it('an answer that fails at the edge fails here', async () => {
    const { leg, link } = set();
    link.carryOut = async () => {
      throw new CommandFailed('no media port');
    };
    await expect(leg.answer()).rejects.toThrow('no media port');
    expect(leg.state).toBe('ringing');
  });

  it.each<
    [
      string,
      (leg: ReturnType<typeof set>['leg']) => Promise<void>,
      'ringing' | 'answered',
      LegCommand,
      LegEnded,
    ]
  >([
    [
      'reject',
      (leg) => leg.reject(486, 'Busy'),
      'ringing',
      { verb: 'reject', status: 486, phrase: 'Busy' },
      new LegEnded('rejected', 486),
    ],
    [
      'reject without a phrase',
      (leg) => leg.reject(404),
      'ringing',
      { verb: 'reject', status: 404 },
      new LegEnded('rejected', 404),
    ],
    [
      'reject, once answered,',
      (leg) => leg.reject(486),
      'answered',
      { verb: 'hangup' },
      new LegEnded('local-hangup'),
    ],
    ['hangup', (leg) => leg.hangup(), 'ringing', { verb: 'hangup' }, new LegEnded('local-hangup')],
    [
      'hangup, once answered,',
      (leg) => leg.hangup(),
      'answered',
      { verb: 'hangup' },
      new LegEnded('local-hangup'),
    ],
  ])('%s ends it', async (_, act, state, command, end) => {
    const { leg, link, media } = set(state);
    await act(leg);
    expect(link.commands).toEqual([command]);
    expect(leg.state).toBe('ended');
    expect(leg.ended.reason).toMatchObject({ cause: end.cause, sipStatus: end.sipStatus });
    expect(media.closed).toBe(true);
    link.end(new LegEnded('peer-hangup')); // too late to be the cause
    expect(leg.ended.reason).toMatchObject({ cause: end.cause });
    await leg.hangup();
    expect(link.commands).toHaveLength(1);
  });

  it('a hang-up is not held up by an edge that does not confirm it', async () => {
    const { leg, link, clock } = set('answered');
    link.hold();
    await clock.run(leg.hangup());
    expect(clock.monotonic()).toBe(5_000);
    expect(leg.state).toBe('ended');
  });

  it('a hang-up that crosses the loss of the edge still resolves', async () => {
    const { leg, link, clock } = set('answered');
    const edge = link.hold();
    const hangup = leg.hangup();
    edge.reject(new LegEnded('edge-lost'));
    await hangup;
    expect(clock.pending).toBe(0);
  });

  it.each(['peer-hangup', 'no-ack', 'media-timeout', 'epoch-lost'] as const)(
    'ends with %s when the edge says so',
    (cause) => {
      const { leg, link, media } = set('answered');
      link.end(new LegEnded(cause, 487));
      expect(leg.ended.reason).toMatchObject({ cause, sipStatus: 487 });
      expect(media.closed).toBe(true);
    },
  );

  it('ends with edge-lost when the connection is lost', () => {
    const { leg, link } = set('answered');
    link.lose();
    expect(leg.ended.reason).toMatchObject({ cause: 'edge-lost' });
  });

  it('everything that waits rejects with the end, at once and from then on', async () => {
    const { leg, link } = set('answered');
    using keys = leg.keys();
    const waits = () => [leg.play(clip, never), leg.sendDigits('1', never), keys.next(never)];
    const waiting = Promise.allSettled(waits());
    link.end(new LegEnded('peer-hangup'));
    const reason = leg.ended.reason;
    for (const outcome of await waiting) expect(outcome).toEqual({ status: 'rejected', reason });
    for (const outcome of await Promise.allSettled([...waits(), leg.answer(), leg.reject(486)])) {
      expect(outcome).toEqual({ status: 'rejected', reason });
    }
    const end = await leg.record(recording).ended;
    expect(end).toMatchObject({ reason: 'hangup', durationMs: 0, silent: true, path: undefined });
    expect(link.commands).toEqual([]);
  });

  it('plays to the end, and stops at once when its signal is aborted', async () => {
    const { leg, media, clock } = set('answered');
    const whole = leg.play(clip, never);
    await clock.run(whole);
    expect(media.played).toEqual([{ id: 'tone', finished: true }]);
    const stop = new AbortController();
    const cut = leg.play(clip, stop.signal);
    const reason = new Error('a key was pressed');
    stop.abort(reason);
    await expect(cut).rejects.toBe(reason);
    expect(media.played[1]).toEqual({ id: 'tone', finished: false });
  });

  it('plays again and again until its signal is aborted, when asked to', async () => {
    const { leg, media, clock } = set('answered');
    const stop = new AbortController();
    const ringing = leg.play(clip, stop.signal, { loop: true });
    const outcome = expect(ringing).rejects.toThrow('answered');
    await clock.advance(60_000);
    expect(media.playing).toBe(true);
    stop.abort(new Error('answered'));
    await outcome;
    expect(media.playing).toBe(false);
  });

  it('is heard before it is answered, once', async () => {
    const { leg, link } = set();
    const edge = link.hold();
    const both = Promise.all([leg.progress(), leg.progress()]);
    edge.resolve();
    await both;
    expect(leg.state).toBe('ringing');
    await leg.progress();
    expect(link.commands).toEqual([{ verb: 'progress' }]);
  });

  it('that is answered, or over, is heard already, or never', async () => {
    const { leg, link } = set('answered');
    await leg.progress();
    expect(link.commands).toEqual([]);
    link.end(new LegEnded('peer-hangup'));
    await expect(leg.progress()).rejects.toMatchObject({ cause: 'peer-hangup' });
  });

  it('says what the message that ended it said', () => {
    const { leg, link } = set('answered');
    const diagnostic = failure(32014, 'no audio');
    link.end(new LegEnded('media-timeout', undefined, undefined, { 'X-A': '1' }, diagnostic));
    expect(leg.ended.reason).toMatchObject({ headers: { 'X-A': '1' }, diagnostic });
  });

  it('leaves no listener on signals that live longer than it plays', async () => {
    const { leg, clock } = set('answered');
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    for (let n = 0; n < 20; n++) await clock.run(leg.play(clip, signal));
    expect(listeners).toBe(0);
  });

  it('gives every open key stream every key, buffered until taken', async () => {
    const { leg, media } = set('answered');
    const first = leg.keys();
    media.onKey?.('1');
    using second = leg.keys();
    media.onKey?.('2');
    expect(await first.next(never)).toBe('1');
    expect(first.poll()).toBe('2');
    expect(first.poll()).toBeUndefined();
    first[Symbol.dispose]();
    const next = second.next(never);
    expect(await next).toBe('2');
    const third = second.next(never);
    media.onKey?.('#');
    expect(await third).toBe('#');
    expect(first.poll()).toBeUndefined(); // no longer listening
  });

  it('records, and completes the spool file when the leg ends', async () => {
    const { leg, link, media } = set('answered');
    const active = leg.record(recording);
    link.end(new LegEnded('peer-hangup'));
    expect(await active.ended).toMatchObject({
      reason: 'hangup',
      path: media.spoolPath(recording.recordingSid),
    });
    await leg.close();
    expect(media.closes).toBe(1);
  });

  it('passes a change of codec on to its media', () => {
    const { link, media } = set('answered');
    const format = { codec: 'PCMA', payloadType: 8, dtmfPayloadType: 96 } as const;
    link.onFormat?.(format);
    expect(media.format).toEqual(format);
  });

  it('closing it ends it here without a command', async () => {
    const { leg, link, media } = set('answered');
    await leg.close();
    expect(leg.ended.reason).toMatchObject({ cause: 'local-hangup' });
    expect(media.closed).toBe(true);
    expect(link.commands).toEqual([]);
  });
});
