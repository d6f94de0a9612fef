import { parseCSeq } from '../message/cseq.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { parseNameAddr, tagOf } from '../message/name-addr.ts';
import { formatUri, parseUri } from '../message/uri.ts';

/** What two user agents agreed on (RFC 3261 §12), from one side. A value: every change is a new one. */
export interface DialogState {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** From of what this side sends, with tag. */
  readonly local: string;
  /** To of what this side sends, with tag where the peer has one. */
  readonly remote: string;
  /** The CSeq number last sent. */
  readonly localSeq: number;
  /** The highest CSeq number received, undefined before the first. */
  readonly remoteSeq: number | undefined;
  /** The URI the peer wants requests for. */
  readonly remoteTarget: string;
  /** Route values, nearest first. */
  readonly routeSet: readonly string[];
}

/** The callee's dialog, from the INVITE and the tag it is answered with (RFC 3261 §12.1.1). */
export function calleeDialog(invite: SipRequest, localTag: string): DialogState {
  const { headers } = invite;
  const from = headers.get('from') ?? '';
  return {
    callId: headers.get('call-id') ?? '',
    localTag,
    remoteTag: tagOf(from) ?? '',
    local: `${headers.get('to') ?? ''};tag=${localTag}`,
    remote: from,
    localSeq: 0,
    remoteSeq: parseCSeq(headers.get('cseq') ?? '')?.number,
    remoteTarget: contactOf(invite) ?? parseNameAddr(from)?.uri ?? '',
    routeSet: headers.list('record-route'),
  };
}

/** The caller's dialog, early or confirmed, from the INVITE and a response with a To tag (RFC 3261 §12.1.2). */
export function callerDialog(invite: SipRequest, response: SipResponse): DialogState {
  const local = invite.headers.get('from') ?? '';
  const remote = response.headers.get('to') ?? '';
  return {
    callId: invite.headers.get('call-id') ?? '',
    localTag: tagOf(local) ?? '',
    remoteTag: tagOf(remote) ?? '',
    local,
    remote,
    localSeq: parseCSeq(invite.headers.get('cseq') ?? '')?.number ?? 0,
    remoteSeq: undefined,
    remoteTarget: contactOf(response) ?? invite.uri,
    routeSet: response.headers.list('record-route').toReversed(),
  };
}

/** The URI of the first Contact, or undefined where there is none that a request can be sent to. */
export function contactOf(message: SipRequest | SipResponse): string | undefined {
  const first = message.headers.list('contact')[0];
  const uri = first === undefined ? undefined : parseNameAddr(first)?.uri;
  return uri !== undefined && parseUri(uri) ? uri : undefined;
}

/**
 * The URIs of the Contacts in the order of the message, whatever their `q` (RFC 3261 §20.10; our choice: who sends
 * several writes the one that counts first). What comes behind one that cannot be read is not trusted.
 */
export function contactsOf(message: SipRequest | SipResponse): readonly string[] {
  const uris: string[] = [];
  for (const contact of message.headers.list('contact')) {
    const address = parseNameAddr(contact);
    if (!address) break;
    uris.push(address.uri);
  }
  return uris;
}

/** Where a request within the dialog goes. */
export interface RequestRoute {
  /** Request-URI. */
  readonly uri: string;
  /** Route values. */
  readonly routes: readonly string[];
  /** The URI to resolve into an address. */
  readonly nextHop: string;
}

/** Request-URI and Route of a request within the dialog: loose and strict first hops (RFC 3261 §12.2.1.1). */
export function routeOf(dialog: Pick<DialogState, 'remoteTarget' | 'routeSet'>): RequestRoute {
  const { remoteTarget, routeSet } = dialog;
  const [first, ...rest] = routeSet;
  const hop = first === undefined ? undefined : parseNameAddr(first)?.uri;
  const hopUri = hop === undefined ? undefined : parseUri(hop);
  if (hop === undefined || hopUri === undefined)
    return { uri: remoteTarget, routes: [], nextHop: remoteTarget };
  if (hopUri.params.has('lr')) return { uri: remoteTarget, routes: routeSet, nextHop: hop };
  const uri = formatUri({ ...hopUri, headers: new Map() }); // §19.1.1: no headers in a Request-URI
  return { uri, routes: [...rest, `<${remoteTarget}>`], nextHop: uri };
}

/** The dialog with the next CSeq number taken. */
export function nextRequest(dialog: DialogState): DialogState {
  return { ...dialog, localSeq: dialog.localSeq + 1 };
}

/** The dialog after a request of the peer, or undefined when it is out of order (500, RFC 3261 §12.2.2). */
export function received(dialog: DialogState, cseq: number): DialogState | undefined {
  if (dialog.remoteSeq !== undefined && cseq < dialog.remoteSeq) return undefined;
  return { ...dialog, remoteSeq: cseq };
}

/** The dialog after a target refresh: re-INVITE or UPDATE, sent or received (RFC 3261 §12.2). */
export function refreshed(dialog: DialogState, message: SipRequest | SipResponse): DialogState {
  const remoteTarget = contactOf(message);
  return remoteTarget === undefined ? dialog : { ...dialog, remoteTarget };
}

/**
 * How long to wait after a 491 before the re-INVITE is sent again (RFC 3261 §14.1): 2.1 to 4 s for the side that
 * chose the Call-ID, up to 2 s for the other, in steps of 10 ms. `chance` is any random integer.
 */
export function glareDelay(ownsCallId: boolean, chance: number): number {
  return ownsCallId ? 2_100 + 10 * (chance % 191) : 10 * (chance % 201);
}
