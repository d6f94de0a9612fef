import type { AccountStatus } from '../../../src/config/accounts.ts';
import { createMemoryRegionalConfig } from '../../../src/config/memory.ts';
import type { RegionalConfig } from '../../../src/config/port.ts';
import type { SipDomain } from '../../../src/config/sip.ts';
import { createSipDirectory } from '../../../src/config/sip-directory.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import { CountingIds } from '../../../src/core/ids.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { createDigestGate } from '../../../src/edge/digest-gate.ts';
import type { RegionDirectory } from '../../../src/edge/region-directory.ts';
import { createRegistrar, type Registrar, type RegistrarOptions } from '../../../src/edge/registrar.ts';
import type { RegionId } from '../../../src/region/region.ts';
import { createMemoryRoutes } from '../../../src/routing/memory.ts';
import type { RouteDecision } from '../../../src/routing/port.ts';
import type { RequestReply, SipListener, SipSource } from '../../../src/sip/agent/port.ts';
import { answerChallenge } from '../../../src/sip/digest/digest.ts';
import { makeRequest } from '../../../src/sip/message/build.ts';
import type { SipRequest } from '../../../src/sip/message/message.ts';
import { parseMessage } from '../../../src/sip/message/parse.ts';
import { serialize } from '../../../src/sip/message/serialize.ts';
import { saveSipDomain } from '../../support/sip-domain.ts';

export const ACCOUNT = `AC${'1'.repeat(32)}`;
export const USERS = { ann: 'Ann-secret-12', bob: 'Bob-secret-12' } as const;
export const AOR = 'ann@acme';

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface RegisterParts {
  readonly uri?: string;
  readonly to?: string;
  readonly contacts?: readonly string[];
  readonly callId?: string;
  readonly cseq?: number;
  readonly headers?: Headers;
  readonly via?: readonly string[];
  readonly credentials?: { readonly username: string; readonly password: string };
}

/** Where a device's messages come from: not what its Contact says. */
export function sourceAt(port = 40_000, overrides: Partial<SipListener> = {}, open?: boolean): SipSource {
  const listener: SipListener = {
    transport: 'udp',
    bound: { address: '10.0.0.1', port: 5060 },
    advertised: { address: '10.0.0.1', port: 5060 },
    label: 'dublin',
    ...overrides,
  };
  return { address: '198.51.100.7', port, listener, ...(open === undefined ? {} : { open }) };
}

let lastCSeq = 0;

/** A REGISTER as it looks after it was sent and read. */
export function registerRequest(parts: RegisterParts = {}): SipRequest {
  const to = parts.to ?? 'sip:ann@acme.sip.trunkline.localhost';
  const headers = {
    Via: parts.via ?? ['SIP/2.0/UDP 192.168.1.20:5062;branch=z9hG4bKone;rport'],
    'Max-Forwards': '70',
    From: `<${to}>;tag=phone`,
    To: `<${to}>`,
    'Call-ID': parts.callId ?? 'phone-1',
    CSeq: `${parts.cseq ?? ++lastCSeq} REGISTER`,
    Contact: parts.contacts ?? ['<sip:ann@192.168.1.20:5062>'],
    ...parts.headers,
  };
  const request = makeRequest('REGISTER', parts.uri ?? 'sip:acme.sip.trunkline.localhost', headers);
  const parsed = parseMessage(serialize(request));
  if (!parsed.ok || parsed.message.kind !== 'request') {
    throw new Error(`the test’s own REGISTER is malformed: ${parsed.ok ? 'a response' : parsed.reason}`);
  }
  return parsed.message;
}

export interface RegistrarWorld {
  readonly clock: VirtualClock;
  readonly registrar: Registrar;
  readonly configs: Readonly<Record<'us1' | 'ie1', RegionalConfig>>;
  readonly status: { account: AccountStatus };
  readonly routes: ReturnType<typeof createMemoryRoutes>;
  route(region: RegionId): Promise<void>;
  saveDomain(region: 'us1' | 'ie1', overrides?: Partial<SipDomain>): Promise<void>;
  /** Sends it, answers the challenge once, and gives the last answer. */
  register(parts?: RegisterParts, source?: SipSource): Promise<RequestReply>;
  /** Without credentials. */
  send(parts?: RegisterParts, source?: SipSource): Promise<RequestReply>;
}

export async function registrarWorld(
  options: Partial<RegistrarOptions> & {
    readonly lookup?: (key: string) => Promise<RouteDecision>;
    readonly wrap?: (there: RegionDirectory) => RegionDirectory;
  } = {},
): Promise<RegistrarWorld> {
  const { lookup, wrap = (there: RegionDirectory) => there, ...overrides } = options;
  const clock = new VirtualClock();
  const ids = new CountingIds();
  const configs = {
    us1: createMemoryRegionalConfig('us1', { clock, ids }),
    ie1: createMemoryRegionalConfig('ie1', { clock, ids }),
  };
  const directories = new Map(
    Object.entries(configs).map(([region, config]) => {
      const there = {
        directory: createSipDirectory(config.records),
        registrations: config.registrations,
      };
      return [region === 'ie1' ? 'ie1' : 'us1', wrap(there)] as const;
    }),
  );
  const routes = createMemoryRoutes({ clock });
  const status: { account: AccountStatus } = { account: 'active' };
  const registrar = createRegistrar({
    clock,
    ids,
    logger: silentLogger,
    domain: 'trunkline.localhost',
    listeners: [sourceAt().listener],
    process: 'edge-1',
    routes: lookup ? { lookup: (_, key) => lookup(key), close: async () => {} } : routes.lookup,
    directories,
    accounts: { of: async () => status.account },
    gate: createDigestGate({ clock, ids }),
    ...overrides,
  });
  const send = (parts?: RegisterParts, source = sourceAt()) =>
    registrar.handle(registerRequest(parts), source);

  const w: RegistrarWorld = {
    clock,
    registrar,
    configs,
    status,
    routes,
    send,
    async route(region) {
      await routes.table.save({
        sid: `QQ${'1'.repeat(32)}`,
        kind: 'sip-domain',
        key: 'acme',
        accountSid: ACCOUNT,
        voiceRegion: region,
        friendlyName: '',
        createdAt: 0,
        updatedAt: 0,
      });
    },
    saveDomain: (region, domain = {}) =>
      saveSipDomain(configs[region], { accountSid: ACCOUNT, name: 'acme', users: USERS, domain }),
    async register(parts = {}, source) {
      const challenged = await send(parts, source);
      if (challenged.status !== 401) return challenged;
      const credentials = parts.credentials ?? { username: 'ann', password: USERS.ann };
      const uri = parts.uri ?? 'sip:acme.sip.trunkline.localhost';
      const challenges = [challenged.headers?.['WWW-Authenticate'] ?? []].flat();
      const answer = answerChallenge(challenges, credentials, { method: 'REGISTER', uri }, 'c0ffee');
      return send({ ...parts, headers: { ...parts.headers, Authorization: answer } }, source);
    },
  };
  await w.saveDomain('us1');
  return w;
}

/** Contact lines of an answer. */
export function contactsIn(reply: RequestReply): readonly string[] {
  return [reply.headers?.['Contact'] ?? []].flat();
}
