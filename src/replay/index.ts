/**
 * Calls to a voice application in virtual time, for its tests. See the README, "Test your application".
 *
 * @module trunkline/replay
 */
export type { CallStatus } from '../call/record.ts';
export type { Diagnostic } from '../core/diagnostic.ts';
export type {
  AppAnswer,
  AppHandler,
  AppReply,
  AppRequest,
  Pages,
  TwimlBuilder,
} from './application/answers.ts';
export { ScenarioError } from './scenario.ts';
export {
  assertDialed,
  assertEnded,
  assertHeard,
  assertNothingReported,
  assertRequested,
} from './testing/assertions.ts';
export type { Call, CallOutcome } from './testing/call.ts';
export type { Callee } from './testing/callee.ts';
export type { DialedWith, EndedWith, RequestedWith, Text } from './testing/claims.ts';
export { CallExpectation, type Patience } from './testing/ear.ts';
export type { CallRequest, DialedCall, HeardSound, RecordingMade } from './testing/facts.ts';
export { type CallMatchers, matchers } from './testing/matchers.ts';
export type {
  App,
  CalleePlan,
  CalleeSteps,
  Duration,
  Listening,
  ScenarioOptions,
} from './testing/options.ts';
export { scenario } from './testing/scenario.ts';
