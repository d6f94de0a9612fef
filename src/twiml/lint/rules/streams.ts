import { written } from '../element-text.ts';
import type { Rule } from '../rule.ts';
import { hasScheme, nameOf } from '../written-urls.ts';

/** Callbacks that are documented as absolute: what is asked later has no document any more. */
const ABSOLUTE: ReadonlyMap<string, string> = new Map([
  ['Stream', 'statusCallback'],
  ['Transcription', 'statusCallbackUrl'],
]);

export const absoluteCallback: Rule = {
  id: 'absolute-callback',
  level: 'warning',
  title: 'A relative callback where only an absolute one is taken',
  docs: 'https://www.twilio.com/docs/voice/twiml/stream#statuscallback',
  check({ urls }, report) {
    for (const url of urls) {
      const only = ABSOLUTE.get(url.element.name);
      if (only === undefined || only !== url.attribute || hasScheme(url.value)) continue;
      const message = `${nameOf(url)} must be an absolute URL; write one.`;
      report(url.position, { message, actual: url.value.slice(0, 100), expected: 'an absolute URL' });
    }
  },
};

/** A name tells what is to be stopped, so it is unique in a call. */
export const sameName: Rule = {
  id: 'same-name',
  level: 'warning',
  title: 'Two streams of one name',
  docs: 'https://www.twilio.com/docs/voice/twiml/stream#name',
  check({ verbs }, report) {
    const seen = new Set<string>();
    for (const verb of verbs) {
      if (verb.name === 'Stop') return; // what was stopped gives its name back
      if (verb.name !== 'Start') continue;
      for (const noun of verb.children) {
        if (!('name' in noun)) continue;
        const name = written(noun, 'name');
        if (!name) continue;
        const key = `${noun.name} ${name}`;
        const position = noun.attributes.get('name')?.position ?? noun.position;
        const message = `a <${noun.name}> of the name "${name.slice(0, 60)}" has been started above; names are unique in a call: give this one another.`;
        if (seen.has(key)) report(position, { message, actual: name.slice(0, 100) });
        seen.add(key);
      }
    }
  },
};
