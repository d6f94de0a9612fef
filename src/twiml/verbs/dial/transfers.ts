import type { ReceivedRefer } from '../../../leg/port.ts';
import type { Outcome, Transfer } from '../call-scope.ts';
import type { ChildCall } from '../ports.ts';
import type { Conversation } from './conversation.ts';

/** A `<Dial>` whose called party asked to be replaced. */
export interface WaitingDial {
  readonly refer: ReceivedRefer;
  /** The call of the party that asked. */
  readonly child: ChildCall;
  readonly conversation: Conversation;
  /** Hands over what was recorded. */
  finish(): Promise<void>;
  /** Goes on with the conversation. */
  goOn(signal: AbortSignal): Promise<Outcome>;
  /** Leaves nobody behind. */
  abandon(): Promise<void>;
}

/** What the party that asked is told when its successor was not reached. RFC 3261 §21.5.4 */
const NOT_REACHED = 503;

/**
 * Without `answerOnBridge` the party that asked is dropped as soon as the document is there, or is known not to come.
 * @see https://www.twilio.com/docs/voice/twiml/dial#referurl
 */
export function blindTransfer(waiting: WaitingDial): Transfer {
  return {
    fetched: (ok) => drop(waiting, ok ? 200 : NOT_REACHED),
    connected: async () => {},
    abandoned: () => (waiting.child.leg.ended.aborted ? waiting.finish() : waiting.abandon()),
  };
}

/** With `answerOnBridge` it stays on the line until its successor has answered, and is connected again when nobody does. */
export function attendedTransfer(waiting: WaitingDial): Transfer {
  const { conversation, refer } = waiting;
  return {
    fetched: async (ok) => {
      if (ok) await conversation.suspend();
    },
    connected: () => drop(waiting, 200),
    failed: async (signal) => {
      await tell(refer, NOT_REACHED);
      conversation.resume();
      return await waiting.goOn(signal);
    },
    abandoned: () => waiting.abandon(),
  };
}

async function drop({ refer, child, conversation, finish }: WaitingDial, status: number): Promise<void> {
  await tell(refer, status);
  await conversation.end();
  if (child.departed.aborted)
    child.release(); // it was given a document of its own meanwhile
  else await child.leg.hangup().catch(() => {}); // it is over in any case
  await child.end;
  await finish();
}

/** A party that has hung up meanwhile cannot be told. */
async function tell(refer: ReceivedRefer, status: number): Promise<void> {
  await refer.notify(status).catch(() => {});
}
