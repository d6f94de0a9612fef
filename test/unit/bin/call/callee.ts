import { HeardAudio } from '../../../../src/bin/phone/heard-audio.ts';
import { RtpLine } from '../../../../src/bin/phone/rtp-line.ts';
import { SystemClock } from '../../../../src/core/clock.ts';
import { RandomIds } from '../../../../src/core/ids.ts';
import { silentLogger } from '../../../../src/core/logger.ts';
import { answerOffer } from '../../../../src/media/offer-answer.ts';
import { clipFrames } from '../../../../src/media/stream/clip-frames.ts';
import { createSipAgent } from '../../../../src/sip/agent/agent.ts';
import type { InboundInvite, SipAgent, SipDialog } from '../../../../src/sip/agent/port.ts';

const ADDRESS = '127.0.0.1';

/** Somebody to call, on a free port of 127.0.0.1. */
export interface Callee {
  readonly port: number;
  readonly invites: InboundInvite[];
  readonly agent: SipAgent;
  close(): Promise<void>;
}

/** What happens after the callee picked up. */
export interface PickedUp {
  readonly dialog: SipDialog;
  readonly line: RtpLine;
  readonly heard: HeardAudio;
  readonly keys: string[];
  say(pcm: Int16Array): void;
}

export async function startCallee(
  onInvite: (invite: InboundInvite, callee: Callee) => Promise<void> | void,
): Promise<Callee> {
  const agent = createSipAgent({ clock: new SystemClock(), ids: new RandomIds(), logger: silentLogger });
  const listener = await agent.listen({ transport: 'udp', host: ADDRESS, port: 0, label: 'callee' });
  const callee: Callee = { port: listener.bound.port, invites: [], agent, close: () => agent.close() };
  agent.onInvite = (invite) => {
    callee.invites.push(invite);
    Promise.resolve(onInvite(invite, callee)).catch((error: unknown) => {
      throw error; // fails the run
    });
  };
  return callee;
}

/** Answers with an SDP that has telephone-event, unless told to leave it out. */
export async function pickUp(
  invite: InboundInvite,
  edit: (sdp: string) => string = (sdp) => sdp,
): Promise<PickedUp> {
  const clock = new SystemClock();
  const keys: string[] = [];
  const heard = new HeardAudio(60_000);
  const line = await RtpLine.open({
    address: ADDRESS,
    clock,
    ids: new RandomIds(),
    heard,
    onSound: () => {},
    onKey: (key) => keys.push(key),
  });
  const agreed = answerOffer(edit(invite.request.body), {
    address: ADDRESS,
    port: line.port,
    sessionId: 1,
    version: 1,
  });
  if (!agreed.ok) throw new Error(agreed.reason);
  const dialog = invite.accept(agreed.sdp);
  line.start(agreed);
  dialog.ended.addEventListener('abort', () => {
    line.close().catch(() => {}); // closed twice by nobody
  });
  return { dialog, line, heard, keys, say: (pcm) => line.perform([clipFrames(pcm)]) };
}

/** The output of a command, as one text. */
export function collector(): { readonly text: string; write(text: string): void } {
  let text = '';
  return {
    get text() {
      return text;
    },
    write(more) {
      text += more;
    },
  };
}
