import { describe, expect, it } from 'vitest';
import type { OutgoingLink } from '../../../src/control/link.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import { type Diagnostic, failure } from '../../../src/core/diagnostic.ts';
import { LegEnded } from '../../../src/leg/port.ts';
import { createOutgoingLeg } from '../../../src/leg/remote/outgoing-leg.ts';
import { FakeOutgoingLink } from './fake-call-link.ts';
import { FakeMediaHost } from './fake-media-host.ts';

const never = new AbortController().signal;
const clip = { id: 'tone', pcm: new Int16Array(8_000) };
const recording = { recordingSid: `RE${'1'.repeat(32)}`, silenceMs: 5_000, maxLengthMs: 60_000, trim: false };
const hangup = { verb: 'hangup' };

/** A leg whose edge has not answered the dial yet. */
function set() {
  const clock = new VirtualClock();
  const host = new FakeMediaHost(clock);
  const link = new FakeOutgoingLink();
  let resolve: (answer: OutgoingLink | { readonly notDialled: Diagnostic }) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const answer = new Promise<OutgoingLink | { readonly notDialled: Diagnostic }>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  const leg = createOutgoingLeg({ link: answer, media: host, clock });
  const settle = () => clock.advance(0);
  const dialling = async () => {
    resolve(link);
    await settle();
    const [media] = host.legs;
    if (!media) throw new Error('the leg opened no media');
    return media;
  };
  return { clock, host, link, leg, resolve, reject, settle, dialling };
}

describe('a leg whose edge has not answered the dial', () => {
  it('rings already, and has its media and its Call-ID when the edge has', async () => {
    const { leg, link, host, dialling } = set();
    expect([leg.state, leg.sipCallId, host.opened]).toEqual(['ringing', '', []]);
    await dialling();
    expect([leg.state, leg.sipCallId, host.opened]).toEqual(['ringing', 'abc@dublin', [link.leg.media]]);
  });

  it('is hung up at once here, and at the edge as soon as it has the call', async () => {
    const { leg, link, host, resolve, clock, settle } = set();
    let done = false;
    const over = leg.hangup().then(() => {
      done = true;
    });
    expect(leg.ended.reason).toMatchObject({ cause: 'local-hangup' });
    await expect(leg.answered).rejects.toBe(leg.ended.reason);
    expect([link.commands, done]).toEqual([[], false]);
    const edge = link.hold();
    resolve(link);
    await settle();
    expect([link.commands, done]).toEqual([[hangup], false]);
    edge.resolve();
    await over;
    expect(host.opened).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('is hung up at the edge also when nobody waits for that any more', async () => {
    const { leg, link, resolve, clock, settle } = set();
    await clock.run(leg.hangup());
    expect(clock.monotonic()).toBe(5_000);
    resolve(link);
    await settle();
    expect(link.commands).toEqual([hangup]);
  });

  it.each([
    ['not dialled', (it: ReturnType<typeof set>) => it.resolve({ notDialled: failure(13224, 'no carrier') })],
    ['unreachable', (it: ReturnType<typeof set>) => it.reject(new Error('edge-1 cannot be reached'))],
  ])('needs no hang-up when it turns out to be %s', async (_, answer) => {
    const current = set();
    const over = current.leg.hangup();
    answer(current);
    await over;
    expect(current.link.commands).toEqual([]);
    expect(current.leg.ended.reason).toMatchObject({ cause: 'local-hangup' });
  });

  it('ends as not placed when no edge could be asked', async () => {
    const { leg, reject, settle } = set();
    reject(new Error('edge-1 cannot be reached'));
    await settle();
    const diagnostic = { code: 12400, message: expect.stringContaining('edge-1 cannot be reached') };
    expect(leg.ended.reason).toMatchObject({ cause: 'not-placed', diagnostic });
    await expect(leg.answered).rejects.toMatchObject({ cause: 'not-placed' });
    await leg.close();
  });

  it('plays and sends keys when it can', async () => {
    const { leg, clock, dialling } = set();
    const playing = leg.play(clip, never);
    const stop = new AbortController();
    const cut = leg.play({ ...clip, id: 'cut' }, stop.signal);
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(cut).rejects.toBe(reason);
    const sending = leg.sendDigits('1', never);
    const media = await dialling();
    await clock.run(Promise.all([playing, sending]));
    expect(media.played).toEqual([{ id: 'tone', finished: true }]);
    expect(media.sent).toEqual(['1']);
  });

  it('plays nothing when it ends before', async () => {
    const { leg, resolve, settle } = set();
    const playing = expect(leg.play(clip, never)).rejects.toMatchObject({ cause: 'not-placed' });
    resolve({ notDialled: failure(13224, 'no carrier') });
    await settle();
    await playing;
  });

  it('hears keys from when it has media', async () => {
    const { leg, dialling } = set();
    using keys = leg.keys();
    const media = await dialling();
    media.receiveKey('5');
    expect(await keys.next(never)).toBe('5');
  });

  it('begins to record when it can', async () => {
    const { leg, clock, dialling } = set();
    const active = leg.record({ ...recording, maxLengthMs: 2_000 });
    await clock.advance(10_000);
    const media = await dialling();
    expect(media.recordings).toBe(1);
    media.receive('hello');
    const end = await clock.run(active.ended);
    expect(end).toMatchObject({ reason: 'max-length', durationMs: 2_000, silent: false });
  });

  it('keeps in mind that a recording is paused', async () => {
    const { leg, dialling } = set();
    const paused = leg.record(recording);
    paused.pause('silence');
    const resumed = leg.record(recording);
    resumed.pause('skip');
    resumed.resume();
    const media = await dialling();
    expect(media.paused).toEqual(['silence']);
    paused.resume();
    paused.stop();
    expect(media.paused).toEqual(['silence', 'resumed']);
    expect(await paused.ended).toMatchObject({ reason: 'stopped' });
  });

  it('has recorded nothing when it ends, or the recording is stopped, before', async () => {
    const { leg, resolve, settle } = set();
    const stopped = leg.record(recording);
    const cut = leg.record({ ...recording, track: 'both', channels: 2 });
    stopped.stop();
    stopped.stop();
    const nothing = { durationMs: 0, storedMs: 0, silent: true, path: undefined };
    expect(await stopped.ended).toEqual({ ...nothing, reason: 'stopped', channels: 1 });
    resolve({ notDialled: failure(13224, 'no carrier') });
    await settle();
    expect(await cut.ended).toEqual({ ...nothing, reason: 'hangup', channels: 2 });
    cut.stop();
  });

  it('opens no media once it was closed', async () => {
    const { leg, link, host, resolve, settle } = set();
    await leg.close();
    resolve(link);
    await settle();
    expect(host.opened).toEqual([]);
    expect(link.commands).toEqual([]); // releasing the call ends it
  });

  it('is bridged as soon as both legs have media', async () => {
    const one = set();
    const other = set();
    const bridge = one.leg.bridge(other.leg);
    const media = await one.dialling();
    expect(media.other).toBeUndefined();
    const second = await other.dialling();
    expect([media.other, second.other]).toEqual([second, media]);
    await bridge.end();
    expect([media.other, second.other]).toEqual([undefined, undefined]);
  });

  it('is not bridged when the bridge has ended before', async () => {
    const one = set();
    const other = set();
    await one.leg.bridge(other.leg).end();
    await one.dialling();
    expect((await other.dialling()).other).toBeUndefined();
  });
});

describe('an outgoing leg', () => {
  it('is lost to a media host that has failed, and withdrawn at the edge', async () => {
    const { leg, link, host, resolve, settle } = set();
    host.failure = new Error('the media thread died');
    resolve(link);
    await settle();
    expect(leg.ended.reason).toMatchObject({
      cause: 'transport-failed',
      message: expect.stringContaining('died'),
    });
    expect(link.commands).toEqual([hangup]);
  });

  it('was answered when the answer is read together with the end', async () => {
    const { leg, link, dialling } = set();
    await dialling();
    link.onAnswered?.({ 'X-A': '1' });
    link.end(new LegEnded('peer-hangup'));
    expect(await leg.answered).toEqual({ headers: { 'X-A': '1' } });
    expect(leg.ended.reason).toMatchObject({ cause: 'peer-hangup' });
  });

  it('is answered by its peer, not by us', async () => {
    const { leg, link, dialling } = set();
    await dialling();
    await expect(leg.answer()).rejects.toThrow('answered by its peer');
    expect(link.commands).toEqual([]);
    link.onAnswered?.({});
    await leg.answer();
    expect(leg.state).toBe('answered');
  });

  it('refers nobody when the edge cannot', async () => {
    const { leg, link, dialling } = set();
    await dialling();
    link.carryOut = async () => {
      throw new Error('no dialog');
    };
    const outcome = await leg.refer({ uri: 'sip:a@b' }, never);
    expect(outcome).toEqual({ status: 408, notified: undefined });
  });

  it('follows a referral for a minute after the last that was heard of it', async () => {
    const { leg, link, clock, dialling } = set();
    await dialling();
    link.carryOut = async () => ({ status: 202 });
    const outcome = leg.refer({ uri: 'sip:a@b' }, never);
    await clock.advance(59_000);
    link.onReferred?.(100, false);
    await clock.advance(59_000);
    link.onReferred?.(180, false);
    const begun = clock.monotonic();
    expect(await clock.run(outcome)).toEqual({ status: 202, notified: 180 });
    expect(clock.monotonic() - begun).toBe(60_000);
    link.onReferred?.(200, true); // too late for anybody
    expect(clock.pending).toBe(0);
  });
});
