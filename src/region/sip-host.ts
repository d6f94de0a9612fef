import { type EdgeId, edgeFromLabel } from './edge.ts';
import { TWILIO } from './host-names.ts';
import { readPlaceName } from './place-name.ts';

/** Where a host without an edge's label enters. @see https://www.twilio.com/docs/voice/api/sip-registration */
export const DEFAULT_INGRESS: EdgeId = 'ashburn';

/** A SIP host name under our base domain, taken apart. */
export type SipHost =
  | {
      /** `<name>.sip[.<edge>].<base>`, `<name>.pstn[.<edge>].<base>`. */
      readonly kind: 'sip-domain' | 'trunk';
      /** The bare name, the global key; a sub-domain's has a dot. */
      readonly name: string;
      /** As written; undefined when the host names no edge. */
      readonly label: string | undefined;
      readonly edge: EdgeId;
      readonly base: string;
    }
  | {
      /** `sip[.<edge>].<base>` or `<edge>.<base>`: the outbound proxy of telephones. */
      readonly kind: 'proxy';
      readonly label: string | undefined;
      readonly edge: EdgeId;
      readonly base: string;
    }
  /** Under our base, and of no form there is. */
  | { readonly kind: 'wrong'; readonly message: string }
  /** An address, or a name of somebody else's. */
  | { readonly kind: 'foreign' };

/**
 * Reads a host name as SIP does: it selects the edge at which packets enter and never the Region, so a code such as
 * `de1` is the legacy name of an edge here. (`{name}.sip.de1` stands beside an Interconnect table on one of Twilio's
 * pages; as everywhere else it is read as the public edge frankfurt, and the exchange is `frankfurt-ix`.)
 *
 * @param domain the configured base domain; `twilio.com` is understood in its place
 * @see https://www.twilio.com/docs/global-infrastructure/localized-uris
 */
export function readSipHost(host: string, domain: string): SipHost {
  const name = host.toLowerCase().replace(/\.$/, '');
  const base = [domain.toLowerCase(), TWILIO].find((each) => name.endsWith(`.${each}`));
  if (base === undefined) return { kind: 'foreign' };
  const labels = name.slice(0, -base.length - 1).split('.');
  return readProxy(labels, base) ?? readNamed(name, labels, base);
}

const SERVICES = { sip: 'sip-domain', pstn: 'trunk' } as const;

function isService(label: string | undefined): label is keyof typeof SERVICES {
  return label === 'sip' || label === 'pstn';
}

function readProxy(labels: readonly string[], base: string): SipHost | undefined {
  const [first = '', second, ...more] = labels;
  if (more.length > 0 || isService(second)) return undefined;
  if (first === 'sip' && second === undefined) {
    return { kind: 'proxy', label: undefined, edge: DEFAULT_INGRESS, base };
  }
  const label = first === 'sip' ? second : second === undefined ? first : undefined;
  const edge = label === undefined ? undefined : edgeFromLabel(label);
  return edge && { kind: 'proxy', label, edge, base };
}

function readNamed(host: string, labels: readonly string[], base: string): SipHost {
  const at = [labels.length - 1, labels.length - 2].find((place) => place > 0 && isService(labels[place]));
  const service = at === undefined ? undefined : labels[at];
  if (at === undefined || !isService(service))
    return { kind: 'wrong', message: wrongForm(host, labels, base) };
  const label = labels[at + 1];
  const name = labels.slice(0, at).join('.');
  const edge = label === undefined ? DEFAULT_INGRESS : edgeFromLabel(label);
  if (edge) return { kind: SERVICES[service], name, label, edge, base };
  const instead = `Use ${name}.${service}.${base}, or an edge's label before ${base}: npx trunkline edges lists them.`;
  return { kind: 'wrong', message: `'${host}': '${label}' ${readPlaceName(label ?? '').says}. ${instead}` };
}

function wrongForm(host: string, labels: readonly string[], base: string): string {
  const at = labels.findLastIndex(isService);
  if (at < 0 || labels.length < at + 3) {
    return `'${host}' is no SIP host: expected <name>.sip.${base}, <name>.pstn.${base} or sip.<edge>.${base}.`;
  }
  const [service, first = ''] = labels.slice(at);
  const name = at === 0 ? 'sip' : `${labels.slice(0, at).join('.')}.${service}`;
  const edge = edgeFromLabel(first) ?? DEFAULT_INGRESS;
  return (
    `'${host}' has too many labels behind '${service}': one edge may stand there, and a Region never does, because ` +
    `routing decides it. Use ${name}.${edge}.${base}.`
  );
}
