import type { OrderedDocument, OutboundOrder } from '../../call/orders.ts';
import type { TimelineSink } from '../../call/timeline.ts';
import { type Diagnostic, failure, warning } from '../../core/diagnostic.ts';
import { isE164 } from '../../core/e164.ts';
import type { Leg } from '../../leg/port.ts';
import type { DialTarget } from '../verbs/ports.ts';
import { readSipTarget } from '../verbs/sip-uri.ts';
import { startRecording } from './ordered-recording.ts';
import type { RecordingDesk, VoiceConfig } from './world.ts';

/** Whom a call of the API calls; undefined: nobody can be, and the last diagnostic says why. */
export function createdTarget({ to, credentials }: Pick<OutboundOrder, 'to' | 'credentials'>): {
  readonly target: DialTarget | undefined;
  readonly diagnostics: readonly Diagnostic[];
} {
  if (isE164(to)) return { target: { kind: 'number', number: to }, diagnostics: [] };
  if (/^sips?:/i.test(to)) return readSipTarget(to, { ...credentials, devices: true });
  const message = `"${to.slice(0, 100)}" can be called neither as a number nor as a SIP URI: write + and the country code, or sip:user@host.`;
  return { target: undefined, diagnostics: [failure(13224, message, { actual: to })] };
}

/** A call that the API created and that was answered. */
export interface AnsweredCall {
  readonly leg: Leg;
  readonly timeline: TimelineSink;
  readonly desk: Pick<RecordingDesk, 'begin' | 'follow'>;
  report(diagnostic: Diagnostic): void;
}

/** What every request for its documents tells beside the standard parameters. */
export function createdParameters({
  machineDetection,
}: Pick<OutboundOrder, 'machineDetection'>): Readonly<Record<string, string>> {
  return machineDetection ? { AnsweredBy: 'unknown' } : {};
}

/**
 * What happens to it before its document: its recording begins, and keys are sent.
 *
 * @see https://www.twilio.com/docs/voice/api/call-resource#senddigits: sent when it is answered, then the document
 */
export async function beginCreated(
  { leg, timeline, desk, report }: AnsweredCall,
  {
    recording,
    sendDigits,
    machineDetection,
  }: Pick<OutboundOrder, 'recording' | 'sendDigits' | 'machineDetection'>,
  signal: AbortSignal,
): Promise<void> {
  if (machineDetection) report(noMachineDetection());
  if (recording) await startRecording({ leg, timeline }, desk, recording, 'OutboundAPI');
  if (sendDigits !== '') await leg.sendDigits(sendDigits, signal).catch(() => {}); // its document finds it over
}

/** @see https://www.twilio.com/docs/voice/answering-machine-detection */
function noMachineDetection(): Diagnostic {
  const message =
    'Machine detection is not available in Trunkline: AnsweredBy is "unknown" and the document runs at once.';
  return warning(21263, message, { expected: 'a call without MachineDetection' });
}

/** The fallback of a document that was ordered by address; one that was given as text has none. */
export function configOf(document: OrderedDocument): VoiceConfig {
  const none = {
    voiceUrl: '',
    voiceMethod: 'POST',
    voiceFallbackUrl: '',
    voiceFallbackMethod: 'POST',
  } as const;
  if (document.kind === 'twiml') return none;
  const { url, method, fallbackUrl, fallbackMethod } = document;
  return {
    voiceUrl: url,
    voiceMethod: method,
    voiceFallbackUrl: fallbackUrl,
    voiceFallbackMethod: fallbackMethod,
  };
}
