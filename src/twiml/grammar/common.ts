import type { TwimlCode } from '../../core/error-catalogue.ts';
import { attr } from '../verbs/attributes.ts';
import { type ElementSpec, element } from './element-spec.ts';

/** What schema validation alone objects to: values without a code of their own. */
export const SCHEMA = 12200;

/** A tag for a language, BCP 47: en-US, zh, pa-guru-IN. */
export const LANGUAGE_TAG = /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/;

export const LANGUAGE = 'a BCP 47 language tag such as en-US';

/** A tag of a language that is listened for: of any that the recogniser knows, it is `multi`. */
export const HEARD_LANGUAGE_TAG = /^(?:multi|[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)$/;

export const HEARD_LANGUAGE = `${LANGUAGE}, or multi`;

/** A text that is understood and means nothing here. */
export const accepted = () => attr.text({ default: undefined, invalid: SCHEMA, support: 'accepted' });

/** A text of an element that is answered as not available. */
export const anyText = () => attr.text({ default: undefined, invalid: SCHEMA });

/** A yes or no with its documented default, undefined where there is none. */
export const flag = <V extends boolean | undefined>(standard: V) =>
  attr.boolean({ default: standard, invalid: SCHEMA });

/** Whom a noun tells how it fares: statusCallback and its method. */
export const statusCallbacks = (method: TwimlCode = SCHEMA, url: TwimlCode = SCHEMA) =>
  ({
    statusCallback: attr.url({ invalid: url }),
    statusCallbackMethod: attr.method({ default: 'POST', invalid: method }),
  }) as const;

/** Whom a noun tells of its recording. */
export const recordingCallbacks = (method: TwimlCode = SCHEMA) =>
  ({
    recordingStatusCallback: attr.url({ invalid: 13256 }),
    recordingStatusCallbackMethod: attr.method({ default: 'POST', invalid: method }),
    recordingStatusCallbackEvent: attr.listOf(['in-progress', 'completed', 'absent'], {
      default: ['completed'],
      invalid: 13621,
    }),
  }) as const;

/** How a call is recorded; the older values true and false stand for two of them. */
export const RECORD_MODES = [
  'do-not-record',
  'record-from-answer',
  'record-from-ringing',
  'record-from-answer-dual',
  'record-from-ringing-dual',
] as const;

/** `<Parameter>`: what an application tells another one, by name. */
export const parameter = element({
  key: 'Parameter',
  docs: 'dial/application#parameter',
  attributes: {
    name: attr.text(
      { default: '', invalid: SCHEMA, required: SCHEMA },
      /^\s*\S/,
      'a name of at least one character',
    ),
    value: attr.text({ default: '', invalid: SCHEMA }),
  },
});

/** `<Config>`: a setting of a virtual agent or of a transcription. */
export const config = element({
  key: 'Config',
  docs: 'virtualagent#config',
  support: 'refused',
  refusal: 13750,
  attributes: {
    name: attr.text(
      { default: '', invalid: SCHEMA, required: SCHEMA },
      /^\s*\S/,
      'a name of at least one character',
    ),
    value: attr.text({ default: '', invalid: SCHEMA, required: SCHEMA }),
  },
});

/** Elements by key. */
export type Family = ReadonlyMap<string, ElementSpec>;

export const familyOf = (specs: readonly ElementSpec[]): Family =>
  new Map(specs.map((spec) => [spec.key, spec]));
