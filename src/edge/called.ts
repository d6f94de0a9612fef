import { isE164 } from '../core/e164.ts';
import type { EdgeId } from '../region/edge.ts';
import { readSipHost } from '../region/sip-host.ts';

/** Who an INVITE is for (DESIGN §6, SIP). */
export type Called =
  | { readonly kind: 'number'; readonly number: string; readonly namedEdge: EdgeId | undefined }
  | Named<'sip-domain'>
  | Named<'trunk'>
  | { readonly kind: 'nobody'; readonly reason: string };

interface Named<K extends string> {
  readonly kind: K;
  /** The bare name: the global key. */
  readonly name: string;
  readonly user: string;
  readonly namedEdge: EdgeId | undefined;
}

const LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);

/**
 * Reads a Request-URI: `<name>.sip[.<edge>].<base>` is a SIP domain, `<name>.pstn[.<edge>].<base>` a trunk's
 * termination, and `+E164` anywhere else a call to that number. `twilio.com` is understood as a base everywhere.
 */
export function calledBy(uri: { user: string; host: string }, domain: string): Called {
  const host = readSipHost(uri.host, domain);
  const namedEdge = 'label' in host && host.label !== undefined ? host.edge : undefined;
  if (host.kind === 'sip-domain' || host.kind === 'trunk') {
    const { kind, name } = host;
    if (NAME.test(name)) return { kind, name, user: uri.user, namedEdge };
    return { kind: 'nobody', reason: `"${name}" cannot be the name of a SIP domain or trunk` };
  }
  // A name that nearly is a domain's is no way to a number.
  if (host.kind === 'wrong' && isNearlyNamed(uri.host)) return { kind: 'nobody', reason: host.message };
  if (isE164(uri.user)) return { kind: 'number', number: uri.user, namedEdge };
  return {
    kind: 'nobody',
    reason: `"${uri.user}" is not a number in E.164 (for example +12025550143) and "${uri.host}" is not a SIP domain or trunk`,
  };
}

const isNearlyNamed = (host: string) => /\.(sip|pstn)\./i.test(host);
