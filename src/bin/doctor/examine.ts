import { isIP } from 'node:net';
import type { Installation } from '../../compose/installation.ts';
import { readPlaceName } from '../../region/place-name.ts';
import { REGION_IDS, REGIONS } from '../../region/region.ts';
import { readSipHost } from '../../region/sip-host.ts';
import { examineCredential, isCredential } from './credential.ts';
import type { Finding } from './finding.ts';
import { examineNumber } from './phone-number.ts';
import { RegionServices } from './region-services.ts';
import { examineRestHost } from './rest-host.ts';
import { withoutLogin } from './secrets.ts';
import { examineSip } from './sip-address.ts';

/** Says which edge and which Region a text means, why, and what is wrong; asks the running installation if it must. */
export async function examine(text: string, installation: Installation): Promise<Finding> {
  const services = new RegionServices(installation);
  if (isCredential(text)) return examineCredential(text, services);
  if (/^https?:/i.test(text)) return examineUrl(text, installation);
  if (/^sips?:/i.test(text) || /[@;]/.test(text)) return examineSip(text, services);
  if (/^tel:/i.test(text) || isNumber(text)) return examineNumber(text, services);
  const host = text.replace(/:\d*$/, '');
  const place = readPlaceName(host);
  if (place.kind !== 'neither' || place.known) return examinePlace(host);
  if (isSipHost(text, host, installation)) return examineSip(text, services);
  if (/^(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.test(text)) return examineRestHost(text, installation);
  return unknown(text);
}

function examineUrl(text: string, installation: Installation): Finding {
  if (!URL.canParse(text)) return unknown(withoutLogin(text));
  const url = new URL(text);
  const finding = examineRestHost(url.host, installation);
  if (url.username === '' && url.password === '') return finding;
  const note =
    'The URL carries credentials, which are not shown here: give them on their own, as SID:secret.';
  return { ...finding, notes: [...finding.notes, note] };
}

/** Digits as people write them; an IPv4 address is none. */
function isNumber(text: string): boolean {
  return /^\+?[\d\s().-]+$/.test(text) && /\d/.test(text) && isIP(text) === 0;
}

/** A name that SIP knows, or an edge's own address. */
function isSipHost(text: string, host: string, { domain, edges }: Installation): boolean {
  const named = readSipHost(host, domain).kind;
  if (named === 'sip-domain' || named === 'trunk' || named === 'proxy') return true;
  if (named === 'wrong' && /\.?(sip|pstn)\./i.test(host)) return true;
  return [...edges.values()].some((at) => `${at.host}:${at.port}` === text);
}

/** A bare name, as it stands in VoiceRegion, TRUNKLINE_REGIONS or `edge=`. */
function examinePlace(name: string): Finding {
  const place = readPlaceName(name);
  const edge =
    place.kind === 'edge' ? place.edge : place.kind === 'region' ? REGIONS[place.region].homeEdge : null;
  const home =
    place.kind === 'region' ? `${edge} is its home edge: the way out of calls that name none` : undefined;
  const region = place.kind === 'region' ? place.region : null;
  const regions = `The Regions are ${REGION_IDS.join(', ')}.`;
  const problem = `'${name}' ${place.says}. ${regions}`;
  return {
    subject: name,
    kind: 'place',
    edge: { id: edge, why: home ?? (edge ? 'that is what the name says' : 'no edge has this name') },
    region: { id: region, why: `'${name}' ${place.says}` },
    problems: place.kind === 'neither' || (place.kind === 'edge' && place.legacy) ? [problem] : [],
    notes: place.kind === 'edge' && !place.legacy ? [regions] : [],
  };
}

function unknown(text: string): Finding {
  const nothing = { id: null, why: 'nothing was recognised' };
  const problem =
    `'${text}' is none of these: a host name or URL of the REST API (api.dublin.ie1.<domain>), a SIP URI or host ` +
    '(acme.sip.dublin.<domain>), a phone number (+353209155143), a credential (AC…:token, SK…:secret), an edge or a Region.';
  return { subject: text, kind: 'unknown', edge: nothing, region: nothing, problems: [problem], notes: [] };
}
