import twilio from 'twilio';
import { expect } from 'vitest';
import type { RunningTrunkline } from '../../support/trunkline.ts';
import { until } from '../../support/until.ts';
import type { SeenRequest, WebhookApp } from '../../support/webhook-app.ts';
import type { RegionName } from './numbers.ts';

/** What an application was asked at `path`, in order, for one call where a CallSid is given. */
export function asked(app: WebhookApp, path: string, callSid?: string): SeenRequest[] {
  return app.seen.filter(
    (one) => one.path.split('?')[0] === path && (callSid === undefined || one.form['CallSid'] === callSid),
  );
}

/** Waits until a call's end was told at `path`, and gives the forms of all its callbacks as they came. */
export async function callbacksOf(
  app: WebhookApp,
  path: string,
  callSid: string,
): Promise<Record<string, string>[]> {
  await until(`the end of ${callSid} at ${path}`, () =>
    asked(app, path, callSid).some(({ form }) => form['CallDuration'] !== undefined),
  );
  return asked(app, path, callSid).map(({ form }) => form);
}

/** Every request is signed with the token of this Region and with no other, as the official SDK sees it. */
export function expectSigned(
  trunkline: RunningTrunkline,
  region: RegionName,
  requests: readonly SeenRequest[],
): void {
  expect(requests.length).toBeGreaterThan(0);
  for (const { headers, url, form } of requests) {
    const accepting = Object.entries(trunkline.tokens).flatMap(([name, token]) =>
      twilio.validateRequest(token, String(headers['x-twilio-signature']), url, form) ? [name] : [],
    );
    expect(accepting, url).toEqual([region]);
  }
}
