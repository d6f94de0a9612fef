import { HeardAudio } from '../../../src/bin/phone/heard-audio.ts';
import { RtpLine } from '../../../src/bin/phone/rtp-line.ts';
import { SystemClock } from '../../../src/core/clock.ts';
import { RandomIds } from '../../../src/core/ids.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { samplesOfMs } from '../../../src/media/frame.ts';
import { acceptAnswer, makeOffer } from '../../../src/media/offer-answer.ts';
import { clipFrames } from '../../../src/media/stream/clip-frames.ts';
import { digitFrames } from '../../../src/media/stream/digit-frames.ts';
import type { FrameSource } from '../../../src/media/stream/outgoing-frame.ts';
import type { CallerAction } from '../../../src/replay/scenario.ts';
import { createSipAgent } from '../../../src/sip/agent/agent.ts';
import { type OutboundInvite, type SipAgent, type SipDialog, SipEnded } from '../../../src/sip/agent/port.ts';
import { noise } from '../../support/alignment.ts';
import { timeOf } from './live-fixture.ts';

const ADDRESS = '127.0.0.1';
const LONGEST_MS = 60_000;

export interface ScriptedCallOptions {
  readonly uri: string;
  /** The port of the edge it goes to. */
  readonly port: number;
  readonly from: string;
  readonly actions: readonly CallerAction[];
}

/** A caller on a real telephone that does what the caller of a scenario does, counted from its INVITE. */
export class ScriptedCall {
  readonly #agent: SipAgent;
  readonly #line: RtpLine;
  readonly #mouth = new Mouth();
  readonly #timers: NodeJS.Timeout[] = [];
  #dialog: SipDialog | undefined;

  private constructor(agent: SipAgent, line: RtpLine) {
    this.#agent = agent;
    this.#line = line;
  }

  /** Resolves when the call is over: with the status it was refused with, or 200. */
  static async run({ uri, port, from, actions }: ScriptedCallOptions): Promise<number> {
    const [clock, ids] = [new SystemClock(), new RandomIds()];
    const agent = createSipAgent({ clock, ids, logger: silentLogger });
    const line = await RtpLine.open({
      address: ADDRESS,
      clock,
      ids,
      heard: new HeardAudio(LONGEST_MS),
      onSound: () => {},
      onKey: () => {},
    });
    const call = new ScriptedCall(agent, line);
    try {
      const listener = await agent.listen({ transport: 'udp', host: ADDRESS, port: 0, label: 'scripted' });
      const offer = makeOffer({ address: ADDRESS, port: line.port, sessionId: 1, version: 1 });
      const destination = { address: ADDRESS, port };
      const invite = agent.invite({ listener, uri, destination, from: `<${from}>`, body: offer });
      call.#schedule(actions, invite);
      return await call.#talk(invite, offer);
    } finally {
      await call.#close();
    }
  }

  async #talk(invite: OutboundInvite, offer: string): Promise<number> {
    try {
      const { dialog, response } = await invite.answered;
      this.#dialog = dialog;
      const agreed = acceptAnswer(offer, response.body);
      if (!agreed.ok) throw new Error(agreed.reason);
      this.#line.perform([this.#mouth]);
      this.#line.start(agreed);
      await new Promise<void>((resolve) => {
        if (dialog.ended.aborted) resolve();
        else dialog.ended.addEventListener('abort', () => resolve());
      });
      return 200;
    } catch (error) {
      if (error instanceof SipEnded) return error.status ?? 408;
      throw error;
    }
  }

  #schedule(actions: readonly CallerAction[], invite: OutboundInvite): void {
    for (const action of actions) {
      const at = timeOf(action);
      if ('press' in action) {
        for (const [index, key] of [...action.press].entries()) {
          this.#at(at + index * action.every, () => this.#mouth.press(key));
        }
      } else if ('speak' in action) this.#at(at, () => this.#mouth.speak(Number(action.speak)));
      else if ('hangup' in action) this.#at(at, () => this.#hangUp(invite));
      else throw new Error(`a real caller cannot do this: ${JSON.stringify(action)}`);
    }
  }

  #at(ms: number, act: () => void): void {
    this.#timers.push(setTimeout(act, ms));
  }

  #hangUp(invite: OutboundInvite): void {
    if (this.#dialog) void this.#dialog.bye();
    else invite.cancel();
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#line.close();
    await this.#agent.close();
  }
}

/** What a person sends: keys at once, speech between them, else silence. */
class Mouth implements FrameSource {
  readonly #keys: FrameSource[] = [];
  #speech: FrameSource | undefined;

  press(key: string): void {
    this.#keys.push(digitFrames(key, true));
  }

  speak(ms: number): void {
    this.#speech = clipFrames(noise(ms / 1_000).subarray(0, samplesOfMs(ms)));
  }

  next(frame: Parameters<FrameSource['next']>[0]): ReturnType<FrameSource['next']> {
    const [key] = this.#keys;
    if (key) {
      if (key.next(frame) === 'last') this.#keys.shift();
    } else if (this.#speech) {
      if (this.#speech.next(frame) === 'last') this.#speech = undefined;
    } else frame.kind = 'pause';
    return 'more';
  }
}
