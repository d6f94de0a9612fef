import { XMLParser } from 'fast-xml-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { until } from '../support/until.ts';
import { WebhookApp } from '../support/webhook-app.ts';
import { asked, callbacksOf, expectSigned } from './support/callbacks.ts';
import { Callers } from './support/caller.ts';
import { clientOf, storedCall, storedCallFrom } from './support/numbers.ts';
import { Telephones } from './support/telephones.ts';

const GREETING = '<Response><Say loop="often">Good evening.</Say></Response>';

let trunkline: RunningTrunkline;
let app: WebhookApp;
let callers: Callers;
let carrier: Telephones;

beforeAll(async () => {
  app = await WebhookApp.start();
  app.on('/status', {});
  carrier = await Telephones.start();
  trunkline = await startTrunkline({
    env: {
      TRUNKLINE_DEMO: 'false',
      TRUNKLINE_CPS: '100',
      TRUNKLINE_CARRIER: `sip:${carrier.address}`,
    },
  });
  callers = new Callers(trunkline.sip);
});

afterAll(async () => {
  callers.close();
  await trunkline.stop();
  await carrier.close();
  await app.stop();
});

const us1 = () => clientOf(trunkline, 'us1');

/** What the service of us1 answers at a path below the account. */
async function fetched(path: string) {
  const { accountSid, httpPort, tokens } = trunkline;
  const authorization = `Basic ${Buffer.from(`${accountSid}:${tokens['us1']}`).toString('base64')}`;
  const url = `http://127.0.0.1:${httpPort + 1}/2010-04-01/Accounts/${accountSid}${path}`;
  const response = await fetch(url, { headers: { authorization } });
  return { type: response.headers.get('content-type') ?? '', text: await response.text() };
}

/** An application that answers at a path of its own and is told the end of its calls. */
function application(path: string) {
  const voiceUrl = app.on(path, { body: GREETING });
  return us1().applications.create({ voiceUrl, statusCallback: app.url('/status') });
}

describe('a number that an application answers', () => {
  it('is executed by it; its events and notifications are told, in JSON and XML', async () => {
    const { sid: voiceApplicationSid } = await application('/reception');
    const never = app.url('/never');
    await us1().incomingPhoneNumbers.create({
      phoneNumber: '+12025553001',
      voiceUrl: never,
      voiceApplicationSid,
    });
    const call = callers.call('+12025553001', '--from', '+15550108001', '--max', '120s');
    expect(await call.code, call.printed()).toBe(0);
    const { sid } = await storedCallFrom(trunkline, 'us1', '+15550108001');
    expect(asked(app, '/never')).toEqual([]);
    expectSigned(trunkline, 'us1', asked(app, '/reception', sid));
    expect((await callbacksOf(app, '/status', sid)).at(-1)).toMatchObject({ CallStatus: 'completed' });

    const events = await until('the events of the document and of the callback', async () => {
      const found = await us1().calls(sid).events.list();
      return found.length === 2 && found;
    });
    expect(events[0]).toMatchObject({
      request: { url: app.url('/reception'), method: 'POST', parameters: { call_sid: sid } },
      response: { response_code: 200, response_body: GREETING },
    });
    expect(events[1]).toMatchObject({ request: { parameters: { call_status: 'completed' } } });

    const [told] = await us1().calls(sid).notifications.list();
    expect(told).toMatchObject({ errorCode: '13510', log: '1', callSid: sid });
    const one = await us1()
      .calls(sid)
      .notifications(told?.sid ?? '')
      .fetch();
    expect(one).toMatchObject({ requestMethod: 'POST', responseBody: GREETING });
    expect(new URLSearchParams(one.requestVariables).get('CallSid')).toBe(sid);

    const path = `/Calls/${sid}/Notifications/${told?.sid}`;
    const json = await fetched(`${path}.json`);
    expect(json.type).toContain('application/json');
    expect(JSON.parse(json.text)).toMatchObject({ sid: told?.sid, error_code: '13510' });
    const xml = await fetched(path);
    expect(xml.type).toContain('application/xml');
    expect(new XMLParser().parse(xml.text).TwilioResponse.Notification).toMatchObject({
      Sid: told?.sid,
      CallSid: sid,
      ErrorCode: 13510,
    });
  });
});

describe('a call with ApplicationSid', () => {
  it('does what the application says, and can be deleted when it is stored', async () => {
    const { sid: applicationSid } = await application('/outbound');
    const bob = carrier.of('bob');
    const created = await us1().calls.create({ to: bob.uri, from: 'lighthouse', applicationSid });
    const call = await (await bob.called()).answer();
    await call.over();
    expect((await callbacksOf(app, '/status', created.sid)).at(-1)).toMatchObject({
      CallStatus: 'completed',
    });
    expect(asked(app, '/outbound', created.sid)).toHaveLength(1);
    await storedCall(trunkline, 'us1', created.sid);
    await until('its deletion', () =>
      us1()
        .calls(created.sid)
        .remove()
        .catch(() => false),
    );
    await expect(us1().calls(created.sid).fetch()).rejects.toMatchObject({ code: 20404 });
  });
});

describe('a number of somebody else', () => {
  const THEIRS = '+12025553101';
  const CALLED = '+12025553102';

  it('may be the caller id once its code has been typed there', async () => {
    const [theirs, called, bob] = [carrier.of(THEIRS), carrier.of(CALLED), carrier.of('bob')];
    await us1().incomingPhoneNumbers.create({ phoneNumber: '+12025553003', voiceUrl: app.url('/never') });
    const direct = { from: THEIRS, to: CALLED, twiml: '<Response/>' };
    await expect(us1().calls.create(direct)).rejects.toMatchObject({ code: 21210 });

    const request = await us1().validationRequests.create({ phoneNumber: THEIRS });
    const call = await theirs.called();
    expect(call.callSid).toBe(request.callSid);
    await call.answer();
    await call.hears();
    call.press(request.validationCode);
    const [callerId] = await until('the verified number', async () => {
      const found = await us1().outgoingCallerIds.list({ phoneNumber: THEIRS });
      return found.length > 0 && found;
    });
    expect(callerId).toMatchObject({ phoneNumber: THEIRS, accountSid: trunkline.accountSid });
    await call.over();
    expect(await storedCall(trunkline, 'us1', request.callSid)).toMatchObject({ diagnostics: [] });

    const dial = `<Response><Dial callerId="${THEIRS}">${CALLED}</Dial></Response>`;
    await us1().calls.create(direct);
    await us1().calls.create({ to: bob.uri, from: 'lighthouse', twiml: dial });
    await (await bob.called()).answer();
    for (const way of ['by the API', 'by <Dial>']) {
      const shown = await called.called();
      expect(shown.header('From'), way).toContain(`sip:${THEIRS}@`);
      shown.refuse(486);
    }
  });

  it('is no caller id in another Region', async () => {
    const { outgoingCallerIds } = clientOf(trunkline, 'ie1');
    await expect(outgoingCallerIds.list()).rejects.toMatchObject({ code: 20404 });
  });
});
