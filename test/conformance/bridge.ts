import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DtmfKey, Leg, OutgoingLeg, RecordOptions } from '../../src/leg/port.ts';

type Done = void | Promise<void>;

/** A leg's peer, with ears. What it does has had its effect when the promise resolves, if it returns one. */
export interface HearingPeer {
  /** Says a word. */
  say(word: string): Done;
  press(key: DtmfKey): Done;
  hangup(): Done;
  /**
   * What it has heard, in order: words that other peers said, keys that they pressed (`key 5`), and the ids of clips
   * as they begin.
   */
  readonly heard: readonly string[];
}

export interface AnsweringPeer extends HearingPeer {
  /** A provisional response; `early`: it can be heard. */
  ring(status: number, early: boolean): Done;
  answer(): Done;
}

/** Three calls of one adapter. Nobody has answered yet. */
export interface BridgeUnderTest {
  /** It calls us. */
  readonly caller: { readonly leg: Leg; readonly peer: HearingPeer };
  /** We call these. */
  readonly callee: { readonly leg: OutgoingLeg; readonly peer: AnsweringPeer };
  readonly another: { readonly leg: OutgoingLeg; readonly peer: AnsweringPeer };
  /** Awaits something that ends by the passing of time or by a peer's doing. */
  settle<T>(work: Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const clip = { id: 'announcement', pcm: new Int16Array(8 * 60_000).fill(1_000) }; // a minute: it is always cut short

let recordings = 0;
const recording = (options: Partial<RecordOptions> = {}): RecordOptions => ({
  recordingSid: `RE${(++recordings).toString(16).padStart(32, '0')}`,
  silenceMs: 0,
  maxLengthMs: 600_000,
  trim: false,
  ...options,
});

/** What every adapter must do with two legs; contents and order, never how long it takes. */
export function bridgeConformance(name: string, open: () => Promise<BridgeUnderTest>): void {
  describe(`${name} conforms to the Bridge port`, () => {
    let all: BridgeUnderTest;
    beforeEach(async () => {
      all = await open();
    });
    afterEach(() => all.close());

    const answerAll = async () => {
      const { caller, callee, another, settle } = all;
      await settle(caller.leg.answer());
      for (const { leg, peer } of [callee, another]) {
        await peer.answer();
        await settle(leg.answered);
      }
      return all;
    };

    /** Both say something; what the other one heard of it. */
    const talk = async (one: HearingPeer, other: HearingPeer, word: string) => {
      const before = [one.heard.length, other.heard.length];
      await one.say(`${word} of one`);
      await other.say(`${word} of the other`);
      return { one: one.heard.slice(before[0]), other: other.heard.slice(before[1]) };
    };
    const both = (word: string) => ({ one: [`${word} of the other`], other: [`${word} of one`] });
    const neither = { one: [], other: [] };

    const untilEnded = (leg: Leg) =>
      all.settle(
        new Promise<void>((resolve) => {
          if (leg.ended.aborted) resolve();
          else leg.ended.addEventListener('abort', () => resolve(), { once: true });
        }),
      );

    it('lets both peers hear each other, from its beginning to its end', async () => {
      const { caller, callee, settle } = await answerAll();
      expect(await talk(caller.peer, callee.peer, 'before')).toEqual(neither);
      const bridge = caller.leg.bridge(callee.leg);
      expect(await talk(caller.peer, callee.peer, 'hello')).toEqual(both('hello'));
      expect(await talk(caller.peer, callee.peer, 'again')).toEqual(both('again'));
      await settle(bridge.end());
      expect(await talk(caller.peer, callee.peer, 'after')).toEqual(neither);
      await settle(bridge.end());
      expect([caller.leg.state, callee.leg.state]).toEqual(['answered', 'answered']);
    });

    it('can be begun on either leg, and anew', async () => {
      const { caller, callee, settle } = await answerAll();
      await settle(callee.leg.bridge(caller.leg).end());
      const bridge = callee.leg.bridge(caller.leg);
      expect(await talk(caller.peer, callee.peer, 'hello')).toEqual(both('hello'));
      await settle(bridge.end());
      expect(await talk(caller.peer, callee.peer, 'after')).toEqual(neither);
    });

    it('passes keys on, to whoever listens and to the other peer', async () => {
      const { caller, callee, settle } = await answerAll();
      caller.leg.bridge(callee.leg);
      await caller.peer.press('1');
      using keys = caller.leg.keys();
      await caller.peer.press('*');
      expect(await settle(keys.next(new AbortController().signal))).toBe('*');
      expect(keys.poll()).toBeUndefined();
      expect(callee.peer.heard).toEqual(['key 1', 'key *']);
      expect(caller.peer.heard).toEqual([]);
    });

    it('loses nothing when somebody begins to listen, or stops', async () => {
      const { caller, callee, settle } = await answerAll();
      caller.leg.bridge(callee.leg);
      expect(await talk(caller.peer, callee.peer, 'alone')).toEqual(both('alone'));
      const first = caller.leg.record(recording({ track: 'both', channels: 2 }));
      expect(await talk(caller.peer, callee.peer, 'recorded')).toEqual(both('recorded'));
      const keys = callee.leg.keys();
      const second = callee.leg.record(recording());
      expect(await talk(caller.peer, callee.peer, 'twice')).toEqual(both('twice'));
      first.stop();
      await settle(first.ended);
      expect(await talk(caller.peer, callee.peer, 'once')).toEqual(both('once'));
      second.stop();
      expect(await settle(second.ended)).toMatchObject({ reason: 'stopped' });
      keys[Symbol.dispose]();
      keys[Symbol.dispose]();
      expect(await talk(caller.peer, callee.peer, 'alone again')).toEqual(both('alone again'));
    });

    it.each<[RecordOptions['track'], 'caller' | 'callee', boolean]>([
      ['inbound', 'caller', false],
      ['inbound', 'callee', true],
      ['outbound', 'caller', true],
      ['outbound', 'callee', false],
      ['both', 'caller', false],
      ['both', 'callee', false],
    ])('records the %s of the caller: %s speaks, silent %s', async (track, who, silent) => {
      const { caller, callee, settle } = await answerAll();
      caller.leg.bridge(callee.leg);
      const active = caller.leg.record(recording({ track }));
      await all[who].peer.say('a word');
      active.stop();
      expect(await settle(active.ended)).toMatchObject({ reason: 'stopped', silent });
    });

    it('lets a clip be heard instead of the other peer, and the other peer again when it is over', async () => {
      const { caller, callee } = await answerAll();
      caller.leg.bridge(callee.leg);
      const stop = new AbortController();
      const playing = callee.leg.play(clip, stop.signal).catch(() => {});
      await talk(caller.peer, callee.peer, 'meanwhile');
      expect(callee.peer.heard).toEqual(['announcement']);
      expect(caller.peer.heard).toEqual(['meanwhile of the other']);
      stop.abort();
      await playing;
      expect(await talk(caller.peer, callee.peer, 'afterwards')).toEqual(both('afterwards'));
    });

    it('replaces the bridge that a leg was in', async () => {
      const { caller, callee, another, settle } = await answerAll();
      const former = caller.leg.bridge(callee.leg);
      await caller.peer.say('first');
      const bridge = another.leg.bridge(caller.leg);
      expect(await talk(caller.peer, another.peer, 'second')).toEqual(both('second'));
      expect(await talk(caller.peer, callee.peer, 'third')).toEqual(neither);
      await settle(former.end());
      expect(await talk(caller.peer, another.peer, 'fourth')).toEqual(both('fourth'));
      await settle(bridge.end());
      expect(await talk(caller.peer, another.peer, 'fifth')).toEqual(neither);
      expect(callee.peer.heard).toEqual(['first']);
    });

    it.each(['caller', 'callee'] as const)(
      'is over when the %s hangs up; the other leg stays',
      async (who) => {
        const { caller, callee, another, settle } = await answerAll();
        const bridge = caller.leg.bridge(callee.leg);
        await talk(caller.peer, callee.peer, 'hello');
        await all[who].peer.hangup();
        await untilEnded(all[who].leg);
        const left = who === 'caller' ? callee : caller;
        expect(left.leg.state).toBe('answered');
        await settle(bridge.end());
        left.leg.bridge(another.leg);
        expect(await talk(left.peer, another.peer, 'hello again')).toEqual(both('hello again'));
      },
    );

    it('is over when a leg is hung up; the other leg stays', async () => {
      const { caller, callee, settle } = await answerAll();
      const bridge = caller.leg.bridge(callee.leg);
      await settle(callee.leg.hangup());
      await settle(bridge.end());
      expect(caller.leg.state).toBe('answered');
      await caller.peer.say('is anybody there');
      expect(callee.peer.heard).toEqual([]);
    });

    it('has ended at once with a leg that is over', async () => {
      const { caller, callee, settle } = await answerAll();
      await settle(callee.leg.hangup());
      await settle(caller.leg.bridge(callee.leg).end());
      await settle(callee.leg.bridge(caller.leg).end());
      expect(caller.leg.state).toBe('answered');
    });

    it('carries early media, to a caller that is answered or still waits', async () => {
      const { caller, callee, settle } = all;
      caller.leg.bridge(callee.leg);
      await settle(caller.leg.progress());
      await callee.peer.ring(183, true);
      await callee.peer.say('please wait');
      expect(caller.peer.heard).toEqual(['please wait']);
      await callee.peer.answer();
      await settle(callee.leg.answered);
      await settle(caller.leg.answer());
      expect(await talk(caller.peer, callee.peer, 'hello')).toEqual(both('hello'));
    });

    it('is no bridge of a leg with itself', async () => {
      const { caller } = await answerAll();
      expect(() => caller.leg.bridge(caller.leg)).toThrow();
    });
  });
}
