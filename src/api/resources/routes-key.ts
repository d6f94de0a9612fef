import type { Request } from 'express';
import { isE164 } from '../../core/e164.ts';
import { readSipHost } from '../../region/sip-host.ts';
import type { RouteKind } from '../../routing/port.ts';
import { accountOf } from '../account-of.ts';
import { type ApiError, missing, notFound } from '../api-error.ts';
import type { RegionOptions } from '../region-options.ts';

/** What the three kinds are called in paths and answers. */
export const ROUTE_RESOURCES = [
  {
    kind: 'phone-number',
    plural: 'PhoneNumbers',
    singular: 'PhoneNumber',
    field: 'phone_number',
    id: 'PhoneNumber',
  },
  { kind: 'sip-domain', plural: 'SipDomains', singular: 'SipDomain', field: 'sip_domain', id: 'SipDomain' },
  { kind: 'trunk', plural: 'Trunks', singular: 'Trunk', field: 'sip_trunk_domain', id: 'Trunks' },
] as const satisfies readonly {
  readonly kind: RouteKind;
  readonly plural: string;
  readonly singular: string;
  /** The key's name in an answer. */
  readonly field: string;
  /** Of its operations in Twilio's description. */
  readonly id: string;
}[];

export type RouteResource = (typeof ROUTE_RESOURCES)[number];

/** A key of an account, as a path named it. */
export interface OwnedKey {
  readonly resource: RouteResource;
  /** The global key: E.164, or the bare name. */
  readonly key: string;
  /** As a resource shows it: E.164, or the full name as it was given. */
  readonly shown: string;
  readonly accountSid: string;
  /** The Regions that have what the key needs there: a voice configuration, the domain, the trunk. */
  regions(): Promise<readonly string[]>;
}

/** A global key as a resource shows it where nobody gave it in full: E.164, `acme.sip.<domain>`. */
export function shownKey(kind: RouteKind, key: string, domain: string): string {
  return kind === 'phone-number' ? key : `${key}.${kind === 'trunk' ? 'pstn' : 'sip'}.${domain}`;
}

type ReadKey = Pick<OwnedKey, 'key' | 'shown'>;

/** The key of a path, if the account has it. @throws ApiError 404, the same for unknown keys and those of others */
export async function ownedKey(
  options: RegionOptions,
  resource: RouteResource,
  req: Request,
): Promise<OwnedKey> {
  const accountSid = accountOf(req);
  const absent = missing(req.originalUrl.split('?')[0] ?? '', options.region.id);
  const read = readKey(resource, String(req.params['key']), options.domain, absent);
  const { ownership, names } = options;
  const { kind } = resource;
  if (kind === 'phone-number') {
    const number = await ownership.byNumber(read.key);
    if (number?.accountSid !== accountSid) throw absent;
    return { ...read, resource, accountSid, regions: () => ownership.regionsOf(number.sid) };
  }
  if ((await names.ownerOf(kind, read.key)) !== accountSid) throw absent;
  return { ...read, resource, accountSid, regions: () => names.regionsOf(kind, read.key) };
}

function readKey(resource: RouteResource, given: string, domain: string, absent: ApiError): ReadKey {
  if (resource.kind !== 'phone-number') return readName(resource, given, domain, absent);
  if (!isE164(given)) throw absent;
  return { key: given, shown: given };
}

const LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const BARE_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);

/**
 * The full name, under our base domain or `twilio.com`, or the bare one. A localized name is refused, although the key
 * is clear: it says where packets enter, and who routes it may take the rest of the domain to stay where it is.
 */
function readName(resource: RouteResource, given: string, domain: string, absent: ApiError): ReadKey {
  const host = readSipHost(given, domain);
  if (host.kind === 'wrong') throw notFound(host.message);
  if (host.kind === 'proxy') throw absent;
  if (host.kind === 'foreign') {
    const key = given.toLowerCase();
    if (!BARE_NAME.test(key)) throw absent;
    return { key, shown: shownKey(resource.kind, key, domain) };
  }
  const { name, label, edge, base } = host;
  if (host.kind !== resource.kind) {
    const right = host.kind === 'trunk' ? 'Trunks' : 'SipDomains';
    throw notFound(`'${given}' is no key of ${resource.plural}: ask ${right} for it.`);
  }
  const shown = shownKey(resource.kind, name, base);
  if (label === undefined) return { key: name, shown };
  throw notFound(
    `'${given}' is not routed by itself: '${label}' names the edge ${edge}, where packets enter, and all edges ` +
      `follow the one route of ${shown}. Use ${resource.plural}/${shown}.`,
  );
}
