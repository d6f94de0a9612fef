import { firstDifference, strandsOf } from '../comparable-timeline.ts';
import { callsOf, type ExportedCall } from './exported-call.ts';
import { type WrittenScenario, writeScenario } from './exported-scenario.ts';
import { exportSteps } from './exported-steps.ts';
import { exportApplication } from './exported-webhooks.ts';
import { type RedactionCounts, redact, withoutStoredPasswords } from './redaction.ts';
import { placeSteps, rehearse } from './rehearsal.ts';

/** A call as a fixture: what goes into its directory, and what is known of it. */
export interface ExportedFixture {
  readonly scenario: WrittenScenario;
  /** Documents by file name. */
  readonly files: ReadonlyMap<string, string>;
  /** What was replaced; undefined when nothing was to be. */
  readonly redacted: RedactionCounts | undefined;
  /** What of the call no scenario can tell, or what was not kept of it. */
  readonly missing: readonly string[];
  /** Where the replay first differs from the live call; undefined when it does not. */
  readonly difference: string | undefined;
  readonly keys: number;
}

/**
 * Makes a fixture of a finished call: what its application answered, what its parties did, and when that has to happen
 * in virtual time. Pure: nothing is read or written. Rejects with ScenarioError when the call makes no scenario.
 */
export async function exportCall(call: ExportedCall, redacts: boolean): Promise<ExportedFixture> {
  const redacted = redacts ? redact(call) : undefined;
  const told = redacted?.call ?? withoutStoredPasswords(call);
  const application = exportApplication(told);
  const { steps, missing } = exportSteps(told);
  const placed = await placeSteps(told, application, steps);
  const scenario = writeScenario(told, application, placed, sentenceOf(told));
  const replayed = await rehearse(scenario, application.files);
  const difference = replayed.strands
    ? firstDifference(strandsOf(told.sid, told.timelines), replayed.strands)
    : `the replay comes to no end: ${replayed.why}`;
  return {
    scenario,
    files: application.files,
    redacted: redacted?.counts,
    missing: [...application.missing, ...missing],
    difference,
    keys: steps.filter(({ step }) => 'press' in step).length,
  };
}

/** What the fixture shows, as far as the call itself says it. */
function sentenceOf(call: ExportedCall): string {
  const [root, ...dialled] = callsOf(call);
  const end = root?.events.findLast(({ type }) => type === 'call-ended');
  const day = root?.events[0]?.at.slice(0, 10) ?? 'an unknown day';
  const parties = dialled.length === 0 ? '' : `, ${dialled.length} dialled`;
  const how = end?.type === 'call-ended' ? `${end.status}: ${end.cause}` : 'without an end';
  const made = root?.created ? ' that the API made' : '';
  return `A live call of ${day}${made}${parties}, ${how}.`;
}
