import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { buildConnector } from 'undici';
import type { Clock } from '../core/clock.ts';
import { HttpError } from './port.ts';
import { isPrivateAddress } from './private-address.ts';

export interface ConnectorOptions {
  readonly clock: Clock;
  readonly allowPrivate: boolean;
  /** Whether TLS tells the server the host name it wants. */
  readonly sni: boolean;
  /** Trusted in place of the public authorities. */
  readonly ca?: string;
  /** Resolves host names; absent: the system does. */
  readonly lookup?: LookupFunction;
  /** Until a connection is made, TLS included. */
  readonly connectMs: number;
}

/**
 * How undici opens connections. A resolver's answers pass through our hook, but Node skips the hook for IP
 * literals, so those are judged before.
 */
export function createConnector(options: ConnectorOptions): buildConnector.connector {
  const lookup = guarded(options.lookup ?? systemLookup, options.allowPrivate);
  const tls = { lookup, ...(options.ca !== undefined && { ca: options.ca }) };
  const withSni = buildConnector({ ...tls, timeout: options.connectMs });
  return (target, callback) => {
    const { hostname } = target;
    if (!options.allowPrivate && isIP(hostname) !== 0 && isPrivateAddress(hostname))
      return callback(forbidden(hostname, hostname), null);
    if (options.sni || target.protocol !== 'https:') return withSni(target, callback);
    connectWithoutSni(target, tls, options, callback);
  };
}

/** undici's own connector always names the server; the certificate is checked against the host all the same. */
function connectWithoutSni(
  target: buildConnector.Options,
  tls: { readonly lookup: LookupFunction; readonly ca?: string },
  { clock, connectMs }: ConnectorOptions,
  callback: buildConnector.Callback,
): void {
  const port = Number(target.port || 443);
  const socket = connectTls({ ...tls, host: target.hostname, port, ALPNProtocols: ['http/1.1'] });
  const timer = clock.after(connectMs, () =>
    socket.destroy(new HttpError('connect-timeout', `no TLS connection within ${connectMs} ms`)),
  );
  const fail = (error: Error) => {
    timer.cancel();
    callback(error, null);
  };
  socket.setNoDelay(true);
  socket.once('error', fail);
  socket.once('secureConnect', () => {
    timer.cancel();
    socket.off('error', fail);
    callback(null, socket);
  });
}

function guarded(resolve: LookupFunction, allowPrivate: boolean): LookupFunction {
  if (allowPrivate) return resolve;
  return (hostname, options, callback) =>
    resolve(hostname, options, (error, found, family) => {
      if (error) return callback(error, found, family);
      const bad = addresses(found).find(isPrivateAddress);
      if (bad === undefined) return callback(null, found, family);
      callback(forbidden(hostname, bad), found, family);
    });
}

function addresses(found: string | LookupAddress[]): string[] {
  return typeof found === 'string' ? [found] : found.map(({ address }) => address);
}

function forbidden(hostname: string, address: string): HttpError {
  const what = hostname === address ? address : `${hostname} resolves to ${address}, which`;
  return new HttpError('forbidden-address', `${what} is a private address, and those are refused`);
}
