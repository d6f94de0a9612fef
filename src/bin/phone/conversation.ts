import { type Clock, sleep } from '../../core/clock.ts';
import { acceptAnswer, answerOffer, continueSession } from '../../media/offer-answer.ts';
import { type OfferReply, type SipDialog, SipEnded } from '../../sip/agent/port.ts';
import type { HeardAudio } from './heard-audio.ts';
import type { RtpLine } from './rtp-line.ts';
import { plain } from './terminal.ts';

/** With `--after silence`: this long without a sound. Our choice: longer than the pause between two sentences. */
export const SILENCE_MS = 1_000;

/** How long a CANCEL or BYE may take before a command ends anyway. Our choice. */
export const FAREWELL_MS = 2_000;

/** A call that is over. */
export interface Conversation {
  /** One sentence: who hung up. */
  readonly ending: string;
  readonly durationMs: number;
  readonly heard: HeardAudio;
}

export interface ConversationOptions {
  readonly clock: Clock;
  /** Started, and with everything to say in it. */
  readonly line: RtpLine;
  readonly heard: HeardAudio;
  /** Local address. */
  readonly local: string;
  /** Our SDP so far. */
  readonly description: string;
  /** Who hung up, when the peer did: `The caller`. */
  readonly peer: string;
  readonly maxMs: number;
  /** A line of progress, as it happens. */
  readonly report: (text: string) => void;
  /** Aborted when the person wants to hang up. */
  readonly interrupt: AbortSignal;
}

/** Follows what the peer of a confirmed dialog does until one side hangs up. */
export async function converse(dialog: SipDialog, options: ConversationOptions): Promise<Conversation> {
  const { clock, line, heard, peer, report } = options;
  followOffers(dialog, options);
  const ending = await endingOf(dialog, options);
  const durationMs = line.elapsedMs;
  if (ending === undefined) {
    report(endOf(dialog));
    return { ending: `${peer} hung up.`, durationMs, heard };
  }
  report('BYE sent');
  const status = await farewell(clock, dialog.bye());
  if (status !== 200) report('the BYE was not confirmed');
  return { ending, durationMs, heard };
}

/** Why we hang up; undefined when the peer did. */
function endingOf(dialog: SipDialog, options: ConversationOptions): Promise<string | undefined> {
  const { clock, maxMs, interrupt } = options;
  return new Promise((resolve) => {
    const patience = clock.after(maxMs, () => over(`Hung up after ${maxMs / 1_000} s; --max allows more.`));
    const onInterrupt = () => over('Hung up.');
    const onEnded = () => over(undefined);
    function over(ending: string | undefined): void {
      patience.cancel();
      interrupt.removeEventListener('abort', onInterrupt);
      dialog.ended.removeEventListener('abort', onEnded);
      resolve(ending);
    }
    dialog.ended.addEventListener('abort', onEnded);
    interrupt.addEventListener('abort', onInterrupt);
    if (dialog.ended.aborted) onEnded();
    else if (interrupt.aborted) onInterrupt();
  });
}

/** Hold, resume and other re-INVITEs of the peer (RFC 3261 §14.2). */
function followOffers(dialog: SipDialog, { line, local, report, ...options }: ConversationOptions): void {
  let { description } = options;
  const media = { address: local, port: line.port, sessionId: sessionOf(description), version: 1 };
  dialog.onOffer = (offer): OfferReply => {
    if (offer === undefined) return { status: 200, body: description };
    const agreed = answerOffer(offer, media);
    if (!agreed.ok) return { status: agreed.status };
    description = continueSession(description, agreed.sdp);
    line.change(agreed);
    report(`re-INVITE: ${agreed.format.codec}, ${agreed.direction}`);
    return { status: 200, body: description };
  };
  dialog.onAnswer = (answer) => {
    const agreed = acceptAnswer(description, answer);
    if (agreed.ok) line.change(agreed);
  };
}

/** The answer to a BYE, or undefined when it takes too long. */
export async function farewell(clock: Clock, bye: Promise<number>): Promise<number | undefined> {
  const done = new AbortController();
  const patience = sleep(clock, FAREWELL_MS, done.signal).catch(() => {}); // aborted: answered in time
  const status = await Promise.race([bye, patience.then(() => undefined)]);
  done.abort();
  return status;
}

/** The session id of our own SDP (RFC 4566 §5.2). */
function sessionOf(sdp: string): string {
  return /^o=\S+ (\d+)/m.exec(sdp)?.[1] ?? '0';
}

/** What ended a dialog, when it was not us. */
function endOf(dialog: SipDialog): string {
  const ended: unknown = dialog.ended.reason;
  if (!(ended instanceof SipEnded)) return 'the call ended';
  if (ended.cause !== 'bye') return `the dialog ended: ${ended.cause}`;
  const reason = ended.message_?.headers.get('Reason');
  return reason ? `BYE received, ${plain(reason)}` : 'BYE received';
}
