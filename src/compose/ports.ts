import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { createServer } from 'node:net';
import { EDGE_IDS, edgePort } from '../region/edge.ts';
import type { RegionId } from '../region/region.ts';
import { type Address, type Settings, SettingsError } from './settings.ts';

/** The port of a Region's service: those behind the front's, in the order of TRUNKLINE_REGIONS (DESIGN §6). */
export function regionAddress(settings: Settings, region: RegionId): Address {
  const place = settings.regions.indexOf(region);
  return { host: settings.http.host, port: settings.http.port === 0 ? 0 : settings.http.port + 1 + place };
}

/** Base of the absolute URLs a Region hands out, placeholders and all (DESIGN §6, TRUNKLINE_PUBLIC_URL). */
export function publicUrlTemplate(settings: Settings, region: RegionId): string {
  return settings.publicUrl ?? `http://${formatAddress(reachable(regionAddress(settings, region)))}`;
}

/** The demo application listens behind the last Region. */
export function demoAddress(settings: Settings): Address {
  return { host: '127.0.0.1', port: settings.http.port + 1 + settings.regions.length };
}

/** How other processes on this machine reach what listens on `address`. */
export function reachable(address: Address): Address {
  if (address.host === '0.0.0.0') return { ...address, host: '127.0.0.1' };
  if (address.host === '::') return { ...address, host: '::1' };
  return address;
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * The first address of this machine's host name (A record before AAAA, RFC 3263 §4.2); an address is itself.
 * @throws SettingsError naming the variable that held it
 */
export async function resolveHost(host: string, variable: string): Promise<string> {
  try {
    return (await lookup(host, { order: 'ipv4first' })).address;
  } catch (error) {
    throw new SettingsError(
      `${variable} names the host "${host}", which cannot be resolved (${codeOf(error)})`,
    );
  }
}

/** An address that is bound at start-up, and the variable that decides it. */
interface Wanted extends Address {
  readonly kind: 'tcp' | 'udp';
  readonly what: string;
  readonly variable: string;
}

/** What is said when it cannot be bound: one line that names its variable. */
export function unusable(wanted: Wanted, problem: unknown): SettingsError {
  const { kind, what, variable } = wanted;
  const code = codeOf(problem);
  const why = code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${code})`;
  return new SettingsError(
    `${kind.toUpperCase()} ${formatAddress(wanted)}, wanted for ${what}, ${why}: free it or set ${variable} to another host:port`,
  );
}

/** The system's code of a failure, else its message. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? String(error.code) : error.message;
}

/** Every fixed port of a start on one machine. */
function wantedPorts(settings: Settings): Wanted[] {
  const http = (address: Address, what: string): Wanted => ({
    ...address,
    kind: 'tcp',
    what,
    variable: 'TRUNKLINE_HTTP',
  });
  const sip = EDGE_IDS.flatMap((edge) =>
    (['udp', 'tcp'] as const).map(
      (kind): Wanted => ({
        host: settings.sip.host,
        port: edgePort(edge, settings.sip.port),
        kind,
        what: `edge ${edge}`,
        variable: 'TRUNKLINE_SIP',
      }),
    ),
  );
  return [
    http(settings.http, 'the front'),
    ...settings.regions.map((region) => http(regionAddress(settings, region), `the service of ${region}`)),
    ...(settings.demo ? [http(demoAddress(settings), 'the demo application')] : []),
    ...sip,
  ];
}

/** What is to be said about the first port that cannot be bound; undefined when all can. */
export async function takenPort(settings: Settings): Promise<SettingsError | undefined> {
  const results = await Promise.all(
    wantedPorts(settings).map(async (port) => ({ port, problem: await bindProblem(port) })),
  );
  const taken = results.find(({ problem }) => problem !== undefined);
  return taken && unusable(taken.port, taken.problem);
}

function bindProblem({ kind, host, port }: Wanted): Promise<Error | undefined> {
  return new Promise((resolve) => {
    if (kind === 'tcp') {
      const server = createServer();
      server.once('error', resolve);
      server.listen(port, host, () => server.close(() => resolve(undefined)));
    } else {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
      socket.once('error', resolve);
      socket.bind({ port, address: host, exclusive: true }, () => socket.close(() => resolve(undefined)));
    }
  });
}
