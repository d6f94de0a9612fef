import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Diagnostic, failure } from '../../src/core/diagnostic.ts';
import type { DtmfKey, OutgoingLeg, PeerProgress, RecordOptions } from '../../src/leg/port.ts';

type Headers = Readonly<Record<string, string>>;
type Done = void | Promise<void>;

/** What becomes of the call. */
export type Placing = 'placed' | 'unreachable' | { readonly notPlaced: Diagnostic };

/** Whom the leg calls. What it does has reached the leg when the promise resolves, if it returns one. */
export interface CalledPeer {
  /** A provisional response; `early`: it can be heard. */
  ring(status: number, early: boolean): Done;
  answer(headers?: Headers): Done;
  /** A final response of 300–699. */
  refuse(status: number, headers?: Headers): Done;
  /** BYE. */
  hangup(headers?: Headers): Done;
  press(key: DtmfKey): Done;
  /** Sends REFER. */
  refer(referTo: string): Done;
  /** Statuses of the NOTIFYs that it got for that REFER. */
  readonly notified: readonly number[];
  /** How it will answer a REFER: the status of its answer, then those of its NOTIFYs, the last of which is final. */
  whenReferred(status: number, notifies: readonly number[]): void;
  /** Refer-To of the REFERs it got. */
  readonly referredTo: readonly string[];
  /** How it was told that the call is over: `cancel` before it answered, `bye` after. */
  readonly dismissed: 'cancel' | 'bye' | undefined;
}

export interface OutgoingLegUnderTest {
  readonly leg: OutgoingLeg;
  readonly peer: CalledPeer;
  /** Awaits something that ends by the passing of time or by the peer's doing. */
  settle<T>(work: Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const NEVER = new AbortController().signal;
const clip = { id: 'greeting', pcm: new Int16Array(800).fill(1_000) };

let recordings = 0;
const recording = (options: Partial<RecordOptions> = {}): RecordOptions => ({
  recordingSid: `RE${(++recordings).toString(16).padStart(32, '0')}`,
  silenceMs: 0,
  maxLengthMs: 600_000,
  trim: false,
  ...options,
});

/** The outcome of `work` as a value, so that a rejection is never unhandled while the test goes on. */
const outcomeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );

/** What every adapter of OutgoingLeg must do; contents and order, never how long it takes. */
export function outgoingLegConformance(
  name: string,
  open: (placing: Placing) => Promise<OutgoingLegUnderTest>,
): void {
  describe(`${name} conforms to the OutgoingLeg port`, () => {
    let current: OutgoingLegUnderTest;
    const call = async (placing: Placing = 'placed') => {
      current = await open(placing);
      return current;
    };
    beforeEach(() => call());
    afterEach(() => current.close());

    const reopened = async (placing: Placing) => {
      await current.close();
      return call(placing);
    };

    const answered = async (headers?: Headers) => {
      const { leg, peer, settle } = current;
      await peer.answer(headers);
      await settle(leg.answered);
      return { ...current, answer: await leg.answered };
    };

    const untilEnded = ({ leg, settle }: OutgoingLegUnderTest) =>
      settle(
        new Promise<unknown>((resolve) => {
          if (leg.ended.aborted) resolve(leg.ended.reason);
          else leg.ended.addEventListener('abort', () => resolve(leg.ended.reason), { once: true });
        }),
      );

    it('rings until its peer answers, and tells what the 200 said', async () => {
      expect(current.leg.state).toBe('ringing');
      const { leg, answer } = await answered({ 'X-Agent': 'seven' });
      expect(answer.headers).toEqual({ 'X-Agent': 'seven' });
      expect(leg.state).toBe('answered');
      expect(leg.sipCallId).not.toBe('');
      expect(leg.ended.aborted).toBe(false);
    });

    it('tells provisional responses in order, also those from before anybody listened', async () => {
      const { leg, peer } = current;
      const seen: PeerProgress[] = [];
      await peer.ring(180, false);
      await peer.ring(181, false);
      leg.onProgress = (progress) => seen.push(progress);
      await peer.ring(183, true);
      await answered();
      expect(seen).toEqual([
        { status: 180, early: false },
        { status: 181, early: false },
        { status: 183, early: true },
      ]);
    });

    it.each([302, 404, 486, 503, 603])('ends with the peer’s %i, and the headers of it', async (status) => {
      const { leg, peer, settle } = current;
      const answer = outcomeOf(leg.answered);
      await peer.refuse(status, { 'X-Reason': 'lunch' });
      const end = {
        name: 'LegEnded',
        cause: 'rejected',
        sipStatus: status,
        headers: { 'X-Reason': 'lunch' },
      };
      expect(await untilEnded(current)).toMatchObject(end);
      expect(await settle(answer)).toMatchObject({ error: end });
      expect(leg.state).toBe('ended');
      expect(peer.dismissed).toBeUndefined();
    });

    it('ends as not placed with what the customer should know', async () => {
      const diagnostic = failure(13224, 'no carrier');
      const leg = await reopened({ notPlaced: diagnostic });
      expect(await untilEnded(leg)).toMatchObject({ cause: 'not-placed', diagnostic });
      expect(await leg.settle(outcomeOf(leg.leg.answered))).toMatchObject({ error: { cause: 'not-placed' } });
    });

    it('ends as unreachable when nobody is there', async () => {
      const leg = await reopened('unreachable');
      expect(await untilEnded(leg)).toMatchObject({ cause: 'unreachable' });
      expect(leg.leg.state).toBe('ended');
    });

    it('is withdrawn from a peer that rings', async () => {
      const { leg, peer, settle } = current;
      await peer.ring(180, false);
      const answer = outcomeOf(leg.answered);
      await settle(leg.hangup());
      expect(leg.ended.reason).toMatchObject({ cause: 'local-hangup' });
      expect(await answer).toEqual({ error: leg.ended.reason });
      expect(peer.dismissed).toBe('cancel');
      await settle(leg.hangup());
    });

    it('is withdrawn from a peer of which nothing has been heard', async () => {
      await current.settle(current.leg.hangup());
      expect(current.leg.state).toBe('ended');
      expect(current.peer.dismissed).toBe('cancel');
    });

    it('is hung up once it was answered', async () => {
      const { leg, peer, settle } = await answered();
      await settle(leg.hangup());
      expect(leg.ended.reason).toMatchObject({ cause: 'local-hangup' });
      expect(peer.dismissed).toBe('bye');
    });

    it('ends when its peer hangs up, with the headers of the BYE', async () => {
      const { leg, peer } = await answered();
      await peer.hangup({ 'X-Score': '5' });
      expect(await untilEnded(current)).toMatchObject({ cause: 'peer-hangup', headers: { 'X-Score': '5' } });
      expect(leg.state).toBe('ended');
      expect(peer.dismissed).toBeUndefined();
    });

    it('needs no answer from us: `answer` and `progress` change nothing, `reject` hangs up', async () => {
      const { leg, peer, settle } = await answered();
      await settle(leg.answer());
      await settle(leg.progress());
      expect(leg.state).toBe('answered');
      await settle(leg.reject(486));
      expect(leg.ended.reason).toMatchObject({ cause: 'local-hangup' });
      expect(peer.dismissed).toBe('bye');
    });

    it('plays, and hears keys, as any leg', async () => {
      const { leg, peer, settle } = await answered();
      using keys = leg.keys();
      await settle(leg.play(clip, NEVER));
      await peer.press('1');
      await peer.press('#');
      expect(await settle(keys.next(NEVER))).toBe('1');
      expect(await settle(keys.next(NEVER))).toBe('#');
    });

    it('wakes everybody who waits when it ends', async () => {
      const { leg, peer, settle } = await answered();
      using keys = leg.keys();
      const stop = new AbortController();
      const waiting = [keys.next(NEVER), leg.refer({ uri: 'sip:a@b' }, stop.signal)].map(outcomeOf);
      await peer.hangup();
      await untilEnded(current);
      const end = { error: { cause: 'peer-hangup' } };
      expect(await settle(Promise.all(waiting))).toMatchObject([end, end]);
      expect(await settle(outcomeOf(leg.play(clip, NEVER)))).toMatchObject(end);
      stop.abort();
    });

    it('completes its recording when it ends, also one that was asked for while it rang', async () => {
      const { leg, peer, settle } = current;
      const early = leg.record(recording({ track: 'both', channels: 2 }));
      await answered();
      const late = leg.record(recording());
      await peer.hangup();
      expect(await settle(early.ended)).toMatchObject({ reason: 'hangup', channels: 2 });
      expect(await settle(late.ended)).toMatchObject({ reason: 'hangup', channels: 1 });
    });

    it('records nothing once it is over', async () => {
      const { leg, settle } = current;
      await settle(leg.hangup());
      const end = await settle(leg.record(recording({ track: 'both', channels: 2 })).ended);
      expect(end).toMatchObject({
        reason: 'hangup',
        storedMs: 0,
        channels: 2,
        silent: true,
        path: undefined,
      });
    });

    it('hands on a REFER of its peer, and tells the peer how far it has come', async () => {
      const { leg, peer, settle } = await answered();
      await peer.refer('<sip:first@example.com>');
      const seen: string[] = [];
      const told: Promise<void>[] = [];
      leg.onRefer = ({ referTo, notify }) => {
        seen.push(referTo);
        told.push(notify(180).then(() => notify(200)));
      };
      await peer.refer('<sip:second@example.com>');
      expect(seen).toEqual(['<sip:first@example.com>', '<sip:second@example.com>']);
      await settle(Promise.all(told));
      expect([...peer.notified].sort()).toEqual([180, 180, 200, 200]);
    });

    it('hands on a REFER of a peer that hangs up meanwhile', async () => {
      const { leg, peer, settle } = await answered();
      const told: Promise<void>[] = [];
      await peer.refer('<sip:first@example.com>');
      await peer.hangup();
      await untilEnded(current);
      leg.onRefer = ({ notify }) => told.push(notify(200));
      await settle(Promise.all(told)); // nobody is there to hear it, which is no failure
    });

    it('refers its peer, and follows what becomes of it', async () => {
      const { leg, peer, settle } = await answered();
      peer.whenReferred(202, [100, 180, 200]);
      expect(await settle(leg.refer({ uri: 'sip:elsewhere@example.com' }, NEVER))).toEqual({
        status: 202,
        notified: 200,
      });
      expect(peer.referredTo).toEqual(['sip:elsewhere@example.com']);
      peer.whenReferred(202, [100, 486]);
      expect(await settle(leg.refer({ uri: 'sip:busy@example.com' }, NEVER))).toEqual({
        status: 202,
        notified: 486,
      });
    });

    it('says so when its peer refuses to be referred', async () => {
      const { leg, peer, settle } = await answered();
      peer.whenReferred(405, []);
      const outcome = await settle(leg.refer({ uri: 'sip:elsewhere@example.com' }, NEVER));
      expect(outcome).toEqual({ status: 405, notified: undefined });
    });

    it('waits for a referral that is never heard of again for a minute, no longer', async () => {
      const { leg, peer, settle } = await answered();
      peer.whenReferred(202, []);
      const outcome = await settle(leg.refer({ uri: 'sip:elsewhere@example.com' }, NEVER));
      expect(outcome).toEqual({ status: 202, notified: undefined });
    });

    it('stops following a referral when asked to', async () => {
      const { leg, peer, settle } = await answered();
      peer.whenReferred(202, []);
      const stop = new AbortController();
      const outcome = outcomeOf(leg.refer({ uri: 'sip:elsewhere@example.com' }, stop.signal));
      const reason = new Error('enough');
      stop.abort(reason);
      expect(await settle(outcome)).toEqual({ error: reason });
    });
  });
}
