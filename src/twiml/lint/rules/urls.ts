import { parseOverrides } from '../../../webhook/overrides.ts';
import { isPrivateAddress } from '../../../webhook/private-address.ts';
import { isTarget, parseTarget } from '../../../webhook/request.ts';
import { bodyOf, childrenNamed } from '../element-text.ts';
import type { Rule } from '../rule.ts';
import { hasScheme, lacksScheme, nameOf } from '../written-urls.ts';

/** A URL without scheme that begins with a host is a path below the document's own. */
export const missingScheme: Rule = {
  id: 'missing-scheme',
  level: 'warning',
  title: 'A URL without its https://',
  docs: 'https://www.twilio.com/docs/voice/twiml#relative-urls',
  check({ urls }, report) {
    for (const url of urls) {
      if (url.use === 'socket' || !lacksScheme(url.value)) continue;
      const expected = `https://${url.value}`.slice(0, 100);
      const message = `${nameOf(url)} has no scheme, so it means a path beside this document; write ${expected}.`;
      report(url.position, { message, actual: url.value.slice(0, 100), expected });
    }
  },
};

/** Any base: whether a relative URL can be used does not depend on it. RFC 2606 */
const SOME_BASE = 'https://document.invalid/';

/** A path on the document's host and nothing else: as usable as the document's own URL. */
const PATH = /^\/(?![/\\])[!-~]*$/;

/** URLs that cannot be requested, whatever they are relative to: fatal for a call that comes to them. */
export const unusableUrl: Rule = {
  id: 'unusable-url',
  level: 'error',
  title: 'A URL that cannot be requested',
  docs: 'https://www.twilio.com/docs/api/errors/11100',
  check({ urls, url: base }, report) {
    const usable = base === undefined || isTarget(parseTarget(base));
    for (const url of urls) {
      if (url.use === 'socket' || (usable && PATH.test(url.value))) continue;
      const target = parseTarget(url.value, base ?? SOME_BASE);
      if (isTarget(target)) continue;
      const expected = 'an absolute http or https URL, or a relative one';
      const message = `${nameOf(url)} cannot be requested: ${target.message}`;
      report(url.position, { code: 11100, message, actual: url.value.slice(0, 100), expected });
    }
  },
};

/** Relative URLs need the document's own. */
export const relativeUrl: Rule = {
  id: 'relative-url',
  level: 'note',
  title: 'A relative URL in a document without address',
  docs: 'https://www.twilio.com/docs/api/errors/15004',
  check({ urls, url: base, inline }, report) {
    if (base !== undefined) return;
    const relative = urls.filter(({ value }) => !hasScheme(value) && !lacksScheme(value));
    for (const url of inline ? relative : relative.slice(0, 1)) {
      const actual = url.value.slice(0, 100);
      const which = relative.length > 1 ? ` (the first of ${relative.length})` : '';
      const message = inline
        ? `${nameOf(url)} is relative, and a document that is handed over as text has no URL; write an absolute one.`
        : `${nameOf(url)}${which} is relative: it needs the URL this document is served at, which is not known here; name that to check it (--url), and write absolute URLs where the document is handed over as text.`;
      const found = { message, actual, expected: 'an absolute URL', code: 15004 };
      report(url.position, inline ? { ...found, level: 'error' } : found);
    }
  },
};

/** A `<Redirect>` without a URL in a document that has none. */
export const redirectNowhere: Rule = {
  id: 'redirect-nowhere',
  level: 'error',
  title: 'Redirect to itself in a document without address',
  docs: 'https://www.twilio.com/docs/api/errors/11100',
  check({ verbs, inline }, report) {
    if (!inline) return;
    for (const verb of verbs) {
      if (verb.name !== 'Redirect' || bodyOf(verb).text !== '') continue;
      const message =
        '<Redirect> names no URL, and a document that is handed over as text has none to be asked for again; write an absolute one.';
      report(verb.position, { code: 11100, message, expected: 'an absolute URL' });
    }
  },
};

/** A `<Play>` with neither a file nor keys ends the call that comes to it. */
export const nothingToPlay: Rule = {
  id: 'nothing-to-play',
  level: 'error',
  title: 'A Play without a file',
  docs: 'https://www.twilio.com/docs/voice/twiml/play',
  check({ verbs, elements }, report) {
    const prompts = elements.filter(({ name }) => name === 'Gather' || name === 'Prompt');
    const nested = prompts.flatMap((prompt) => childrenNamed(prompt, 'Play'));
    for (const element of [...verbs.filter(({ name }) => name === 'Play'), ...nested]) {
      if (element.attributes.has('digits') || bodyOf(element).text !== '') continue;
      const message =
        '<Play> names no file, which ends the call; put the URL of an audio file between the tags.';
      report(element.position, { code: 11100, message, expected: 'the URL of an audio file' });
    }
  },
};

/** Names that are never looked up in the public DNS. RFC 6761, RFC 6762, RFC 8375 and what people use at home. */
const PRIVATE_NAME = /(?:^|\.)(?:localhost|local|internal|intranet|test|invalid|lan|home|corp|home\.arpa)$/i;

function isPublicHost(host: string): boolean {
  if (/^\[|^\d+(?:\.\d+){3}$/.test(host)) return !isPrivateAddress(host);
  return host.includes('.') && !PRIVATE_NAME.test(host);
}

/** What the caller says and types travels readable. Files to play hold nothing of the caller: they may. */
export const plainHttp: Rule = {
  id: 'plain-http',
  level: 'warning',
  title: 'Plain HTTP to a public host',
  docs: 'https://www.twilio.com/docs/usage/security',
  check({ urls }, report) {
    for (const url of urls) {
      if (url.use !== 'application' || !/^http:\/\//i.test(url.value) || !URL.canParse(url.value)) continue;
      const { hostname } = new URL(url.value);
      if (!isPublicHost(hostname)) continue;
      const message = `${nameOf(url)} uses plain HTTP to ${hostname}: what callers type and say, and their numbers, can be read and changed on the way; use https.`;
      report(url.position, { message, actual: `http://${hostname}`, expected: `https://${hostname}` });
    }
  },
};

/** `#e=…`, `#rc=…`: what the webhook client itself would say. */
export const connectionOverride: Rule = {
  id: 'connection-override',
  level: 'warning',
  title: 'A connection override that cannot be used',
  docs: 'https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides',
  check({ urls }, report) {
    for (const url of urls) {
      if (url.use === 'socket' || !url.value.includes('#')) continue;
      for (const { code, level, message, actual, expected } of parseOverrides(url.value).diagnostics) {
        report(url.position, { code, level, message, actual, expected });
      }
    }
  },
};
