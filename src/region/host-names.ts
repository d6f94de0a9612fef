import { isEdgeId } from './edge.ts';
import { readPlaceName } from './place-name.ts';
import { DEFAULT_REGION, isRegionId, REGION_IDS, REGIONS, type RegionId } from './region.ts';

/** The products whose REST host names this platform answers; the path then tells which one is meant. */
export const PRODUCTS = ['accounts', 'api', 'routes', 'trunking', 'voice'] as const;

export type Product = (typeof PRODUCTS)[number];

/** What a REST request's `Host` selects: a Region, or a refusal with the sentence that explains it. */
export type RestTarget =
  | { readonly region: RegionId }
  | { readonly refused: 'retired' | 'unknown'; readonly message: string };

/**
 * Codes that stood for Regions in host names. The five beyond us1, ie1 and au1 never processed anything.
 * @see https://www.twilio.com/docs/global-infrastructure/edge-locations/legacy-regions
 */
const REGION_LIKE: ReadonlySet<string> = new Set([...REGION_IDS, 'us2', 'br1', 'de1', 'jp1', 'sg1']);

/** Understood beside the configured domain, so that a client with an overridden resolver needs no other change. */
export const TWILIO = 'twilio.com';

/** The REST host of a product in a Region: `api.<domain>`, `api.dublin.ie1.<domain>`. */
export function restHost(product: string, region: RegionId, domain: string): string {
  if (region === DEFAULT_REGION) return `${product}.${domain}`;
  return `${product}.${REGIONS[region].homeEdge}.${region}.${domain}`;
}

/**
 * Fills `{product}`, `{edge}` and `{region}` of `TRUNKLINE_PUBLIC_URL`; the result has no trailing slash. The
 * edge is the Region's home edge, the label its REST host names carry.
 */
export function publicUrl(template: string, product: Product, region: RegionId): string {
  return template
    .replaceAll('{product}', product)
    .replaceAll('{edge}', REGIONS[region].homeEdge)
    .replaceAll('{region}', region)
    .replace(/\/+$/, '');
}

/**
 * The Region that a REST request with this `Host` belongs to. A host that names no Region means us1; a host that
 * names one in a form that does not select it is refused, because answering it in us1 would process data where
 * nobody asked for it.
 *
 * @param host   the `Host` header, with or without a port; undefined when the client sent none
 * @param domain the configured base domain; `twilio.com` is understood in its place
 * @see https://www.twilio.com/docs/global-infrastructure/understanding-twilio-regions
 */
export function restTarget(host: string | undefined, domain: string): RestTarget {
  const name = hostName(host);
  if (name === undefined) {
    return unknown(`'${host}' is not a host name or an address with an optional port.`);
  }
  const own = domain.toLowerCase();
  if (name === own || name === TWILIO) return { region: DEFAULT_REGION };
  const base = [own, TWILIO].find((candidate) => name.endsWith(`.${candidate}`));
  if (base === undefined) return plainHost(name, own);
  const labels = name.slice(0, -base.length - 1).split('.');
  const [product = '', ...rest] = labels;
  if (!isProduct(product)) {
    return unknown(`'${name}': '${product}' is not offered here; the products are ${PRODUCTS.join(', ')}.`);
  }
  return localized(name, product, rest, base);
}

function isProduct(text: string): text is Product {
  return (PRODUCTS as readonly string[]).includes(text);
}

function unknown(message: string): RestTarget {
  return { refused: 'unknown', message };
}

/** A host as RFC 3986 §3.2.2 writes it, with `_` as people do, and the port that RFC 9110 §7.2 lets follow. */
const HOST = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?)(?::\d{0,5})?$/;

/** Lower case, without port, brackets or the root's dot; '' when nothing was sent, undefined when it is no host. */
function hostName(host: string | undefined): string | undefined {
  const text = (host ?? '').trim().toLowerCase();
  if (text === '') return '';
  const match = HOST.exec(text);
  return match?.[1] ?? match?.[2];
}

/** The labels between the product and the base: none, a Region, or an edge and a Region. */
function localized(name: string, product: Product, labels: readonly string[], base: string): RestTarget {
  const [first, second, ...more] = labels;
  if (first === undefined || (first === DEFAULT_REGION && second === undefined)) {
    return { region: DEFAULT_REGION };
  }
  if (second === undefined) return withoutEdge(name, product, first, base);
  if (more.length > 0) return unknown(`'${name}' has too many labels. ${forms(product, base)}`);
  if (!isRegionId(second)) {
    return unknown(
      `'${name}' names no Region: '${second}' ${readPlaceName(second).says}. ${forms(product, base)}`,
    );
  }
  // In us1 the edge label is ignored, whatever it says; elsewhere it is required, though it selects nothing.
  if (second === DEFAULT_REGION || isEdgeId(first)) return { region: second };
  const why = `'${name}' needs an edge before ${second}: '${first}' ${readPlaceName(first).says}.`;
  return unknown(`${why} Use ${restHost(product, second, base)}.`);
}

/**
 * `PRODUCT.REGION` without an edge. All but us1's were always processed in us1 whatever they said, and stopped
 * working on 28 April 2026.
 * @see https://www.twilio.com/docs/global-infrastructure/api-domain-migration-guide
 */
function withoutEdge(name: string, product: Product, label: string, base: string): RestTarget {
  if (!REGION_LIKE.has(label)) {
    return unknown(
      `'${name}' names no Region: '${label}' ${readPlaceName(label).says}. ${forms(product, base)}`,
    );
  }
  const us1 = restHost(product, DEFAULT_REGION, base);
  const regional = isRegionId(label)
    ? `to process in ${label}, use ${restHost(product, label, base)} with credentials of ${label}`
    : `'${label}' ${readPlaceName(label).says}`;
  return {
    refused: 'retired',
    message:
      `'${name}' stopped working on 28 April 2026: host names of the form PRODUCT.REGION were always processed ` +
      `in us1. To keep doing that, use ${us1}; ${regional}.`,
  };
}

/** An address or a machine's name means us1, unless it carries a Region's label under a base we do not know. */
function plainHost(name: string, domain: string): RestTarget {
  const label = name
    .split('.')
    .slice(1)
    .find((part) => part !== DEFAULT_REGION && REGION_LIKE.has(part));
  if (label === undefined) return { region: DEFAULT_REGION };
  return unknown(
    `'${name}' names '${label}' under a base domain that is not ours (${domain} or ${TWILIO}). ` +
      'Set TRUNKLINE_DOMAIN to that base domain.',
  );
}

function forms(product: Product, base: string): string {
  const hosts = REGION_IDS.map((region) => restHost(product, region, base));
  return `Use ${hosts.slice(0, -1).join(', ')} or ${hosts.at(-1)}.`;
}
