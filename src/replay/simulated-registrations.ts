import { createMemoryRegionalConfig } from '../config/memory.ts';
import type { RegionalConfig } from '../config/port.ts';
import {
  isRegisteredAddress,
  type RegisteredDevices,
  registeredDevices,
} from '../config/registered-address.ts';
import type { Binding } from '../config/registrations.ts';
import type { SipDomain } from '../config/sip.ts';
import type { Clock } from '../core/clock.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { EdgeId } from '../region/edge.ts';
import { DEFAULT_REGION, REGIONS, type RegionId } from '../region/region.ts';
import type { DialTarget } from '../twiml/verbs/ports.ts';
import type { CalleeAction, Scenario } from './scenario.ts';

const BASE_DOMAIN = 'trunkline.localhost';
const PARENT = `AC${'9'.repeat(31)}1`;
const STRANGER = `AC${'9'.repeat(31)}2`;

/** A week: longer than any scenario. */
const LASTING_MS = 604_800_000;

/** The devices of a scenario, registered with its domains; who is called is found as it is live. */
export class SimulatedRegistrations {
  readonly #config: RegionalConfig;
  readonly #does = new Map<string, readonly CalleeAction[]>();

  private constructor(region: RegionId, clock: Clock) {
    this.#config = createMemoryRegionalConfig(region, { clock });
  }

  static async create(
    {
      region = DEFAULT_REGION,
      domains,
      registrations,
    }: Pick<Scenario, 'domains' | 'registrations'> & Partial<Pick<Scenario, 'region'>>,
    accountSid: string,
    clock: Clock,
  ): Promise<SimulatedRegistrations> {
    const simulated = new SimulatedRegistrations(region, clock);
    const owners = { account: accountSid, parent: PARENT, stranger: STRANGER };
    for (const [index, { name, of }] of domains.entries()) {
      await simulated.#config.records.domains.create(domainOf(name, owners[of], index));
    }
    for (const [index, { does, ...device }] of registrations.entries()) {
      const home = { ...device, edge: device.edge ?? REGIONS[region].homeEdge };
      const domain = await simulated.#config.records.domains.find(
        device.aor.slice(device.aor.indexOf('@') + 1),
      );
      const owner = { accountSid, domainSid: domain?.sid ?? '' };
      const binding = bindingOf(home, index, owner, clock.now() + LASTING_MS);
      await simulated.#config.registrations.change(binding.aor, (before) => [...before, binding]);
      simulated.#does.set(binding.id, does);
    }
    return simulated;
  }

  /** Claims that only registered devices have this address. */
  has(target: DialTarget): boolean {
    return target.kind === 'sip' && isRegisteredAddress(target.uri, BASE_DOMAIN);
  }

  async find(
    { uri, edge, connectionSid, barred }: Extract<DialTarget, { kind: 'sip' }>,
    accountSid: string,
  ): Promise<RegisteredDevices | Diagnostic> {
    const asksEgress = (edge ?? connectionSid ?? barred) !== undefined;
    const found = await registeredDevices(
      { uri, accountSid, asksEgress },
      {
        config: this.#config,
        domain: BASE_DOMAIN,
        related: async (...pair) => pair.includes(PARENT),
        domainRelated: async () => false,
      },
    );
    if (!found) throw new Error(`${uri} is no registered address`);
    return found;
  }

  /** What a device does when it is called. */
  doingOf({ id }: Binding): readonly CalleeAction[] {
    return this.#does.get(id) ?? [];
  }
}

function domainOf(name: string, accountSid: string, index: number): SipDomain {
  return {
    sid: `SD${`${index + 1}`.padStart(32, '0')}`,
    accountSid,
    friendlyName: name,
    domainName: `${name}.sip.twilio.com`,
    name,
    voiceUrl: '',
    voiceMethod: 'POST',
    voiceFallbackUrl: '',
    voiceFallbackMethod: 'POST',
    voiceStatusCallbackUrl: '',
    voiceStatusCallbackMethod: 'POST',
    sipRegistration: true,
    secure: false,
    emergencyCallingEnabled: false,
    emergencyCallerSid: null,
    byocTrunkSid: null,
    createdAt: index,
    updatedAt: index,
  };
}

/** Each has an address of its own: documentation addresses, RFC 5737. */
function bindingOf(
  { aor, edge, transport }: Omit<Scenario['registrations'][number], 'does'> & { readonly edge: EdgeId },
  index: number,
  owner: Pick<Binding, 'accountSid' | 'domainSid'>,
  expiresAt: number,
): Binding {
  const username = aor.slice(0, aor.indexOf('@'));
  const flow = { edge, process: 'edge', transport, address: `192.0.2.${index + 1}`, port: 5060 } as const;
  const contact = `sip:${username}@${flow.address}:${flow.port}`;
  return {
    id: `RB${`${index + 1}`.padStart(32, '0')}`,
    ...owner,
    aor,
    username,
    contact,
    identity: contact,
    callId: `registration-${index + 1}`,
    cseq: 1,
    path: [],
    flow,
    userAgent: null,
    createdAt: index,
    updatedAt: index,
    expiresAt,
  };
}
