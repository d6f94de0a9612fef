import type { SipRequest } from '../sip/message/message.ts';
import { parseNameAddr } from '../sip/message/name-addr.ts';
import { parseUri } from '../sip/message/uri.ts';
import type { RegisterRefusal } from './registrar-refusal.ts';

/** One flow of one device (RFC 5626 §3.1). */
export interface FlowName {
  /** `<urn:uuid:…>` */
  readonly instance: string;
  readonly regId: number;
}

/** RFC 5626 §9.1 (reg-id grammar): 1 to 2³¹ − 1. */
const LARGEST_REG_ID = 2 ** 31 - 1;

/** Claims that the device and what brought its REGISTER here know of outbound (RFC 5626 §4.2.1). */
export function asksForOutbound({ headers }: SipRequest): boolean {
  const tags = [...headers.list('Supported'), ...headers.list('Require')];
  return tags.some((tag) => tag.toLowerCase() === 'outbound');
}

/** The flow a Contact names: `+sip.instance` and `reg-id`, where the device supports outbound (RFC 5626 §6). */
export function flowNameOf(
  request: SipRequest,
  params: ReadonlyMap<string, string>,
): FlowName | 'malformed' | undefined {
  const instance = params.get('+sip.instance');
  const regId = params.get('reg-id');
  if (!instance || regId === undefined || !asksForOutbound(request)) return undefined;
  const number = /^\d{1,10}$/.test(regId) ? Number(regId) : 0;
  return number < 1 || number > LARGEST_REG_ID ? 'malformed' : { instance, regId: number };
}

/** What stands against flows, of Contacts that can be read (RFC 5626 §6). */
export function outboundProblem(
  request: SipRequest,
  contacts: readonly { readonly flow: FlowName | undefined; readonly seconds: number }[],
): RegisterRefusal | undefined {
  if (!contacts.some(({ flow }) => flow)) return undefined;
  if (contacts.filter(({ seconds }) => seconds > 0).length > 1) {
    return {
      status: 400,
      reason: 'a Contact with reg-id comes alone: one REGISTER is one flow (RFC 5626 §6)',
    };
  }
  // Behind a proxy the flow ends there, and only one that says `ob` keeps it (RFC 5626 §5.1).
  const { headers } = request;
  const firstHop = parseUri(parseNameAddr(headers.list('Path').at(-1) ?? '')?.uri ?? '');
  if (headers.list('Via').length > 1 && !firstHop?.params.has('ob')) {
    return { status: 439, reason: 'the device wants outbound, and the proxy next to it does not know of it' };
  }
  return undefined;
}
