import { locateApp } from '../application/locate.ts';
import type { CalleeAction } from '../scenario.ts';
import type { Call } from './call.ts';
import { readPlan } from './callee-plan.ts';
import { checkOptions } from './check-options.ts';
import { openCall } from './open-call.ts';
import type { ScenarioOptions } from './options.ts';

/** What somebody does whom the test has said nothing about: they ring. */
const RINGS: readonly CalleeAction[] = [{ at: 0, ring: 180, early: false }];

/**
 * Calls an application in virtual time: resolves with the call once it has come in and the application has been asked
 * for the first time. Rejects with ScenarioError for options that cannot be used, and with the application's own error
 * when it is a function that throws.
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
  checkOptions(options);
  const app = await locateApp(options);
  const plans = Object.entries(options.callees ?? {}).map(
    ([address, plan]) => [address, readPlan(address, plan)] as const,
  );
  const { from = '+15005550001', to = '+15005550006', method = 'POST', region = 'us1' } = options;
  const { domains = [], registrations = [], applications = [] } = options;
  const absolute = (url = '') => (url === '' ? '' : new URL(url, app.url).href);
  const { call, pace } = await openCall({
    app,
    plans: new Map(plans),
    others: RINGS,
    pages: options.webhooks ?? {},
    allowHosts: options.allowHosts ?? [],
    token: options.token,
    seed: options.seed,
    scenario: {
      from,
      to,
      region,
      voice: {
        url: app.url,
        method,
        fallbackUrl: absolute(options.fallback),
        fallbackMethod: 'POST',
        statusCallback: absolute(options.statusCallback),
        statusCallbackMethod: 'POST',
      },
      callees: [],
      domains,
      registrations,
      applications,
      orders: [],
    },
  });
  await pace.settle();
  return call;
}
