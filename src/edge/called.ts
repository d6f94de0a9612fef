import { isE164 } from '../core/e164.ts';
import { type EdgeId, edgeFromLabel } from '../region/edge.ts';

/** Who an INVITE is for (DESIGN §6, SIP). */
export type Called =
  | { readonly kind: 'number'; readonly number: string; readonly namedEdge: EdgeId | undefined }
  | {
      readonly kind: 'sip-domain' | 'trunk';
      /** The bare name: the global key. */
      readonly name: string;
      readonly user: string;
      readonly namedEdge: EdgeId | undefined;
    }
  | { readonly kind: 'nobody'; readonly reason: string };

const LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const NAMED = new RegExp(`^(${LABEL}(?:\\.${LABEL})*)\\.(sip|pstn)(?:\\.([a-z0-9-]+))?$`);

/**
 * Reads a Request-URI: `<name>.sip[.<edge>].<base>` is a SIP domain, `<name>.pstn[.<edge>].<base>` a trunk's
 * termination, and `+E164` anywhere else a call to that number. `twilio.com` is understood as a base everywhere.
 */
export function calledBy(uri: { user: string; host: string }, domain: string): Called {
  const named = namedHost(uri.host.toLowerCase(), [domain.toLowerCase(), 'twilio.com']);
  if (named) return { ...named, user: uri.user };
  if (isE164(uri.user)) return { kind: 'number', number: uri.user, namedEdge: edgeOfHost(uri.host, domain) };
  return {
    kind: 'nobody',
    reason: `"${uri.user}" is not a number in E.164 (for example +12025550143) and "${uri.host}" is not a SIP domain or trunk`,
  };
}

function namedHost(host: string, bases: readonly string[]) {
  for (const base of bases) {
    if (!host.endsWith(`.${base}`)) continue;
    const match = NAMED.exec(host.slice(0, -base.length - 1));
    const [, name, service, label] = match ?? [];
    if (!name || !service) continue;
    const namedEdge = label === undefined ? undefined : edgeFromLabel(label);
    if (label !== undefined && namedEdge === undefined) continue;
    return { kind: service === 'sip' ? ('sip-domain' as const) : ('trunk' as const), name, namedEdge };
  }
  return undefined;
}

/** `sip.<edge>.<base>` and `<edge>.<base>`: the proxy names phones are given. */
function edgeOfHost(host: string, domain: string): EdgeId | undefined {
  const lower = host.toLowerCase();
  for (const base of [domain.toLowerCase(), 'twilio.com']) {
    if (!lower.endsWith(`.${base}`)) continue;
    const labels = lower.slice(0, -base.length - 1).split('.');
    const label = labels.at(-1);
    if (label !== undefined && labels.length <= 2) return edgeFromLabel(label);
  }
  return undefined;
}
