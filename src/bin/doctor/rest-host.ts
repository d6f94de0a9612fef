import { isIP } from 'node:net';
import type { Installation } from '../../compose/installation.ts';
import { isEdgeId } from '../../region/edge.ts';
import { restHost, restTarget, TWILIO } from '../../region/host-names.ts';
import { DEFAULT_REGION, REGIONS, type RegionId } from '../../region/region.ts';
import type { Finding } from './finding.ts';

/** Everything about the host of a REST request, with or without a port. */
export function examineRestHost(host: string, installation: Installation): Finding {
  const service = installation.regions.find(({ url }) => sameAddress(host, url));
  if (service) return ownPort(host, service.id, installation);
  const target = restTarget(host, installation.domain);
  if ('refused' in target) return refused(host, target, installation);
  const { region } = target;
  const edge = edgeLabel(host, region);
  return {
    subject: host,
    kind: 'rest-host',
    edge: { id: null, why: edge.why },
    region: { id: region, why: regionWhy(host, region, installation) },
    problems: notRunning(region, installation),
    notes: [...edge.notes, credentialsNote(region, installation), ...reachNotes(host, region, installation)],
  };
}

/** `127.0.0.1:8082` is where `http://localhost:8082` is. */
function sameAddress(host: string, url: string): boolean {
  if (!URL.canParse(`http://${host}`)) return false;
  const [asked, known] = [new URL(`http://${host}`), new URL(url)];
  const machine = ({ hostname }: URL) => (/^(localhost|127\..*|\[::1\])$/.test(hostname) ? 'here' : hostname);
  return asked.port === known.port && machine(asked) === machine(known);
}

function ownPort(host: string, region: RegionId, installation: Installation): Finding {
  return {
    subject: host,
    kind: 'rest-host',
    edge: { id: null, why: `it is ${region}'s own port, behind every edge` },
    region: {
      id: region,
      why: `it is ${region}'s own port: whatever the Host header says, ${region} answers`,
    },
    problems: [],
    notes: [credentialsNote(region, installation)],
  };
}

function refused(
  host: string,
  target: { readonly refused: 'retired' | 'unknown'; readonly message: string },
  installation: Installation,
): Finding {
  const why =
    target.refused === 'retired'
      ? 'it was always processed in us1, whatever it said; now it is refused, and never processed in us1 by accident'
      : 'it selects none, so the request is refused and not processed in us1 by accident';
  return {
    subject: host,
    kind: 'rest-host',
    edge: { id: null, why: 'a request to it is refused at the front' },
    region: { id: null, why },
    problems: [target.message],
    notes: target.refused === 'retired' ? elsewhere(host, installation) : [],
  };
}

/** A name under twilio.com is understood, and answered by this installation under a name of its own, too. */
function elsewhere(host: string, { domain, regions }: Installation): string[] {
  const product = host.split('.')[0]?.toLowerCase() ?? 'api';
  const names = regions.map(({ id, url }) => `${id} is ${restHost(product, id, domain)}, or ${url}`);
  return [`Here ${names.join('; ')}. Each takes keys and tokens of its own Region only.`];
}

/** What the label between product and Region does: nothing. */
function edgeLabel(host: string, region: RegionId): { why: string; notes: string[] } {
  const why = 'a REST request enters where the front listens (at Twilio where its CDN decides)';
  const labels = host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '').split('.');
  const label = labels[2] === region ? labels[1] : undefined;
  if (label === undefined) return { why, notes: [] };
  const home = REGIONS[region].homeEdge;
  const notes: string[] = [];
  if (!isEdgeId(label)) notes.push(`'${label}' is not an edge; with us1 nobody looks at that label.`);
  else if (label !== home) notes.push(`The label Twilio's own names carry with ${region} is '${home}'.`);
  return { why: `the label '${label}' chooses none: ${why}`, notes };
}

function regionWhy(host: string, region: RegionId, { domain }: Installation): string {
  const name = host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  if (region !== DEFAULT_REGION || name.split('.').includes(region)) return 'the host name says so';
  const named = [domain.toLowerCase(), TWILIO].some((base) => name === base || name.endsWith(`.${base}`));
  if (named) return `the host names no Region, which means ${region}`;
  const what = isIP(name.replace(/^\[|\]$/g, '')) ? 'an address' : 'a name of no Region';
  return `${what} means ${region} when it leads to the front`;
}

function notRunning(region: RegionId, { regions }: Installation): string[] {
  if (regions.some(({ id }) => id === region)) return [];
  const running = regions.map(({ id }) => id).join(', ');
  return [
    `${region} does not run here; these do: ${running}. Add it to TRUNKLINE_REGIONS, or use another host.`,
  ];
}

function credentialsNote(region: RegionId, { regions }: Installation): string {
  const others = regions.filter(({ id }) => id !== region).map(({ id }) => id);
  const refusal = others.length > 0 ? `; those of ${others.join(' and ')} get 401 with code 20003` : '';
  return `It takes keys and tokens of ${region}${refusal}.`;
}

function reachNotes(host: string, region: RegionId, { front, regions }: Installation): string[] {
  if (sameAddress(host, front)) return [];
  const url = regions.find(({ id }) => id === region)?.url;
  const own = url === undefined ? '' : `, or use ${region}'s own port, ${url}`;
  return [`Where the name does not resolve, connect to the front, ${front}, and send it as Host${own}.`];
}
