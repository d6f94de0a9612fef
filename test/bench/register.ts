import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Redis } from 'ioredis';
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
import { answerChallenge } from '../../src/sip/digest/digest.ts';
import { startRedis } from '../support/redis.ts';
import { saveSipDomain } from '../support/sip-domain.ts';

/*
 * REGISTER a second at one edge process with digest and the Region's Redis, beside the least that a SIP agent does:
 * the same agent answering OPTIONS by itself. One client of this process asks for all three over one UDP socket, so its
 * own work is in every figure and the ratios are lower than they would be without it.
 */

const USERS = 4_000;
const AT_ONCE = 64;
const PASSWORD = 'Secret-of-all-12';
const URI = 'sip:acme.sip.twilio.com';

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
}

export async function benchRegister(): Promise<RegisterResult> {
  const server = await startRedis();
  const redis = new Redis(server.url);
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
  const client = await Client.open(listener.bound.port);
  try {
    await perSecond(users, (user) => client.options(user)); // so that all are measured warm
    const options = await perSecond(users, (user) => client.options(user));
    const registrations = await perSecond(users, (user) => client.register(user));
    const refreshes = await perSecond(users, (user) => client.refresh(user));
    return {
      options,
      registrations,
      refreshes,
      ratioRegistration: options / registrations,
      ratioRefresh: options / refreshes,
    };
  } finally {
    client.close();
    await agent.close();
    await redis.quit();
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

/** How many a second, `AT_ONCE` at a time. */
async function perSecond(users: readonly string[], act: (user: string) => Promise<void>): Promise<number> {
  const waiting = users.values();
  const began = performance.now();
  const worker = async () => {
    for (const user of waiting) await act(user);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return (users.length * 1_000) / (performance.now() - began);
}

/** Telephones behind one socket. */
class Client {
  readonly #socket: Socket;
  readonly #port: number;
  /** By CSeq, which no two requests share. */
  readonly #waiting = new Map<string, (response: string) => void>();
  /** By user. */
  readonly #challenges = new Map<string, string>();
  #cseq = 0;

  private constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
    socket.on('message', (bytes) => {
      const text = bytes.toString('latin1');
      const cseq = /^CSeq: (\d+)/m.exec(text)?.[1] ?? '';
      this.#waiting.get(cseq)?.(text);
      this.#waiting.delete(cseq);
    });
  }

  static async open(port: number): Promise<Client> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new Client(socket, port);
  }

  close(): void {
    this.#socket.close();
  }

  async options(user: string): Promise<void> {
    expectStatus(await this.#ask('OPTIONS', user, ''), 200);
  }

  async register(user: string): Promise<void> {
    const challenged = await this.#ask('REGISTER', user, '');
    expectStatus(challenged, 401);
    this.#challenges.set(user, /^WWW-Authenticate: (.*)\r$/m.exec(challenged)?.[1] ?? '');
    await this.#answer(user, 1);
  }

  async refresh(user: string): Promise<void> {
    await this.#answer(user, 2);
  }

  async #answer(username: string, use: number): Promise<void> {
    const credentials = { username, password: PASSWORD };
    const challenge = this.#challenges.get(username) ?? '';
    const answer = answerChallenge([challenge], credentials, { method: 'REGISTER', uri: URI }, 'c0ffee', use);
    expectStatus(await this.#ask('REGISTER', username, `Authorization: ${answer}\r\n`), 200);
  }

  #ask(method: string, user: string, header: string): Promise<string> {
    const cseq = String(++this.#cseq);
    const text =
      `${method} ${URI} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK${cseq};rport\r\n` +
      `Max-Forwards: 70\r\nFrom: <sip:${user}@acme.sip.twilio.com>;tag=t\r\n` +
      `To: <sip:${user}@acme.sip.twilio.com>\r\nCall-ID: ${user}\r\nCSeq: ${cseq} ${method}\r\n` +
      `Contact: <sip:${user}@192.168.1.20:5062>\r\n${header}Content-Length: 0\r\n\r\n`;
    return new Promise((resolve) => {
      this.#waiting.set(cseq, resolve);
      this.#socket.send(text, this.#port, '127.0.0.1');
    });
  }
}

function expectStatus(response: string, status: number): void {
  if (!response.startsWith(`SIP/2.0 ${status} `)) throw new Error(`expected ${status}, got ${response}`);
}
