import {
  bareHost,
  bracketHost,
  COLON,
  formatParams,
  parseDecimal,
  SLASH,
  scanParams,
  skipHost,
  skipSpace,
  skipToken,
} from './grammar.ts';
import type { SipHeaders } from './message.ts';

/** One Via element (RFC 3261 §20.42). */
export interface Via {
  /** Upper case: `UDP`, `TCP`, `TLS`, `WS`, or something unknown (RFC 4475 §3.1.1.10). */
  readonly transport: string;
  /** sent-by host in lower case, an IPv6 reference without its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly branch: string | undefined;
  /** Source address a server noted (RFC 3261 §18.2.1). */
  readonly received: string | undefined;
  /** The noted source port, or undefined; that it was *asked for* is `params.has('rport')` (RFC 3581). */
  readonly rport: number | undefined;
  /** Every parameter, names in lower case, '' for one without value. */
  readonly params: ReadonlyMap<string, string>;
}

/**
 * One Via element as a value. Undefined without protocol and sent-by; parameters are read as far as they are well
 * formed, because even a malformed request is answered where its Via says (`isVia` tells them apart).
 */
export function parseVia(element: string): Via | undefined {
  const bounds = scanSentBy(element);
  if (!bounds) return undefined;
  const params = new Map<string, string>();
  scanParams(element, bounds.end, params);
  const rport = params.get('rport');
  return {
    transport: element.slice(bounds.transportStart, bounds.transportEnd).toUpperCase(),
    host: bareHost(element.slice(bounds.hostStart, bounds.hostEnd)),
    port: bounds.port,
    branch: params.get('branch') || undefined,
    received: params.get('received') || undefined,
    rport: rport ? parseDecimal(rport, 65_535) : undefined,
    params,
  };
}

/** Claims the first element of a Via header line is well formed. */
export function isVia(line: string): boolean {
  const bounds = scanSentBy(line);
  if (!bounds) return false;
  const end = scanParams(line, bounds.end);
  return end === line.length || line[end] === ',';
}

/** The topmost Via of a message. */
export function topVia(message: { readonly headers: SipHeaders }): Via | undefined {
  const top = message.headers.list('via')[0];
  return top === undefined ? undefined : parseVia(top);
}

interface Bounds {
  readonly transportStart: number;
  readonly transportEnd: number;
  readonly hostStart: number;
  readonly hostEnd: number;
  readonly port: number | undefined;
  /** Where the parameters begin. */
  readonly end: number;
}

/** `SIP / 2.0 / transport LWS host [ : port ]`; spaces are legal around the slashes and the colon. */
function scanSentBy(text: string): Bounds | undefined {
  const transportStart = skipProtocol(text);
  if (transportStart < 0) return undefined;
  const transportEnd = skipToken(text, transportStart);
  const hostStart = skipSpace(text, transportEnd);
  if (transportEnd === transportStart || hostStart === transportEnd) return undefined;
  const hostEnd = skipHost(text, hostStart);
  if (hostEnd < 0) return undefined;
  const afterHost = skipSpace(text, hostEnd);
  if (text.charCodeAt(afterHost) !== COLON)
    return { transportStart, transportEnd, hostStart, hostEnd, port: undefined, end: afterHost };
  const portStart = skipSpace(text, afterHost + 1);
  const portEnd = skipToken(text, portStart);
  const port = parseDecimal(text.slice(portStart, portEnd), 65_535);
  return port ? { transportStart, transportEnd, hostStart, hostEnd, port, end: portEnd } : undefined;
}

/**
 * After `SIP / 2.0 /` and the spaces behind it; -1 when that is not what stands there. Any version will do
 * (§25.1: protocol-version is a token), so that a request of another version can be told 505 where its Via says.
 */
function skipProtocol(text: string): number {
  if (text.startsWith('SIP/2.0/')) return skipSpace(text, 8);
  const match = /^[ \t]*SIP[ \t]*\/[ \t]*[\w.]+[ \t]*/i.exec(text);
  if (!match || text.charCodeAt(match[0].length) !== SLASH) return -1;
  return skipSpace(text, match[0].length + 1);
}

/** The text of a Via element. `params` carries branch, received and rport. */
export function formatVia(via: Pick<Via, 'transport' | 'host' | 'port' | 'params'>): string {
  const port = via.port === undefined ? '' : `:${via.port}`;
  return `SIP/2.0/${via.transport} ${bracketHost(via.host)}${port}${formatParams(via.params)}`;
}
