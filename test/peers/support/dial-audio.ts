import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientOf, eventsOf } from '../../e2e/support/numbers.ts';
import { align, noise, share } from '../../support/alignment.ts';
import { Baresip, type BaresipOptions } from '../../support/baresip.ts';
import { notRun, peer } from '../../support/peers.ts';
import { until } from '../../support/until.ts';
import { RATE, writePcm } from '../../support/wav-compare.ts';
import { channelsOf } from './channels.ts';
import { DialWorld } from './dial-world.ts';

type Codec = BaresipOptions['codec'];

type Part = 'conversations' | 'taps';

/** Tests of what two baresips hear of each other; `taps`, which count what a recording costs them, need a calm machine. */
export function dialAudio(part: Part): void {
  const baresip = peer('baresip');
  if (!baresip) notRun('bridges between baresips', 'baresip (Debian: baresip-core) is not installed');
  else tests(baresip, part);
}

function tests(baresip: string, part: Part): void {
  /** What each of them says; the call ends with what the caller says. */
  const ofCaller = noise(9, 11);
  const ofCallee = noise(13, 12);
  let world: DialWorld;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-voices-'));
    writePcm(join(folder, 'caller.wav'), ofCaller);
    writePcm(join(folder, 'callee.wav'), ofCallee);
    world = await DialWorld.start();
  });

  afterAll(async () => {
    await world.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  interface Talk {
    readonly from: string;
    /** What each of them heard. */
    readonly atCaller: Int16Array;
    readonly atCallee: Int16Array;
  }

  interface Talking {
    readonly parent: string;
    readonly caller: Baresip;
    readonly callee: Baresip;
  }

  /** Two of them talk until the caller has said everything; meanwhile something may happen. */
  async function talk(
    attributes: string,
    codecs: readonly [caller: Codec, callee: Codec],
    meanwhile: (call: Talking) => Promise<void> = async () => {},
  ): Promise<Talk> {
    const phones: Baresip[] = [];
    const start = async (options: BaresipOptions) => {
      const phone = await Baresip.start(baresip, options);
      phones.push(phone);
      return phone;
    };
    try {
      const callee = await start({
        microphone: join(folder, 'callee.wav'),
        codec: codecs[1],
        caller: 'callee',
        answers: true,
      });
      // answerOnBridge: the caller begins to speak when somebody is there to hear it
      const from = world.announce(
        `<Dial answerOnBridge="true" ${attributes}><Sip>${callee.uri}</Sip></Dial>`,
      );
      const caller = await start({ microphone: join(folder, 'caller.wav'), codec: codecs[0], caller: from });
      caller.dial(world.address);
      const { parent } = await world.talking(from);
      await meanwhile({ parent, caller, callee });
      await Promise.all([caller, callee].map((phone) => phone.event('CALL_CLOSED')));
      return { from, atCaller: caller.heard(), atCallee: callee.heard() };
    } finally {
      for (const phone of phones) await phone.stop();
    }
  }

  const heard = (phone: Baresip, ms: number) => until(`${ms} ms at a telephone`, () => phone.heardMs() > ms);

  /** One heard what the other said, in order, whole, and nothing of its own. */
  function expectHeard(said: Int16Array, notSaid: Int16Array, heard: Int16Array, leastMs: number): void {
    const along = align(said, heard);
    const seen = JSON.stringify(along);
    expect(along.found, seen).toBeGreaterThan(leastMs);
    expect(along.missing + along.foreign, seen).toBeLessThan(along.found / 20);
    expect(share(notSaid.subarray(3 * RATE, 3.5 * RATE), heard)).toBe(0); // half a second: to find nothing takes long
  }

  /** What a telephone's own buffer and a busy machine cost its ears. */
  const missed = ({ atCaller, atCallee }: Talk) =>
    [align(ofCaller, atCallee), align(ofCallee, atCaller)].map(({ missing }) => missing);

  const CODECS = [
    ['PCMU', 'PCMU'],
    ['PCMA', 'PCMA'],
    ['PCMU', 'PCMA'],
    ['PCMA', 'PCMU'],
  ] as const;

  if (part === 'taps') taps();
  else conversations();

  function conversations(): void {
    it.each(CODECS)('untapped: %s and %s hear each other', async (...codecs) => {
      const { from, atCaller, atCallee } = await talk('', codecs);
      expectHeard(ofCaller, ofCallee, atCallee, 7_000);
      expectHeard(ofCallee, ofCaller, atCaller, 7_000);
      const { children } = await world.ended(from);
      expect(children).toMatchObject([{ status: 'completed', diagnostics: [] }]);
    });

    it.each(CODECS)(
      'tapped: %s and %s hear each other, and the recording has each in its channel',
      async (...codecs) => {
        const { from, atCaller, atCallee } = await talk('record="record-from-answer-dual"', codecs);
        expectHeard(ofCaller, ofCallee, atCallee, 7_000);
        expectHeard(ofCallee, ofCaller, atCaller, 7_000);
        const { timeline } = await world.ended(from);
        const [started] = eventsOf(timeline, 'recording-started');
        const channels = channelsOf(await world.wavOf(started?.recording ?? ''));
        expect(channels).toHaveLength(2);
        const [first = new Int16Array(), second = new Int16Array()] = channels;
        expectHeard(ofCaller, ofCallee, first, 7_000);
        expectHeard(ofCallee, ofCaller, second, 7_000);
      },
    );

    it('mono: the recording has both', async () => {
      const { from } = await talk('record="record-from-answer"', ['PCMU', 'PCMU']);
      const { timeline } = await world.ended(from);
      const [started] = eventsOf(timeline, 'recording-started');
      const channels = channelsOf(await world.wavOf(started?.recording ?? ''));
      expect(channels).toHaveLength(1);
      const [both = new Int16Array()] = channels;
      for (const voice of [ofCaller, ofCallee])
        expect(mostAlike(voice.subarray(RATE, 2 * RATE), both)).toBeGreaterThan(0.5);
      expect(mostAlike(noise(1, 13), both)).toBeLessThan(0.2);
    });

    it('hangupOnStar: a * of the caller ends the conversation', async () => {
      const { from } = await talk('hangupOnStar="true"', ['PCMU', 'PCMA'], async ({ caller, callee }) => {
        await heard(callee, 1_000);
        caller.press('1');
        caller.press('*');
      });
      const { parent, timeline, children } = await world.ended(from);
      expect(eventsOf(timeline, 'dtmf').map(({ digit }) => digit)).toEqual(['*']);
      expect(eventsOf(timeline, 'hangup').map(({ by }) => by)).not.toContain('peer');
      expect([parent, ...children].map(({ status }) => status)).toEqual(['completed', 'completed']);
    });
  }

  function taps(): void {
    describe('recorded for a while in the middle, through the API', () => {
      it.each([
        ['PCMU', 'PCMU'],
        ['PCMU', 'PCMA'],
      ] as const)('%s and %s: no hole, no repetition', async (...codecs) => {
        const control = missed(await talk('', codecs));
        const costs: number[][] = [];
        const whole = () =>
          costs.some((cost) => cost.every((missing, ear) => missing <= (control[ear] ?? 0)));
        // A change-over that loses something loses it in every call, a machine that stands still in one.
        while (!whole() && costs.length < 3) costs.push(await tapped(codecs));
        expect(whole(), `missing untapped ${control}, tapped ${costs.join(' and ')}`).toBe(true);
      });

      /** Checks one call and its recording; how much its parties missed. */
      async function tapped(codecs: readonly [caller: Codec, callee: Codec]): Promise<number[]> {
        let recording = '';
        const call = await talk('', codecs, async ({ parent, callee }) => {
          await heard(callee, 2_000);
          const { calls } = clientOf(world.trunkline, 'us1');
          const started = await calls(parent).recordings.create({ recordingChannels: 'dual' });
          recording = started.sid;
          await heard(callee, callee.heardMs() + 2_000);
          await calls(parent).recordings(recording).update({ status: 'stopped' });
        });
        const { from, atCaller, atCallee } = call;
        expectHeard(ofCaller, ofCallee, atCallee, 7_000);
        expectHeard(ofCallee, ofCaller, atCaller, 7_000);
        const both = [align(ofCaller, atCallee), align(ofCallee, atCaller)];
        expect(both.map(({ foreign }) => foreign)).toEqual([0, 0]);
        const { timeline } = await world.ended(from);
        expect(eventsOf(timeline, 'recording-started')).toHaveLength(1);
        const [first = new Int16Array(), second = new Int16Array()] = channelsOf(
          await world.wavOf(recording),
        );
        expect(first.length).toBeLessThan(ofCaller.length);
        expectHeard(ofCaller, ofCallee, first, 1_000);
        expectHeard(ofCallee, ofCaller, second, 1_000);
        return missed(call);
      }
    });
  }
}

/** The greatest correlation of the beginning of a sound with any part of a recording; of two voices in one, each has 0.7. */
function mostAlike(said: Int16Array, heard: Int16Array): number {
  const piece = said.subarray(0, RATE / 10);
  const energy = piece.reduce((sum, sample) => sum + sample * sample, 0);
  let best = 0;
  for (let place = 0; place + piece.length <= heard.length; place++) {
    let [product, own] = [0, 0];
    for (let i = 0; i < piece.length; i++) {
      const sample = heard[place + i] ?? 0;
      product += (piece[i] ?? 0) * sample;
      own += sample * sample;
    }
    if (own > 0) best = Math.max(best, product / Math.sqrt(energy * own));
  }
  return best;
}
