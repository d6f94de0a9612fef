import { SystemClock, VirtualClock } from '../../core/clock.ts';
import { CountingIds, RandomIds } from '../../core/ids.ts';
import { createHttpClient } from '../../webhook/http-adapter.ts';
import type { HttpClient } from '../../webhook/port.ts';
import type { LocatedApp } from '../application/locate.ts';
import { resolvePages } from '../application/locate.ts';
import { requestClock } from '../application/request-clock.ts';
import { TestedApplication, type TestedApplicationOptions } from '../application/tested-application.ts';
import { createTestedAudio } from '../application/tested-audio.ts';
import type { CallScenario } from '../call-parts.ts';
import type { CalleeAction } from '../scenario.ts';
import { SimulatedCall } from '../simulated-call.ts';
import { Call } from './call.ts';
import { callRequests } from './facts.ts';
import { Pace } from './pace.ts';
import { Transcript } from './transcript.ts';

/** Shared by all calls of a process: connections are kept, and none keeps the process alive. */
let http: HttpClient | undefined;

export interface OpenCallOptions extends Pick<TestedApplicationOptions, 'pages' | 'allowHosts'> {
  readonly app: LocatedApp;
  /** Gets the call's clock: scripted answers take virtual time. */
  readonly scripted?: (clock: VirtualClock) => NonNullable<TestedApplicationOptions['scripted']>;
  readonly scenario: CallScenario;
  readonly token?: string | undefined;
  readonly seed?: number | undefined;
  /** What those do whom the scenario does not name. */
  readonly plans: Map<string, readonly CalleeAction[]>;
  readonly others: readonly CalleeAction[];
}

export interface OpenCall {
  readonly call: Call;
  readonly simulated: SimulatedCall;
  readonly application: TestedApplication;
  readonly clock: VirtualClock;
  readonly pace: Pace;
}

/** Makes a call to an application under test; nothing of it has happened yet. */
export async function openCall(options: OpenCallOptions): Promise<OpenCall> {
  const { app, scenario, plans, others, token, pages = {}, allowHosts = [] } = options;
  const clock = new VirtualClock();
  const ids = new CountingIds(options.seed ?? new RandomIds().uint32() + 1);
  http ??= createHttpClient({ clock: new SystemClock(), allowPrivate: true });
  const application = new TestedApplication({
    clock,
    http,
    origin: app.origin,
    pages: { ...resolvePages(pages, app.origin), ...app.pages },
    allowHosts,
    ...(app.handler && { handler: app.handler }),
    ...(options.scripted && { scripted: options.scripted(clock) }),
  });
  const limits = requestClock(clock);
  const simulated = await SimulatedCall.create(
    {
      clock,
      ids,
      http: application,
      listener: application.listener,
      requestClock: limits,
      ...(token !== undefined && { authToken: token }),
      audio: createTestedAudio({ application, requestClock: limits, ids }),
      stranger: (address) => plans.get(address) ?? others,
    },
    scenario,
  );
  const transcript = new Transcript(simulated, application.seen);
  const pace = new Pace(clock, () => transcript.notice());
  const call = new Call({
    call: simulated,
    clock,
    pace,
    transcript,
    requests: () => callRequests(application.seen),
    plan: (address, does) => plans.set(address, does),
    run: () => simulated.run(),
  });
  return { call, simulated, application, clock, pace };
}
