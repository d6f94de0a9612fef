import { attr } from '../verbs/attributes.ts';
import { applicationNoun } from '../verbs/dial/application-noun.ts';
import { numberNoun } from '../verbs/dial/number-noun.ts';
import { sipNoun } from '../verbs/dial/sip-noun.ts';
import { allVerbs } from '../verbs/registry.ts';
import { familyOf, parameter } from './common.ts';
import { connectFamily } from './connect.ts';
import {
  applicationSid,
  client,
  conference,
  header,
  headers,
  identity,
  referSip,
  sim,
  uri,
  whatsApp,
} from './dial-nouns.ts';
import { type ElementSpec, element, nameIn } from './element-spec.ts';
import { task } from './queue.ts';
import { ssml } from './ssml.ts';
import { startFamily } from './start.ts';

/** The root of a document. @see https://www.twilio.com/docs/voice/twiml */
const response = element({
  key: 'Response',
  docs: '.',
  attributes: {
    version: attr.text({ default: undefined, invalid: 12101 }), // judged by the parser
  },
  children: allVerbs.map(({ key }) => key),
});

/** All that may stand in a document, by key: what is read, checked, listed and completed is taken from here. */
export const grammar: ReadonlyMap<string, ElementSpec> = new Map<string, ElementSpec>([
  [response.key, response],
  ...connectFamily,
  ...startFamily,
  ...familyOf(allVerbs),
  ...familyOf([parameter, task, ...ssml]),
  ...familyOf([numberNoun, sipNoun, applicationNoun, applicationSid, client, identity, conference]),
  ...familyOf([sim, whatsApp, referSip, uri, headers, header]),
]);

/** The spec of an element by its name and that of its parent. */
export function specIn(parent: ElementSpec, name: string): ElementSpec | undefined {
  const key = parent.children.find((candidate) => nameIn(candidate) === name);
  return key === undefined ? undefined : grammar.get(key);
}
