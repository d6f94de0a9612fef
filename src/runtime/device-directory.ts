import type { RegionalConfig } from '../config/port.ts';
import {
  type CalledAddress,
  type RegisteredDevices,
  registeredDevices,
} from '../config/registered-address.ts';
import { type ControlClient, EdgeUnreachable } from '../control/client.ts';
import type { EdgeAddress } from '../control/edge-address.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { EdgeId } from '../region/edge.ts';
import type { EdgeProcesses } from './edge-processes.ts';

/** Who is registered in this Region under a SIP URI, as `registeredDevices` says it. */
export type DeviceDirectory = (called: CalledAddress) => Promise<RegisteredDevices | Diagnostic | undefined>;

export interface DeviceDirectoryOptions {
  readonly config: Pick<RegionalConfig, 'region' | 'records' | 'registrations'>;
  /** The base domain. */
  readonly domain: string;
  readonly control: Pick<ControlClient, 'related' | 'domainRelated'>;
  readonly edges: EdgeProcesses;
  /** An edge of which a process can be asked about accounts. */
  readonly homeEdge: EdgeId;
}

/**
 * A worker holds its Region's data alone, and whose subaccount an account is, is known globally: an edge is asked,
 * where the domain is not the caller's own or not in this Region.
 */
export function createDeviceDirectory(options: DeviceDirectoryOptions): DeviceDirectory {
  const { config, domain, control, edges, homeEdge } = options;

  async function ask(question: (process: EdgeAddress) => Promise<boolean>): Promise<boolean> {
    for (const process of await edges.serving(homeEdge)) {
      try {
        return await question(process);
      } catch (error) {
        if (!(error instanceof EdgeUnreachable)) throw error;
      }
    }
    throw new Error(`no edge process that serves ${homeEdge} can be asked whose the SIP domain is`);
  }

  const related = (one: string, other: string) => ask((process) => control.related(process, [one, other]));
  const domainRelated = (name: string, accountSid: string) =>
    ask((process) => control.domainRelated(process, name, accountSid));
  return (called) => registeredDevices(called, { config, domain, related, domainRelated });
}
