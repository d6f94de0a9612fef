import type { Diagnostic } from '../../../core/diagnostic.ts';
import { isElement, type TwimlElement, textOf } from '../../document/element.ts';
import { familyOf } from '../../grammar/common.ts';
import { conference, sim, whatsApp } from '../../grammar/dial-nouns.ts';
import { queue } from '../../grammar/queue.ts';
import { readElement, textAt } from '../../grammar/read-element.ts';
import { reportChild } from '../bodies.ts';
import { type Body, type ReadContext, reportAt } from '../define-verb.ts';
import { mayBeRegistered } from '../sip-uri.ts';
import { readApplication, withoutSecondApplications } from './application-noun.ts';
import { readClient } from './client-noun.ts';
import { readNumber, readPlainNumber } from './number-noun.ts';
import { type NounContext, type Parties, type Party, withhold } from './party.ts';
import { readSip } from './sip-noun.ts';

/** @see https://www.twilio.com/docs/voice/twiml/dial */
const MOST_PARTIES = 10;

type Noun = (element: TwimlElement, context: NounContext) => Party | undefined;

const NOUNS: ReadonlyMap<string, Noun> = new Map<string, Noun>([
  ['Number', readNumber],
  ['Sip', readSip],
  ['Application', readApplication],
  ['Client', readClient],
]);

/** Nouns that are read and not called. @see https://www.twilio.com/docs/voice/twiml/dial */
const withheld = familyOf([conference, queue, sim, whatsApp]);

const NAMES = ['Application', 'Client', 'Conference', 'Number', 'Queue', 'Sim', 'Sip', 'WhatsApp'] as const;

/** The parties of a `<Dial>` in document order: nouns, or a number as text. At most ten; the rest is 13250. */
export const partiesBody: Body<Parties> = {
  children: NAMES,
  invalidChild: 13215,
  text: { expected: 'a telephone number', invalid: 13223 },
  read(element, context) {
    const unavailable: Diagnostic[] = [];
    const inner: NounContext = {
      url: context.url,
      within: element.name,
      report: (found) => context.report(found),
      unavailable: (found) => unavailable.push(found),
    };
    const nouns = element.children.filter(isElement);
    if (nouns.length === 0) {
      const party = readPlainNumber(element, inner);
      return { called: party ? [party] : [], unavailable };
    }
    const text = textOf(element).trim();
    if (text !== '') {
      const message = `<Dial> takes either a number or nouns; the text "${text.slice(0, 40)}" is ignored.`;
      reportAt(inner, 12200, textAt(element), message, { actual: text.slice(0, 100) });
    }
    const parties = nouns.flatMap((noun) => readNoun(noun, inner) ?? []);
    reportMixture(nouns, inner);
    const called = withoutSecondApplications(atMostTen(parties, inner), inner);
    return { called: withoutSecondConnections(called, inner), unavailable };
  },
};

function readNoun(element: TwimlElement, context: NounContext): Party | undefined {
  const { name, position } = element;
  const noun = NOUNS.get(name);
  if (noun) return noun(element, context);
  const spec = NAMES.some((known) => known === name) ? withheld.get(name) : undefined;
  if (spec) {
    readElement(spec, element, context, withheld);
    const message = `<Dial><${name}> is not available here; it is not called.`;
    withhold(context, spec.refusal ?? 13750, position, message, name);
  } else reportChild(element, { name: 'Dial' }, context, NAMES, 13215);
  return undefined;
}

/** A conference is for itself. @see https://www.twilio.com/docs/api/errors/13000 */
function reportMixture(nouns: readonly TwimlElement[], context: ReadContext): void {
  const room = nouns.find(({ name }) => name === conference.name);
  if (!room || nouns.every(({ name }) => name !== 'Number')) return;
  const message = '<Conference> cannot be dialled together with <Number>; put it into a <Dial> of its own.';
  reportAt(context, 13000, room.position, message, { actual: `${nouns.length} nouns`, expected: '1' });
}

function atMostTen(parties: readonly Party[], context: ReadContext): readonly Party[] {
  const first = parties[MOST_PARTIES];
  if (!first) return parties;
  const message = `<Dial> calls at most ${MOST_PARTIES} parties; ${parties.length} are named, those from here on are not called.`;
  const details = { actual: `${parties.length}`, expected: `at most ${MOST_PARTIES}` };
  reportAt(context, 13250, first.position, message, details);
  return parties.slice(0, MOST_PARTIES);
}

/** Our choice of what the warning 32303 means: the first party called through a connection is the only one. */
function withoutSecondConnections(parties: readonly Party[], context: ReadContext): readonly Party[] {
  const through = parties.filter(
    ({ target }) => target.kind === 'sip' && target.connectionSid !== undefined && !mayBeRegistered(target),
  );
  for (const { position } of through.slice(1)) {
    const message =
      'only one party of a <Dial> may be called with tnx; this one is not called; use edge instead.';
    reportAt(context, 32303, position, message, { expected: 'edge=' });
  }
  if (through.length < 2) return parties;
  const left = new Set(through.slice(1));
  return parties.filter((party) => !left.has(party));
}
