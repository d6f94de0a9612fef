import type { TwimlElement } from '../../document/element.ts';
import { childrenNamed, isOn, written } from '../element-text.ts';
import type { LintLevel } from '../lint-diagnostic.ts';
import type { Rule } from '../rule.ts';
import { takesKeys, takesSpeech } from './takes.ts';

/** Attributes that mean nothing unless something else is there. */
interface Dependence {
  readonly of: readonly string[];
  /** Absent: of every element that has them. */
  readonly on?: readonly string[];
  /** What is missing, as the message says it. */
  readonly needs: string;
  readonly met: (element: TwimlElement) => boolean;
  /** A warning where something was meant to happen that will not; else a note. */
  readonly level: LintLevel;
}

const has = (name: string) => (element: TwimlElement) => Boolean(written(element, name));

/** Settings of a request that is never made. */
const request = (needs: string, of: readonly string[], on?: readonly string[]): Dependence => ({
  of,
  ...(on && { on }),
  needs,
  met: has(needs),
  level: of.some((name) => name.endsWith('Event')) ? 'warning' : 'note',
});

/** `<Dial record>` is off by default; a conference, and what comes through the API, is recorded by itself. */
function isRecorded(dial: TwimlElement): boolean {
  const record = written(dial, 'record') ?? 'do-not-record';
  return !['do-not-record', 'false'].includes(record) || childrenNamed(dial, 'Conference').length > 0;
}

/** Nouns whose `url` is a document, asked for with their `method`. */
const SCREENED = ['Number', 'Sip', 'Client', 'WhatsApp', 'Application', 'Queue'];

/** @see https://www.twilio.com/docs/voice/twiml: "requires", "only if", "has no effect unless" on each verb's page */
const DEPENDENCES: readonly Dependence[] = [
  request('action', ['method'], ['Dial', 'Enqueue', 'Connect', 'Refer']), // without one they continue
  request('url', ['method'], SCREENED),
  request('statusCallback', ['statusCallbackEvent']),
  request('statusCallback', ['statusCallbackMethod']),
  request('recordingStatusCallback', ['recordingStatusCallbackEvent']),
  request('recordingStatusCallback', ['recordingStatusCallbackMethod']),
  request('partialResultCallback', ['partialResultCallbackMethod']),
  request('amdStatusCallback', ['amdStatusCallbackMethod']),
  request('referUrl', ['referMethod']),
  request('waitUrl', ['waitMethod'], ['Conference']),
  request('waitUrl', ['waitUrlMethod'], ['Enqueue']),
  {
    of: ['recordingStatusCallback'],
    on: ['Dial'],
    needs: 'record, and nothing is recorded by default',
    met: isRecorded,
    level: 'warning',
  },
  {
    of: ['trim', 'recordingTrack', 'recordingConfigurationId'],
    on: ['Dial'],
    needs: 'record, and nothing is recorded by default',
    met: isRecorded,
    level: 'note',
  },
  {
    of: ['amdStatusCallback'],
    needs: 'machineDetection',
    met: has('machineDetection'),
    level: 'warning',
  },
  {
    of: [
      'machineDetectionTimeout',
      'machineDetectionSpeechThreshold',
      'machineDetectionSpeechEndThreshold',
      'machineDetectionSilenceTimeout',
    ],
    needs: 'machineDetection',
    met: has('machineDetection'),
    level: 'note',
  },
  {
    of: ['transcribeCallback'],
    on: ['Record'],
    needs: 'transcribe="true"',
    met: (record) => isOn(record, 'transcribe'),
    level: 'warning',
  },
  {
    of: ['hints', 'partialResultCallback', 'speechTimeout', 'speechModel'],
    on: ['Gather'],
    needs: 'input="speech" or input="dtmf speech", and speech is not listened for by default',
    met: takesSpeech,
    level: 'warning',
  },
  {
    of: ['language', 'profanityFilter', 'enhanced', 'maxSpeechTime'],
    on: ['Gather'],
    needs: 'input="speech" or input="dtmf speech": it is not passed on to the prompts inside',
    met: takesSpeech,
    level: 'note',
  },
  {
    of: ['numDigits', 'finishOnKey'],
    on: ['Gather'],
    needs: 'input="dtmf" or input="dtmf speech"',
    met: takesKeys,
    level: 'note',
  },
];

/** The same by the attributes concerned. */
const BY_ATTRIBUTE: ReadonlyMap<string, readonly Dependence[]> = new Map(
  DEPENDENCES.flatMap(({ of }) => of).map((name) => [
    name,
    DEPENDENCES.filter(({ of }) => of.includes(name)),
  ]),
);

/** Attributes that a document wrote for nothing. */
export const withoutEffect: Rule = {
  id: 'without-effect',
  level: 'warning',
  title: 'An attribute that has no effect without another',
  docs: 'https://www.twilio.com/docs/voice/twiml',
  check({ elements }, report) {
    for (const element of elements) {
      for (const [name, { position, value }] of element.attributes) {
        const dependences = BY_ATTRIBUTE.get(name);
        if (!dependences) continue;
        for (const { on, needs, met, level } of dependences) {
          if ((on && !on.includes(element.name)) || met(element)) continue;
          const message = `${name} of <${element.name}> has no effect without ${needs}; add that, or leave ${name} out.`;
          report(position, { level, message, actual: value.slice(0, 100), expected: needs });
        }
      }
    }
  },
};
