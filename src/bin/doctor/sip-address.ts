import type { Installation } from '../../compose/installation.ts';
import { formatAddress } from '../../compose/ports.ts';
import { isE164 } from '../../core/e164.ts';
import { type EdgeId, isEdgeId } from '../../region/edge.ts';
import { readSipHost, type SipHost } from '../../region/sip-host.ts';
import { parseUri, type SipUri } from '../../sip/message/uri.ts';
import type { Finding } from './finding.ts';
import { examineNumber } from './phone-number.ts';
import type { RegionServices } from './region-services.ts';
import { askRoute } from './route.ts';
import { withoutLogin } from './secrets.ts';
import { domainProblems } from './sip-domain.ts';
import { examineTarget } from './sip-target.ts';

type Edge = Finding['edge'];
type Named = Extract<SipHost, { readonly kind: 'sip-domain' | 'trunk' }>;
type Proxy = Extract<SipHost, { readonly kind: 'proxy' }>;

/** Everything about a SIP URI or the host of one. */
export async function examineSip(text: string, services: RegionServices): Promise<Finding> {
  const subject = withoutLogin(text);
  const uri = parseUri(/^sips?:/i.test(text) ? text : `sip:${text}`);
  if (!uri) return wrong(subject, `'${subject}' is not a SIP URI: expected sip:user@host, or a host name.`);
  const { installation } = services;
  const host = readSipHost(uri.host, installation.domain);
  if (host.kind === 'wrong') return wrong(subject, host.message);
  if (host.kind === 'sip-domain' || host.kind === 'trunk') return examineNamed(subject, uri, host, services);
  if (host.kind === 'proxy') return examineProxy(subject, uri, host, services);
  const own = [...installation.edges].find(
    ([, at]) => at.host === uri.host && at.port === (uri.port ?? 5060),
  );
  if (!own) return examineTarget(subject, text, services);
  const [edge, address] = own;
  return entering(subject, uri, { id: edge, why: `${formatAddress(address)} is its socket` }, services);
}

function wrong(subject: string, problem: string): Finding {
  const nowhere = { id: null, why: 'nothing is sent to it' };
  return { subject, kind: 'sip', edge: nowhere, region: nowhere, problems: [problem], notes: [] };
}

/** A SIP domain or a trunk's termination: the host names the edge, the route table the Region. */
async function examineNamed(
  subject: string,
  uri: SipUri,
  host: Named,
  services: RegionServices,
): Promise<Finding> {
  const { kind, name, base } = host;
  const service = kind === 'trunk' ? 'pstn' : 'sip';
  const key = `${name}.${service}.${base}`;
  const collection = kind === 'trunk' ? 'Trunks' : 'SipDomains';
  const what = `the ${kind === 'trunk' ? 'trunk' : 'SIP domain'} ${key}`;
  const routing = await askRoute({ what, path: `${collection}/${key}` }, services);
  const id = routing.region.id;
  const problems =
    kind === 'trunk' ? notRunning(id, services.installation) : await domainProblems(name, id, services);
  const edge = namedEdge(host.label, host.edge, key, services.installation);
  return {
    subject,
    kind: 'sip',
    edge,
    region: routing.region,
    problems,
    notes: [
      ...legacyNotes(host.label, host.edge),
      ...dialledNotes(uri, host),
      ...ignored(uri),
      ...routing.notes,
    ],
  };
}

/** `sip.<edge>.<base>`: packets enter there; what they are for is in the Request-URI. */
async function examineProxy(
  subject: string,
  uri: SipUri,
  host: Proxy,
  services: RegionServices,
): Promise<Finding> {
  const edge = namedEdge(host.label, host.edge, `sip.${host.base}`, services.installation);
  const finding = await entering(subject, uri, edge, services);
  return { ...finding, notes: [...legacyNotes(host.label, host.edge), ...finding.notes] };
}

/** A request that enters at an edge's own address is for a number, or is passed on by what its Request-URI says. */
async function entering(
  subject: string,
  uri: SipUri,
  edge: Edge,
  services: RegionServices,
): Promise<Finding> {
  const user = uri.userDecoded;
  if (user === undefined) {
    const why = 'the domain, trunk or number in the Request-URI is looked up in the route table';
    return { subject, kind: 'sip', edge, region: { id: null, why }, problems: [], notes: ignored(uri) };
  }
  if (!isE164(user)) {
    const problem = `'${user}' is not a number in E.164 and the host is no SIP domain: an INVITE for it is refused with 404.`;
    return { ...wrong(subject, problem), edge };
  }
  const number = await examineNumber(user, services);
  return { ...number, subject, kind: 'sip', edge, notes: [...number.notes, ...ignored(uri)] };
}

function namedEdge(label: string | undefined, edge: EdgeId, without: string, { edges }: Installation): Edge {
  const at = edges.get(edge);
  const here = at ? `; here that is UDP and TCP ${formatAddress(at)}` : '';
  if (label === undefined) return { id: edge, why: `${without} names no edge, which means ${edge}${here}` };
  return { id: edge, why: `the host names it ('${label}'), for the way in and nothing else${here}` };
}

/** The one spelling that Twilio's pages disagree about is a decision of ours: docs/regional-pages.md. */
function legacyNotes(label: string | undefined, edge: EdgeId): string[] {
  if (label === undefined || isEdgeId(label)) return [];
  const notes = [
    `'${label}' is the legacy name of the edge ${edge} here, and never a Region; write '${edge}'.`,
  ];
  if (label === 'de1') {
    notes.push(
      "One of Twilio's pages shows 'de1' as an Interconnect exchange; everywhere else it is the public edge, and that is " +
        'how it is read here. The exchange is frankfurt-ix, or de1-ix.',
    );
  }
  return notes;
}

/** How the same URI does when it is dialled. @see https://www.twilio.com/docs/api/errors/32220 and 32221 */
function dialledNotes({ user }: SipUri, { kind, name, label, base }: Named): string[] {
  if (kind === 'trunk' || user === undefined) return [];
  const dialled = "As a target of <Sip> or of the API's To";
  const target = `sip:${user}@${name}.sip.${base}`;
  if (label === undefined) return [`${dialled} it rings if the Region of that call has ${user} registered.`];
  if (isEdgeId(label)) return [`${dialled} it is refused with 32220 for the edge in it: call ${target}.`];
  return [
    `${dialled} a legacy code reaches what is registered at that edge alone (else 32221): call ${target}.`,
  ];
}

/** @see https://www.twilio.com/docs/voice/api/receiving-sip */
function ignored(uri: SipUri): string[] {
  return ['edge', 'region', 'tnx']
    .filter((name) => uri.params.has(name))
    .map((name) => `The parameter ${name}= is for calls to equipment of yours; here it is ignored.`);
}

function notRunning(region: string | null, { regions }: Installation): string[] {
  if (region === null || regions.some(({ id }) => id === region)) return [];
  return [`It is routed to ${region}, which does not run here: calls to it are refused with 503.`];
}
