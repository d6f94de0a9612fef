import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { notARegion } from '../region/place-name.ts';
import { isRegionId, REGION_IDS, type RegionId } from '../region/region.ts';
import { parseUri } from '../sip/message/uri.ts';

// How the text of one variable is read: what each refuses says what it expected.

/** Where something listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export const address = z.string().transform((text, context): Address => {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host && port <= 65535) return { host, port };
  context.addIssue({ code: 'custom', message: 'expected host:port, for example 127.0.0.1:8080' });
  return z.NEVER;
});

export const flag = z.string().transform((text, context): boolean => {
  if (/^(true|1|yes)$/i.test(text)) return true;
  if (/^(false|0|no)$/i.test(text)) return false;
  context.addIssue({ code: 'custom', message: 'expected true or false' });
  return z.NEVER;
});

export const milliseconds = (most: number) =>
  z.string().transform((text, context): number => {
    if (/^\d+$/.test(text) && Number(text) <= most) return Number(text);
    context.addIssue({ code: 'custom', message: `expected whole milliseconds from 0 to ${most}` });
    return z.NEVER;
  });

export const count = z.string().transform((text, context): number => {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  context.addIssue({ code: 'custom', message: 'expected a whole number from 1' });
  return z.NEVER;
});

export const portRange = z.string().transform((text, context) => {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  if (match && first >= 1024 && last <= 65535 && last - first >= 2) return { first, last };
  context.addIssue({
    code: 'custom',
    message: 'expected first-last within 1024-65535, for example 10000-60000',
  });
  return z.NEVER;
});

export const regionList = z.string().transform((text, context): RegionId[] => {
  const ids = text
    .split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '');
  const wrong = ids.find((id) => !isRegionId(id));
  if (wrong === undefined && ids.length > 0) return ids.filter(isRegionId);
  const why = wrong === undefined ? '' : `; ${notARegion(wrong)}`;
  context.addIssue({
    code: 'custom',
    message: `expected a list of the Regions ${REGION_IDS.join(', ')}${why}`,
  });
  return z.NEVER;
});

/** Adds `a.b.c.d`, `a.b.c.d/n` and the IPv6 forms to a list of permitted sources. */
function allow(list: BlockList, entry: string): boolean {
  const [ip = '', bits] = entry.split('/');
  const family = isIP(ip);
  if (family === 0) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const most = family === 4 ? 32 : 128;
  if (bits === undefined) list.addAddress(ip, type);
  else if (/^\d{1,3}$/.test(bits) && Number(bits) <= most) list.addSubnet(ip, Number(bits), type);
  else return false;
  return true;
}

export const addressList = z.string().transform((text, context): BlockList => {
  const list = new BlockList();
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry !== '' && !allow(list, entry)) {
      context.addIssue({ code: 'custom', message: `"${entry}" is neither an IP address nor a CIDR range` });
    }
  }
  return list;
});

const url = (schemes: readonly string[]) =>
  z.string().refine((text) => URL.canParse(text) && schemes.includes(new URL(text).protocol), {
    message: `expected a URL that starts with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
  });

export const redisUrl = url(['redis:', 'rediss:']);
export const httpUrl = url(['http:', 'https:']);
export const bucketName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'expected a bucket name: 3 to 63 of a-z 0-9 . -');

/** Only over transports we have: a carrier that is called by TLS would be found out at the first call. */
export const carrierUri = z.string().refine((text) => {
  const uri = parseUri(text);
  const transport = uri?.params.get('transport')?.toLowerCase() ?? 'udp';
  return uri?.scheme === 'sip' && ['udp', 'tcp'].includes(transport);
}, 'expected a SIP URI over UDP or TCP, for example sip:carrier.example.com or sip:10.0.0.9:5080;transport=tcp');
