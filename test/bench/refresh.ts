import { createServer, type Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { SystemClock } from '../../src/core/clock.ts';
import { RandomIds } from '../../src/core/ids.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { makeOffer } from '../../src/media/offer-answer.ts';
import { createSipAgent } from '../../src/sip/agent/agent.ts';
import type { SipAgent, SipListener } from '../../src/sip/agent/port.ts';
import { clientOf } from '../e2e/support/numbers.ts';
import { startTrunkline } from '../support/trunkline.ts';
import { quantile } from './quantile.ts';
import { createDomain } from './sip-domain.ts';
import { Telephones } from './telephones.ts';

/*
 * A call's set-up while registered devices refresh: INVITE to 180, and INVITE to the webhook, of calls to the SIP domain
 * the devices belong to, on a real start with everything in place. Calls begin when they are due, whatever the others
 * do. Devices, caller and application are all in this process, so what it does for the devices is in the figures, too.
 * Every refresh is challenged: by half its expiry a telephone's nonce is too old.
 */

const DEVICES = 1_000;
/** Half of 600 s, which is when telephones refresh: RFC 3261 leaves it to them. */
const REFRESH_EVERY_MS = 300_000;
const CALLS_A_SECOND = 20;
const ROUND_MS = 10_000;
const ROUNDS = 3;
const PASSWORD = 'Secret-of-all-12';
const HANG_UP = '<?xml version="1.0"?><Response><Hangup/></Response>';

export interface SetUpResult {
  readonly calls: number;
  /** INVITE sent → 180 received, milliseconds. */
  readonly ringP50Ms: number;
  readonly ringP99Ms: number;
  /** INVITE sent → the application has the request, milliseconds. */
  readonly webhookP50Ms: number;
  readonly webhookP99Ms: number;
  /** Refreshes a second, of two REGISTERs each, and how long they take, milliseconds. */
  readonly refreshes: number;
  readonly refreshP99Ms: number;
}

export interface RefreshResult {
  readonly devices: number;
  readonly alone: SetUpResult;
  readonly refreshing: SetUpResult;
  readonly 'ten times as fast': SetUpResult;
  /** p99 with refreshes over p99 alone. */
  readonly ratioRing: number;
  readonly ratioWebhook: number;
  readonly ratioRingTenTimes: number;
  readonly ratioWebhookTenTimes: number;
}

export async function benchRefresh(): Promise<RefreshResult> {
  const application = await Application.start();
  const trunkline = await startTrunkline({ env: { TRUNKLINE_DEMO: 'false', TRUNKLINE_LOG_LEVEL: 'warn' } });
  const users = Array.from({ length: DEVICES }, (_, n) => `user${n}`);
  const devices: Device[] = [];
  const agent = createSipAgent({ clock: new SystemClock(), ids: new RandomIds(), logger: silentLogger });
  try {
    await createDomain(clientOf(trunkline, 'us1'), {
      name: 'acme',
      voiceUrl: application.url,
      addresses: ['127.0.0.0/8'],
      devices: Object.fromEntries(users.map((user) => [user, PASSWORD])),
    });
    for (const user of users) {
      const telephone = await Telephones.open(trunkline.sip.port, PASSWORD);
      devices.push({ user, telephone });
      await telephone.register(user);
    }
    const listener = await agent.listen({ transport: 'udp', host: '127.0.0.1', port: 0, label: 'bench' });
    const caller = new Caller(agent, listener, trunkline.sip.port, application);
    return await compare(caller, devices);
  } finally {
    for (const { telephone } of devices) telephone.close();
    await agent.close();
    await trunkline.stop();
    application.stop();
  }
}

interface Device {
  readonly user: string;
  readonly telephone: Telephones;
}

/** Milliseconds. */
interface Times {
  readonly ring: number[];
  readonly webhook: number[];
  readonly refresh: number[];
}

/** In turns, so that a busy machine slows all of them. */
async function compare(caller: Caller, devices: readonly Device[]): Promise<RefreshResult> {
  const none = (): Times => ({ ring: [], webhook: [], refresh: [] });
  const every = REFRESH_EVERY_MS / devices.length;
  await round(caller, devices, every, none()); // so that all are measured warm
  const [alone, refreshing, tenTimes] = [none(), none(), none()];
  for (let turn = 0; turn < ROUNDS; turn++) {
    await round(caller, devices, undefined, alone);
    await round(caller, devices, every, refreshing);
    await round(caller, devices, every / 10, tenTimes);
  }
  const [one, two, three] = [setUp(alone), setUp(refreshing), setUp(tenTimes)];
  return {
    devices: devices.length,
    alone: one,
    refreshing: two,
    'ten times as fast': three,
    ratioRing: two.ringP99Ms / one.ringP99Ms,
    ratioWebhook: two.webhookP99Ms / one.webhookP99Ms,
    ratioRingTenTimes: three.ringP99Ms / one.ringP99Ms,
    ratioWebhookTenTimes: three.webhookP99Ms / one.webhookP99Ms,
  };
}

function setUp({ ring, webhook, refresh }: Times): SetUpResult {
  return {
    calls: ring.length,
    ringP50Ms: quantile(ring, 0.5),
    ringP99Ms: quantile(ring, 0.99),
    webhookP50Ms: quantile(webhook, 0.5),
    webhookP99Ms: quantile(webhook, 0.99),
    refreshes: (refresh.length * 1_000) / (ROUNDS * ROUND_MS),
    refreshP99Ms: refresh.length > 0 ? quantile(refresh, 0.99) : 0,
  };
}

/** Calls for some seconds, and refreshes at this distance, milliseconds. Ends with the last of both. */
async function round(
  caller: Caller,
  devices: readonly Device[],
  every: number | undefined,
  times: Times,
): Promise<void> {
  const refreshes = every === undefined ? 0 : Math.floor(ROUND_MS / every);
  await Promise.all([
    onTime((CALLS_A_SECOND * ROUND_MS) / 1_000, 1_000 / CALLS_A_SECOND, () => caller.call(times)),
    onTime(refreshes, every ?? 0, async () => {
      const { user, telephone } = next(devices);
      const began = performance.now();
      await telephone.register(user);
      times.refresh.push(performance.now() - began);
    }),
  ]);
}

let taken = 0;
function next(devices: readonly Device[]): Device {
  const device = devices[taken++ % devices.length];
  if (!device) throw new Error('no devices');
  return device;
}

/** Begins each when it is due, whether the others have ended or not. */
async function onTime(count: number, every: number, act: () => Promise<void>): Promise<void> {
  const began = performance.now();
  const under: Promise<void>[] = [];
  for (let n = 0; n < count; n++) {
    const wait = began + n * every - performance.now();
    if (wait > 0) await pause(wait);
    under.push(act());
  }
  await Promise.all(under);
}

/** Calls the domain; every call is hung up on by its document. */
class Caller {
  readonly #agent: SipAgent;
  readonly #listener: SipListener;
  readonly #port: number;
  readonly #application: Application;
  readonly #body = makeOffer({ address: '127.0.0.1', port: 40_000, sessionId: 1, version: 1 });
  #calls = 0;

  constructor(agent: SipAgent, listener: SipListener, port: number, application: Application) {
    this.#agent = agent;
    this.#listener = listener;
    this.#port = port;
    this.#application = application;
  }

  async call(times: Times): Promise<void> {
    const from = `sip:caller${++this.#calls}@127.0.0.1`;
    const asked = this.#application.asked(from);
    const sent = performance.now();
    const invite = this.#agent.invite({
      listener: this.#listener,
      uri: 'sip:bob@acme.sip.twilio.com',
      destination: { address: '127.0.0.1', port: this.#port },
      from: `<${from}>`,
      body: this.#body,
    });
    const ringing = new Promise<number>((resolve) => {
      invite.onProgress = ({ status }) => status === 180 && resolve(performance.now());
    });
    const { dialog } = await invite.answered;
    times.ring.push((await ringing) - sent);
    times.webhook.push((await asked) - sent);
    if (dialog.ended.aborted) return;
    await new Promise<void>((resolve) => dialog.ended.addEventListener('abort', () => resolve()));
  }
}

/** Hangs up on every call, and tells when it was asked. */
class Application {
  readonly #server: Server;
  readonly url: string;
  /** By the caller's address. */
  readonly #waiting = new Map<string, (at: number) => void>();

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
    server.on('request', (request, response) => {
      const at = performance.now();
      let form = '';
      request.setEncoding('utf8').on('data', (text: string) => {
        form += text;
      });
      request.on('end', () => {
        response.setHeader('Content-Type', 'text/xml').end(HANG_UP);
        const from = new URLSearchParams(form).get('From') ?? '';
        this.#waiting.get(from)?.(at);
        this.#waiting.delete(from);
      });
    });
  }

  static async start(): Promise<Application> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new Application(server, `http://127.0.0.1:${address.port}/`);
  }

  /** When it is asked about the call from this address, in performance.now(). */
  asked(from: string): Promise<number> {
    return new Promise((resolve) => this.#waiting.set(from, resolve));
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
