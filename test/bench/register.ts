import type { RegionalConfig } from '../../src/config/port.ts';
import { createRegionalConfig } from '../../src/config/redis.ts';
import { createSipDirectory } from '../../src/config/sip-directory.ts';
import { SystemClock } from '../../src/core/clock.ts';
import { RandomIds } from '../../src/core/ids.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { createDigestGate } from '../../src/edge/digest-gate.ts';
import { createRegistrar } from '../../src/edge/registrar.ts';
import { REGIONS } from '../../src/region/region.ts';
import { createMemoryRoutes } from '../../src/routing/memory.ts';
import { createSipAgent } from '../../src/sip/agent/agent.ts';
import type { SipListener } from '../../src/sip/agent/port.ts';
import { connectRedis, disconnectRedis } from '../../src/storage/redis/connect.ts';
import { startRedis } from '../support/redis.ts';
import { saveSipDomain } from '../support/sip-domain.ts';
import { better, type Measured, NOTHING } from './measured.ts';
import { cpuOfTree } from './process-cpu.ts';
import { Telephones } from './telephones.ts';

/*
 * REGISTER a second at one edge process with digest and the Region's Redis, beside the least that a SIP agent does:
 * the same agent answering OPTIONS by itself. One client of this process asks for all three over one UDP socket, so its
 * own work is in every figure and the ratios are lower than they would be without it.
 */

const USERS = 4_000;
const AT_ONCE = 64;
const ROUNDS = 3;
const PASSWORD = 'Secret-of-all-12';

export interface RegisterResult {
  /** OPTIONS answered a second. */
  readonly options: number;
  /** Registrations a second, of two REGISTERs each: 401, and 200. */
  readonly registrations: number;
  /** A second, of one REGISTER each, with the nonce of the registration. */
  readonly refreshes: number;
  /** How many OPTIONS are answered in the time of one registration, and of one refresh. */
  readonly ratioRegistration: number;
  readonly ratioRefresh: number;
  /** Processor time of this process and Redis, microseconds each. */
  readonly cpuOptions: number;
  readonly cpuRegistration: number;
  readonly cpuRefresh: number;
}

export async function benchRegister(): Promise<RegisterResult> {
  const server = await startRedis();
  const redis = connectRedis(server.url, 'bench', silentLogger);
  const clock = new SystemClock();
  const config = createRegionalConfig({ redis, region: REGIONS.us1, clock, ids: new RandomIds() });
  const users = Array.from({ length: USERS }, (_, n) => `user${n}`);
  await saveSipDomain(config, {
    accountSid: `AC${'1'.repeat(32)}`,
    name: 'acme',
    users: Object.fromEntries(users.map((user) => [user, PASSWORD])),
  });
  const agent = createSipAgent({ clock, ids: new RandomIds(), logger: silentLogger });
  const listener = await agent.listen({ transport: 'udp', host: '127.0.0.1', port: 0, label: 'ashburn' });
  const registrar = registrarOf(config, listener);
  agent.onRequest = (request, source) =>
    request.method === 'REGISTER' ? registrar.handle(request, source) : undefined;
  const client = await Telephones.open(listener.bound.port, PASSWORD);
  try {
    const run = {
      options: () => measure(users, (user) => client.options(user)),
      registration: () => measure(users, (user) => client.register(user)),
      refresh: () => measure(users, (user) => client.refresh(user)),
    };
    await run.options(); // so that all are measured warm
    let [options, registration, refresh] = [NOTHING, NOTHING, NOTHING];
    for (let round = 0; round < ROUNDS; round++) {
      options = better(options, await run.options());
      registration = better(registration, await run.registration());
      refresh = better(refresh, await run.refresh());
    }
    return {
      options: options.perSecond,
      registrations: registration.perSecond,
      refreshes: refresh.perSecond,
      ratioRegistration: options.perSecond / registration.perSecond,
      ratioRefresh: options.perSecond / refresh.perSecond,
      cpuOptions: options.cpu,
      cpuRegistration: registration.cpu,
      cpuRefresh: refresh.cpu,
    };
  } finally {
    client.close();
    await agent.close();
    await disconnectRedis(redis);
    await server.stop();
  }
}

function registrarOf({ records, registrations }: RegionalConfig, listener: SipListener) {
  const [clock, ids] = [new SystemClock(), new RandomIds()];
  return createRegistrar({
    clock,
    ids,
    logger: silentLogger,
    domain: 'trunkline.localhost',
    listeners: [listener],
    process: 'bench',
    routes: createMemoryRoutes({ clock }).lookup,
    directories: new Map([['us1', { directory: createSipDirectory(records), registrations }]]),
    accounts: { of: async () => 'active' },
    gate: createDigestGate({ clock, ids }),
  });
}

/** All users once, `AT_ONCE` at a time. */
async function measure(users: readonly string[], act: (user: string) => Promise<void>): Promise<Measured> {
  const waiting = users.values();
  const before = cpuOfTree(process.pid);
  const began = performance.now();
  const worker = async () => {
    for (const user of waiting) await act(user);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const perSecond = (users.length * 1_000) / (performance.now() - began);
  return { perSecond, cpu: (cpuOfTree(process.pid) - before) / users.length };
}
