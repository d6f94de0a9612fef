import type { CallFacts } from '../call/facts.ts';
import type { StatusCallbackDetails } from '../call/status-callback.ts';
import type { CallEnd, VoiceConfig } from '../twiml/interpreter/world.ts';
import type { DialOrder, DialTarget } from '../twiml/verbs/ports.ts';
import type { SimulatedChild } from './simulated-child.ts';

/** An order to call somebody. */
export type PartyOrder = DialOrder & { readonly target: DialTarget };

/** What is done with a call that nobody dialled: the API created it. */
export interface Conduct {
  /** From its answer to the end of its document. */
  converse(call: SimulatedChild): Promise<CallEnd>;
  /** What its last status callback tells besides. */
  lastWords(): Promise<Partial<StatusCallbackDetails>>;
}

/** Whose call it is. */
export interface ChildOf {
  readonly facts: CallFacts;
  /** Absent: it has no document of its own. */
  readonly config?: VoiceConfig;
  /** What its requests for documents tell besides. Absent: nothing. */
  readonly params?: Readonly<Record<string, string>>;
  readonly conduct?: Conduct;
}

export const NO_DOCUMENT: VoiceConfig = {
  voiceUrl: '',
  voiceMethod: 'POST',
  voiceFallbackUrl: '',
  voiceFallbackMethod: 'POST',
};
