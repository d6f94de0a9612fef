import { SystemClock, VirtualClock } from '../../core/clock.ts';
import { CountingIds, RandomIds } from '../../core/ids.ts';
import { createHttpClient } from '../../webhook/http-adapter.ts';
import type { HttpClient } from '../../webhook/port.ts';
import { locateApp, resolvePages } from '../application/locate.ts';
import { requestClock } from '../application/request-clock.ts';
import { TestedApplication } from '../application/tested-application.ts';
import { createTestedAudio } from '../application/tested-audio.ts';
import type { CalleeAction } from '../scenario.ts';
import { SimulatedCall } from '../simulated-call.ts';
import { Call } from './call.ts';
import { readPlan } from './callee-plan.ts';
import { callRequests } from './facts.ts';
import type { ScenarioOptions } from './options.ts';
import { Pace } from './pace.ts';
import { Transcript } from './transcript.ts';

/** Shared by all calls of a process: connections are kept, and none keeps the process alive. */
let http: HttpClient | undefined;

/** What somebody does whom the test has said nothing about: they ring. */
const RINGS: readonly CalleeAction[] = [{ at: 0, ring: 180, early: false }];

/**
 * Calls an application in virtual time: resolves with the call once it has come in and the application has been asked
 * for the first time.
 *
 * @example
 * const call = await scenario({ app: 'http://localhost:3000/voice' });
 * await call.hears(/welcome/i);
 * await call.press('1');
 * await call.hears('connecting you');
 * call.hangup();
 * const { status, duration } = await call.ended;
 */
export async function scenario(options: ScenarioOptions): Promise<Call> {
  const clock = new VirtualClock();
  const ids = new CountingIds(options.seed ?? new RandomIds().uint32() + 1);
  const located = await locateApp(options);
  http ??= createHttpClient({ clock: new SystemClock(), allowPrivate: true });
  const application = new TestedApplication({
    clock,
    http,
    origin: located.origin,
    pages: { ...resolvePages(options.webhooks ?? {}, located.origin), ...located.pages },
    ...(located.handler && { handler: located.handler }),
    allowHosts: options.allowHosts ?? [],
  });
  const plans = new Map(
    Object.entries(options.callees ?? {}).map(([address, plan]) => [address, readPlan(address, plan)]),
  );
  const limits = requestClock(clock);
  const { from = '+15005550001', to = '+15005550006', method = 'POST' } = options;
  const { domains = [], registrations = [], applications = [] } = options;
  const absolute = (url: string) => (url === '' ? '' : new URL(url, located.url).href);
  const call = await SimulatedCall.create(
    {
      clock,
      ids,
      http: application,
      requestClock: limits,
      ...(options.token !== undefined && { authToken: options.token }),
      audio: createTestedAudio({ application, requestClock: limits, ids }),
      stranger: (address) => plans.get(address) ?? RINGS,
    },
    {
      from,
      to,
      voice: {
        url: located.url,
        method,
        fallbackUrl: absolute(options.fallback ?? ''),
        fallbackMethod: 'POST',
        statusCallback: absolute(options.statusCallback ?? ''),
      },
      callees: [],
      domains,
      registrations,
      applications,
      orders: [],
    },
  );
  const transcript = new Transcript(call, application.seen);
  const pace = new Pace(clock, () => transcript.notice());
  const made = new Call({
    call,
    clock,
    pace,
    transcript,
    requests: () => callRequests(application.seen),
    plan: (address, does) => plans.set(address, does),
    run: () => call.run(),
  });
  await pace.settle();
  return made;
}
