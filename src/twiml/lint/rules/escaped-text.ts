import { isElement, type TwimlElement, type TwimlText, visiblePosition } from '../../document/element.ts';
import type { Rule } from '../rule.ts';
import { nameOf } from '../written-urls.ts';

/** A reference that is left after all references were resolved: it was escaped twice. */
const REFERENCE = /&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,7}|#x[0-9a-f]{1,6});/i;

/** Tags of SSML as text. @see https://www.twilio.com/docs/voice/twiml/say/text-speech#ssml */
const MARKUP =
  /<\/?(?:speak|break|emphasis|lang|p|phoneme|prosody|s|say-as|sub|w|amazon:[a-z-]+)(?:\s[^<>]*)?\/?>/i;

/** The texts inside `<Say>`, in its SSML as well, that may hold what was escaped. */
function suspectTexts(element: TwimlElement, found: TwimlText[]): void {
  for (const child of element.children) {
    if (!isElement(child)) {
      if (child.text.includes('&') || child.text.includes('<')) found.push(child);
    } else if (child.name !== 'Say') suspectTexts(child, found); // its turn comes
  }
}

/** Text that was escaped once too often, by an application that escapes what its library escapes again. */
export const escapedTwice: Rule = {
  id: 'escaped-twice',
  level: 'warning',
  title: 'Text that was escaped twice',
  docs: 'https://www.twilio.com/docs/voice/twiml/say',
  check({ elements, urls }, report) {
    const suspects: TwimlText[] = [];
    for (const element of elements) if (element.name === 'Say') suspectTexts(element, suspects);
    for (const suspect of suspects) {
      const { text } = suspect;
      const position = visiblePosition(suspect);
      const [reference] = REFERENCE.exec(text) ?? [];
      const [tag] = MARKUP.exec(text) ?? [];
      if (reference !== undefined) {
        const message = `the text holds "${reference}" after its references were resolved, so it is spoken as it stands; escape it once.`;
        report(position, { message, actual: reference });
      } else if (tag !== undefined) {
        const shown = tag.slice(0, 60);
        const message = `the text holds the tag "${shown}" as text, so it is spoken instead of obeyed; write it unescaped (libraries have methods for it), not as &lt;…&gt; or in CDATA.`;
        report(position, { message, actual: shown, expected: 'an element' });
      }
    }
    for (const url of urls) {
      const [reference] = REFERENCE.exec(url.value) ?? [];
      if (reference === undefined) continue;
      const message = `${nameOf(url)} holds "${reference}" after its references were resolved, so it is requested with it; escape it once: &amp; for each &.`;
      report(url.position, { message, actual: url.value.slice(0, 100) });
    }
  },
};
