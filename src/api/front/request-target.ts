import type { IncomingMessage } from 'node:http';

/** What a request is for: the host that selects a Region, and path and query. */
export interface RequestTarget {
  /** Undefined when the client sent none. */
  readonly host: string | undefined;
  /** Begins with `/`, but for `OPTIONS *`. */
  readonly path: string;
}

/** Scheme, authority, path and query of the absolute form; a fragment is not for servers. RFC 9112 §3.2.2 */
const ABSOLUTE = /^https?:\/\/([^/?#]*)([^#]*)/i;

/**
 * Reads where a request goes. Of two places that could name a host the target in absolute form counts and `Host` does
 * not (RFC 9112 §3.2.2); two `Host` headers are refused (§3.2), because whoever stands between may have read the other
 * one. Headers that proxies add, such as `X-Forwarded-Host`, select nothing: anybody can send them.
 */
export function readRequestTarget(req: IncomingMessage): RequestTarget | { readonly problem: string } {
  const hosts = req.headersDistinct['host'] ?? [];
  if (hosts.length > 1) {
    return { problem: `A request has one Host header; this one has ${hosts.length}: ${hosts.join(', ')}.` };
  }
  const url = req.url ?? '';
  const absolute = ABSOLUTE.exec(url);
  if (absolute) {
    const [, host, rest = ''] = absolute;
    if (!host) return { problem: `The request target '${url}' names no host.` };
    return { host, path: rest.startsWith('/') ? rest : `/${rest}` };
  }
  if (url.startsWith('/') || url === '*') return { host: hosts[0], path: url };
  return { problem: `The request target '${url}' is neither a path nor an http:// or https:// URL.` };
}
