import { addressFault } from '../../../config/registered-address.ts';
import type { TwimlElement } from '../../document/element.ts';
import { readSipTarget } from '../../verbs/sip-uri.ts';
import { bodyOf, childrenNamed } from '../element-text.ts';
import type { LintedDocument, Rule } from '../rule.ts';

/** What `<Dial>` calls by a SIP URI. */
function dialledUris({ elements }: LintedDocument): readonly { sip: TwimlElement; uri: string }[] {
  const found: { sip: TwimlElement; uri: string }[] = [];
  for (const dial of elements) {
    if (dial.name !== 'Dial') continue;
    for (const sip of childrenNamed(dial, 'Sip')) found.push({ sip, uri: bodyOf(sip).text });
  }
  return found;
}

/** The parameters of a SIP URI as written, names in lower case. */
function parametersOf(uri: string): ReadonlyMap<string, string> {
  const [address = ''] = uri.slice(uri.indexOf('@') + 1).split('?');
  const pairs = address.split(';').slice(1);
  return new Map(
    pairs.map((pair) => {
      const [name = '', value = ''] = pair.split('=');
      return [name.trim().toLowerCase(), value.trim()];
    }),
  );
}

/** Parameters of a SIP URI that have a successor. */
const LEGACY = new Map([
  [
    'tnx',
    {
      level: 'warning',
      message:
        'tnx= is deprecated and only one party of a <Dial> may be called with it; name the Interconnect edge instead: edge=ashburn-ix, london-ix and so on.',
      expected: 'edge=',
    },
  ],
  [
    'region',
    {
      level: 'note',
      message:
        'region= is the older spelling of edge=: it names the edge the call leaves from and never a Region; write edge=.',
      expected: 'edge=',
    },
  ],
] as const);

export const legacySipParameter: Rule = {
  id: 'legacy-sip-parameter',
  level: 'warning',
  title: 'A deprecated parameter of a SIP URI',
  docs: 'https://www.twilio.com/docs/voice/twiml/sip#uri-parameters',
  check(document, report) {
    for (const { sip, uri } of dialledUris(document)) {
      if (!/;\s*(?:tnx|region)/i.test(uri)) continue;
      const parameters = parametersOf(uri);
      for (const [name, finding] of LEGACY) {
        const value = parameters.get(name);
        if (value === undefined) continue;
        report(bodyOf(sip).position, { ...finding, actual: `${name}=${value}`.slice(0, 100) });
      }
    }
  },
};

/** Addresses of registered devices: what the call would be told, as far as the URI alone says it. */
export const registeredAddress: Rule = {
  id: 'registered-address',
  level: 'error',
  title: 'A registered address that cannot be called as it is written',
  docs: 'https://www.twilio.com/docs/voice/api/sip-registration',
  check(document, report) {
    for (const { sip, uri } of dialledUris(document)) {
      if (!/\.sip\./i.test(uri)) continue; // every such address has this label
      const { target } = readSipTarget(uri, { devices: true });
      const judged = target && (addressFault(target.uri, document.domain) ?? target.barred);
      if (!target || judged === undefined) continue;
      const { position } = bodyOf(sip);
      if (judged !== 'registered') {
        const { code, level, message, actual, expected } = judged;
        report(position, { code, level, message, actual, expected });
      } else if ((target.edge ?? target.connectionSid ?? target.barred) !== undefined) {
        const message =
          'edge=, region= and tnx= mean nothing to a registered address: each device is called through the edge it registered by; leave them out.';
        report(position, { level: 'note', message, actual: uri.slice(0, 100) });
      }
    }
  },
};
