import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { RandomIds } from '../core/ids.ts';
import { EDGE_IDS, type EdgeId, edgePort } from '../region/edge.ts';
import type { RegionId } from '../region/region.ts';
import { loadCredentials } from './credentials.ts';
import { formatAddress, reachable, regionAddress } from './ports.ts';
import { type Address, readSettings, type Settings } from './settings.ts';

/** This installation as commands that look at it from outside see it: where everything is, running or not. */
export interface Installation {
  /** `TRUNKLINE_DOMAIN`. */
  readonly domain: string;
  /** Base URL of the front. */
  readonly front: string;
  /** Every Region that is to run here, and the base URL of its service. */
  readonly regions: readonly { readonly id: RegionId; readonly url: string }[];
  /** Where peers send SIP to, for each edge: UDP and TCP. */
  readonly edges: ReadonlyMap<EdgeId, Address>;
  readonly rtp: { readonly first: number; readonly last: number };
  /** The first account and its tokens, as the environment or the home has them; undefined when neither does. */
  readonly account: InstallationAccount | undefined;
}

export interface InstallationAccount {
  readonly sid: string;
  readonly tokens: ReadonlyMap<RegionId, string>;
}

/** @throws SettingsError */
export async function thisInstallation(): Promise<Installation> {
  const { settings } = readSettings(process.env);
  const sipHost = settings.advertise ?? reachable(settings.sip).host;
  return {
    domain: settings.domain,
    front: `http://${formatAddress(reachable(settings.http))}`,
    regions: settings.regions.map((id) => ({
      id,
      url: settings.regionUrl[id] ?? `http://${formatAddress(reachable(regionAddress(settings, id)))}`,
    })),
    edges: new Map(
      EDGE_IDS.map((edge) => [edge, { host: sipHost, port: edgePort(edge, settings.sip.port) }]),
    ),
    rtp: settings.rtp,
    account: await accountOf(settings),
  };
}

/** Reads what is there and makes nothing: looking at a home must not begin one. */
async function accountOf(settings: Settings): Promise<InstallationAccount | undefined> {
  const kept = await access(join(settings.home, 'credentials.json')).then(
    () => true,
    () => false,
  );
  const regions = kept ? settings.regions : settings.regions.filter((id) => settings.region[id].authToken);
  if (!kept && (settings.accountSid === undefined || regions.length === 0)) return undefined;
  const { accountSid, authTokens } = await loadCredentials(settings, new RandomIds(), {
    regions,
    control: false,
  });
  return { sid: accountSid, tokens: authTokens };
}
