import { Headers } from './headers.ts';
import type { HeaderLine, SipHeaders, SipRequest, SipResponse } from './message.ts';
import { tagOf } from './name-addr.ts';
import { reasonPhrase } from './reason-phrases.ts';

/** Headers as callers give them: a record (an array stands for several lines) or ready-made ones. */
export type HeaderInput = SipHeaders | Readonly<Record<string, string | readonly string[] | undefined>>;

function linesOf(input: HeaderInput | undefined): readonly HeaderLine[] {
  if (input === undefined) return [];
  return isSipHeaders(input) ? input.lines : Headers.of(input).lines;
}

function isSipHeaders(input: HeaderInput): input is SipHeaders {
  return typeof input.get === 'function';
}

/** A request with these headers in order; `serialize` adds Content-Length. */
export function makeRequest(
  method: string,
  uri: string,
  headers: HeaderInput,
  body = '',
  contentType?: string,
): SipRequest {
  const type = contentType === undefined ? [] : [{ name: 'Content-Type', value: contentType }];
  return { kind: 'request', method, uri, headers: new Headers([...linesOf(headers), ...type]), body };
}

/** A response with these headers in order, for tests and simulated peers; servers use `responseTo`. */
export function makeResponse(
  status: number,
  phrase: string | undefined,
  headers: HeaderInput,
  body = '',
): SipResponse {
  return {
    kind: 'response',
    status,
    phrase: phrase ?? reasonPhrase(status),
    headers: new Headers(linesOf(headers)),
    body,
  };
}

export interface ResponseParts {
  /** Added to To when the request's has no tag; not to a 100 (RFC 3261 §8.2.6.2). */
  readonly toTag?: string | undefined;
  readonly headers?: HeaderInput | undefined;
  readonly body?: string | undefined;
  readonly contentType?: string | undefined;
}

/**
 * A response to `request`: Via, From, To, Call-ID and CSeq copied as RFC 3261 §8.2.6.2 says, Timestamp into a 100
 * (§8.2.6.1), Record-Route into what can create a dialog (101–299, §12.1.1). A malformed request is answered with
 * what it has, and with the first value of what it has twice.
 */
export function responseTo(
  request: SipRequest,
  status: number,
  phrase?: string,
  parts: ResponseParts = {},
): SipResponse {
  const { headers } = request;
  const lines: HeaderLine[] = headers.all('via').map((value) => ({ name: 'Via', value }));
  const copy = (name: string, value: string | undefined) => {
    if (value !== undefined) lines.push({ name, value });
  };
  copy('From', headers.get('from'));
  copy('To', taggedTo(headers.get('to'), status === 100 ? undefined : parts.toTag));
  copy('Call-ID', headers.get('call-id'));
  copy('CSeq', headers.get('cseq'));
  if (status === 100) copy('Timestamp', headers.get('timestamp'));
  if (status > 100 && status < 300)
    for (const value of headers.all('record-route')) copy('Record-Route', value);
  lines.push(...linesOf(parts.headers));
  copy('Content-Type', parts.contentType);
  return {
    kind: 'response',
    status,
    phrase: phrase ?? reasonPhrase(status),
    headers: new Headers(lines),
    body: parts.body ?? '',
  };
}

function taggedTo(to: string | undefined, tag: string | undefined): string | undefined {
  return to === undefined || tag === undefined || tagOf(to) !== undefined ? to : `${to};tag=${tag}`;
}
