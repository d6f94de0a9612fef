import type { Rule } from './rule.ts';
import { answerOnBridgeTooLate, rejectAfterAnswer } from './rules/answered-before.ts';
import { asksAgain } from './rules/asks-again.ts';
import { deprecated } from './rules/deprecated.ts';
import { escapedTwice } from './rules/escaped-text.ts';
import { finishingKey } from './rules/finishing-key.ts';
import { firstVerb } from './rules/first-verb.ts';
import { inlineLength } from './rules/inline-length.ts';
import { notExecuted } from './rules/not-executed.ts';
import { notInRegion } from './rules/not-in-region.ts';
import { redirectLoop } from './rules/redirect-loop.ts';
import { repeatedEvent } from './rules/repeated-event.ts';
import { legacySipParameter, registeredAddress } from './rules/sip-addresses.ts';
import { absoluteCallback, sameName } from './rules/streams.ts';
import { unreachableVerb } from './rules/unreachable-verb.ts';
import {
  connectionOverride,
  missingScheme,
  nothingToPlay,
  plainHttp,
  redirectNowhere,
  relativeUrl,
  unusableUrl,
} from './rules/urls.ts';
import { withoutEffect } from './rules/without-effect.ts';

/** What is looked for beyond the grammar. */
export const rules: readonly Rule[] = [
  unreachableVerb,
  asksAgain,
  firstVerb,
  rejectAfterAnswer,
  answerOnBridgeTooLate,
  redirectLoop,
  redirectNowhere,
  relativeUrl,
  missingScheme,
  unusableUrl,
  nothingToPlay,
  plainHttp,
  connectionOverride,
  absoluteCallback,
  sameName,
  finishingKey,
  withoutEffect,
  repeatedEvent,
  escapedTwice,
  legacySipParameter,
  registeredAddress,
  notInRegion,
  inlineLength,
  deprecated,
  notExecuted,
];
