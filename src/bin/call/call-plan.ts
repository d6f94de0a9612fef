import { isE164 } from '../../core/e164.ts';
import { EDGE_IDS, type EdgeId, edgeFromLabel, edgePort } from '../../region/edge.ts';
import { escapeUser, formatUri, parseUri } from '../../sip/message/uri.ts';
import { readAddress, SIP_PORT, UnusableArgument } from '../phone/arguments.ts';
import type { Action, Start } from '../phone/script.ts';

/** A call that can be placed: everything on the command line checked. */
export interface CallPlan {
  /** As the person wrote it. */
  readonly callee: string;
  /** Request-URI. */
  readonly uri: string;
  /** The host may be a name. */
  readonly destination: { readonly host: string; readonly port: number };
  /** The edge it goes in at; undefined when it goes straight to the URI's host. */
  readonly edge: EdgeId | undefined;
  /** As the person wrote it, and the user part of the From URI or the whole of it. */
  readonly caller: string;
  readonly from: { readonly user: string } | { readonly uri: string };
  readonly start: Start;
  readonly actions: readonly Action[];
  /** Where to save what was heard. */
  readonly hear: string | undefined;
  readonly maxMs: number;
}

export interface Target {
  readonly callee: string;
  readonly uri: string;
  readonly destination: CallPlan['destination'];
  readonly edge: EdgeId | undefined;
}

/**
 * Where a call goes. A number goes to an edge; a URI to its host, unless an edge was asked for or the host is a name
 * that only Trunkline knows (`….localhost`, RFC 6761 §6.3).
 */
export function readTarget(
  callee: string,
  asked: { readonly edge: EdgeId | undefined; readonly sip: string | undefined },
  defaultSip: string,
): Target {
  const first = readAddress(asked.sip ?? defaultSip);
  const at = (edge: EdgeId) => ({
    edge,
    destination: { host: first.host, port: edgePort(edge, first.port) },
  });
  const number = callee.replace(/[\s().-]/g, '');
  if (isE164(number)) {
    const way = at(asked.edge ?? 'ashburn');
    return { callee: number, uri: formatUri({ scheme: 'sip', user: number, ...way.destination }), ...way };
  }
  const uri = parseUri(callee);
  if (!uri) {
    throw new UnusableArgument(
      `"${callee}" is neither a phone number nor a SIP URI: expected E.164 such as +35315550100, with the + and the ` +
        'country code, or a URI such as sip:menu@127.0.0.1:5060',
    );
  }
  const transport = uri.params.get('transport')?.toLowerCase() ?? 'udp';
  if (uri.scheme === 'sips' || transport !== 'udp') {
    throw new UnusableArgument(
      `"${callee}" asks for ${uri.scheme === 'sips' ? 'TLS' : transport}, but this command calls over UDP only: ` +
        'use a sip: URI without transport parameter',
    );
  }
  const ours = uri.host.endsWith('.localhost');
  if (!asked.edge && asked.sip === undefined && !ours) {
    return {
      callee,
      uri: callee,
      destination: { host: uri.host, port: uri.port ?? SIP_PORT },
      edge: undefined,
    };
  }
  const named = uri.host
    .split('.')
    .map(edgeFromLabel)
    .find((edge) => edge !== undefined);
  return { callee, uri: callee, ...at(asked.edge ?? named ?? 'ashburn') };
}

export function readEdge(text: string): EdgeId {
  const edge = edgeFromLabel(text);
  if (edge) return edge;
  throw new UnusableArgument(`"${text}" is not an Edge Location: expected one of ${EDGE_IDS.join(', ')}`);
}

export function readCaller(text: string): Pick<CallPlan, 'caller' | 'from'> {
  const number = text.replace(/[\s().-]/g, '');
  if (isE164(number)) return { caller: number, from: { user: number } };
  if (parseUri(text)) return { caller: text, from: { uri: text } };
  if (/^[\w.+*#-]+$/.test(text)) return { caller: text, from: { user: escapeUser(text) } };
  throw new UnusableArgument(
    `"${text}" cannot be a caller: expected a number such as +15550100099, a name such as alice, or a SIP URI`,
  );
}
