import { isIP } from 'node:net';
import type { Endpoint } from '../../media/format.ts';
import { contactOf } from '../dialog/dialog-state.ts';
import type { SipRequest } from '../message/message.ts';
import { parseUri } from '../message/uri.ts';
import { parseVia } from '../message/via.ts';
import type { Source } from './listener.ts';

/**
 * Where requests to the sender of this INVITE must go instead of to its Contact: back where it came from, when the
 * sender is behind NAT. It is when it asks for symmetric responses (RFC 3581), nothing stands between it and us, and
 * the address that it takes for its own, in Via and Contact, is not the one its packets have. Undefined otherwise, and
 * over a connection, which is the way back itself.
 */
export function flowBehindNat(request: SipRequest, source: Source): Endpoint | undefined {
  const { headers } = request;
  const vias = headers.list('via');
  const via = parseVia(vias[0] ?? '');
  if (source.connection || vias.length !== 1 || headers.has('record-route') || !via?.params.has('rport')) {
    return undefined;
  }
  const contact = parseUri(contactOf(request) ?? '');
  if (!contact || isIP(contact.host) === 0 || contact.params.has('maddr')) return undefined;
  const mistaken = contact.host === via.host && via.host !== source.address;
  return mistaken ? { address: source.address, port: source.port } : undefined;
}
