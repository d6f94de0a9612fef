import type { Twilio } from 'twilio';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pathsOf } from '../../../src/api/operation.ts';
import { regionApp } from '../../../src/api/region-app.ts';
import { applications } from '../../../src/api/resources/applications.ts';
import { availableNumbers } from '../../../src/api/resources/available-numbers.ts';
import { calls } from '../../../src/api/resources/calls.ts';
import { events } from '../../../src/api/resources/events.ts';
import { incomingPhoneNumbers } from '../../../src/api/resources/incoming-phone-numbers.ts';
import { notifications } from '../../../src/api/resources/notifications.ts';
import { outgoingCallerIds } from '../../../src/api/resources/outgoing-caller-ids.ts';
import { recordings } from '../../../src/api/resources/recordings.ts';
import { transcriptions } from '../../../src/api/resources/transcriptions.ts';
import type { Transcription } from '../../../src/call/transcription.ts';
import { warning } from '../../../src/core/diagnostic.ts';
import { type Listening, listen } from '../../support/listen.ts';
import { twilioClient } from '../../support/twilio-client.ts';
import { ACCOUNT, CREATED, RegionWorld, sid } from './support/region.ts';
import { faultsOf, payloadOf } from './support/sdk-payloads.ts';

const LIVE = sid('CA', 500);
const DONE = sid('CA', 501);
const URL = 'https://app.example.com/voice';
const PARTIES = { from: '+15105550100', to: '+12025550143' };
const AT = new Date(CREATED).toISOString();

let region: RegionWorld;
let server: Listening;
let client: Twilio;

beforeEach(async () => {
  region = new RegionWorld('us1');
  server = await listen(regionApp(region.options()));
  client = twilioClient(server.port, ACCOUNT, region.token);
  await region.addCall(500, { status: 'in-progress', end_time: null, duration: null });
  const diagnostics = [warning(13410, 'loop cannot be used', { url: URL })];
  const done = await region.addCall(501, { diagnostics });
  await region.store.appendTimeline(DONE, [
    { at: AT, type: 'exchange', url: URL, parameters: { CallSid: DONE }, body: '<Response/>' },
    {
      at: AT,
      type: 'webhook',
      url: URL,
      method: 'POST',
      purpose: 'document',
      attempt: 1,
      ms: 5,
      status: 200,
    },
    { at: AT, type: 'diagnostic', code: 13410, level: 'warning', message: 'loop cannot be used', url: URL },
  ]);
  await region.store.archived(done);
  await region.addRecording(501, Buffer.from('audio'));
  await region.store.saveTranscription(TRANSCRIPTION);
  region.orders.receiver.receive('worker-1', async (order) => {
    if (order.kind === 'start-recording') {
      await region.addRecording(500, null, { status: 'in-progress', duration: '-1' });
    }
    return { ok: true, recordingSid: sid('RE', 500) };
  });
});

afterEach(() => server.close());

const TRANSCRIPTION: Transcription = {
  sid: sid('TR', 501),
  accountSid: ACCOUNT,
  callSid: sid('CA', 501),
  recordingSid: sid('RE', 501),
  recordingUrl: 'http://api.test/recording',
  createdAt: CREATED,
  updatedAt: CREATED,
  status: 'completed',
  duration: 7,
  text: 'what was said',
};

const number = () => client.incomingPhoneNumbers.create({ phoneNumber: PARTIES.from });
const application = () => client.applications.create({ friendlyName: 'Reception', voiceUrl: URL });

/** A caller id whose code has been typed. */
async function callerId(): Promise<string> {
  await number();
  const asked = await client.validationRequests.create({ phoneNumber: PARTIES.to });
  const digits = [...asked.validationCode];
  await region.store.appendTimeline(
    asked.callSid,
    digits.map((digit) => ({ at: AT, type: 'dtmf' as const, digit })),
  );
  const [verified] = await client.outgoingCallerIds.list();
  return verified?.sid ?? '';
}

interface Case {
  /** Its operationId. */
  readonly id: string;
  /** Where the client declares the answer, `call/recording` for one; nothing where there is none. */
  readonly answer?: string;
  /** A list: what its items are called. */
  readonly key?: string;
  /** Fields that only one resource by itself has. */
  readonly without?: readonly string[];
  readonly ask: () => Promise<unknown>;
}

const page = { pageSize: 20 };
const IN_FULL = ['request_variables', 'response_body', 'response_headers'];
const us = () => client.availablePhoneNumbers('US');

/** Every operation of these resources; the client that asks, and the declaration that the answer is held against. */
const CASES: readonly Case[] = [
  {
    id: 'ListApplication',
    answer: 'application',
    key: 'applications',
    ask: async () => {
      await application();
      await client.applications.page(page);
    },
  },
  { id: 'CreateApplication', answer: 'application', ask: application },
  {
    id: 'FetchApplication',
    answer: 'application',
    ask: async () => client.applications((await application()).sid).fetch(),
  },
  {
    id: 'UpdateApplication',
    answer: 'application',
    ask: async () => client.applications((await application()).sid).update({ voiceMethod: 'GET' }),
  },
  { id: 'DeleteApplication', ask: async () => client.applications((await application()).sid).remove() },

  {
    id: 'ListAvailablePhoneNumberCountry',
    answer: 'availablePhoneNumberCountry',
    key: 'countries',
    ask: () => client.availablePhoneNumbers.page(page),
  },
  { id: 'FetchAvailablePhoneNumberCountry', answer: 'availablePhoneNumberCountry', ask: () => us().fetch() },
  {
    id: 'ListAvailablePhoneNumberLocal',
    answer: 'availablePhoneNumberCountry/local',
    key: 'available_phone_numbers',
    ask: () => us().local.page({ areaCode: 510 }),
  },
  {
    id: 'ListAvailablePhoneNumberTollFree',
    answer: 'availablePhoneNumberCountry/tollFree',
    key: 'available_phone_numbers',
    ask: () => us().tollFree.page(page),
  },
  {
    id: 'ListAvailablePhoneNumberMobile',
    answer: 'availablePhoneNumberCountry/mobile',
    key: 'available_phone_numbers',
    ask: () => client.availablePhoneNumbers('GB').mobile.page(page),
  },

  {
    id: 'ListIncomingPhoneNumber',
    answer: 'incomingPhoneNumber',
    key: 'incoming_phone_numbers',
    ask: async () => {
      await number();
      await client.incomingPhoneNumbers.page(page);
    },
  },
  { id: 'CreateIncomingPhoneNumber', answer: 'incomingPhoneNumber', ask: number },
  {
    id: 'FetchIncomingPhoneNumber',
    answer: 'incomingPhoneNumber',
    ask: async () => client.incomingPhoneNumbers((await number()).sid).fetch(),
  },
  {
    id: 'UpdateIncomingPhoneNumber',
    answer: 'incomingPhoneNumber',
    ask: async () => client.incomingPhoneNumbers((await number()).sid).update({ voiceUrl: URL }),
  },
  {
    id: 'DeleteIncomingPhoneNumber',
    ask: async () => client.incomingPhoneNumbers((await number()).sid).remove(),
  },
  {
    id: 'ListIncomingPhoneNumberLocal',
    answer: 'incomingPhoneNumber/local',
    key: 'incoming_phone_numbers',
    ask: async () => {
      await number();
      await client.incomingPhoneNumbers.local.page(page);
    },
  },
  {
    id: 'CreateIncomingPhoneNumberLocal',
    answer: 'incomingPhoneNumber/local',
    ask: () => client.incomingPhoneNumbers.local.create({ phoneNumber: PARTIES.from }),
  },
  {
    id: 'ListIncomingPhoneNumberMobile',
    answer: 'incomingPhoneNumber/mobile',
    key: 'incoming_phone_numbers',
    ask: async () => {
      await client.incomingPhoneNumbers.mobile.create({ phoneNumber: '+447700900001' });
      await client.incomingPhoneNumbers.mobile.page(page);
    },
  },
  {
    id: 'CreateIncomingPhoneNumberMobile',
    answer: 'incomingPhoneNumber/mobile',
    ask: () => client.incomingPhoneNumbers.mobile.create({ phoneNumber: '+447700900001' }),
  },
  {
    id: 'ListIncomingPhoneNumberTollFree',
    answer: 'incomingPhoneNumber/tollFree',
    key: 'incoming_phone_numbers',
    ask: async () => {
      await client.incomingPhoneNumbers.tollFree.create({ phoneNumber: '+18005550199' });
      await client.incomingPhoneNumbers.tollFree.page(page);
    },
  },
  {
    id: 'CreateIncomingPhoneNumberTollFree',
    answer: 'incomingPhoneNumber/tollFree',
    ask: () => client.incomingPhoneNumbers.tollFree.create({ phoneNumber: '+18005550199' }),
  },

  { id: 'ListCall', answer: 'call', key: 'calls', ask: () => client.calls.page(page) },
  {
    id: 'CreateCall',
    answer: 'call',
    ask: async () => {
      await number();
      await client.calls.create({ ...PARTIES, url: URL });
    },
  },
  { id: 'FetchCall', answer: 'call', ask: () => client.calls(DONE).fetch() },
  { id: 'UpdateCall', answer: 'call', ask: () => client.calls(LIVE).update({ url: URL }) },
  { id: 'DeleteCall', ask: () => client.calls(DONE).remove() },

  {
    id: 'ListCallEvent',
    answer: 'call/event',
    key: 'events',
    ask: () => client.calls(DONE).events.page(page),
  },
  {
    id: 'ListCallNotification',
    answer: 'call/notification',
    key: 'notifications',
    without: IN_FULL,
    ask: () => client.calls(DONE).notifications.page(page),
  },
  {
    id: 'FetchCallNotification',
    answer: 'call/notification',
    ask: async () => {
      const [one] = await client.calls(DONE).notifications.list();
      await client
        .calls(DONE)
        .notifications(one?.sid ?? '')
        .fetch();
    },
  },
  {
    id: 'ListNotification',
    answer: 'notification',
    key: 'notifications',
    without: IN_FULL,
    ask: () => client.api.v2010.account.notifications.page(page),
  },
  {
    id: 'FetchNotification',
    answer: 'notification',
    ask: async () => {
      const { notifications: all } = client.api.v2010.account;
      const [one] = await all.list();
      await all(one?.sid ?? '').fetch();
    },
  },

  { id: 'ListRecording', answer: 'recording', key: 'recordings', ask: () => client.recordings.page(page) },
  {
    id: 'FetchRecording',
    answer: 'recording',
    ask: () => client.recordings(sid('RE', 501)).fetch({ includeSoftDeleted: true }),
  },
  { id: 'DeleteRecording', ask: () => client.recordings(sid('RE', 501)).remove() },
  {
    id: 'ListCallRecording',
    answer: 'call/recording',
    key: 'recordings',
    ask: () => client.calls(DONE).recordings.page(page),
  },
  { id: 'CreateCallRecording', answer: 'call/recording', ask: () => client.calls(LIVE).recordings.create() },
  {
    id: 'FetchCallRecording',
    answer: 'call/recording',
    ask: () => client.calls(DONE).recordings(sid('RE', 501)).fetch(),
  },
  {
    id: 'UpdateCallRecording',
    answer: 'call/recording',
    ask: async () => {
      const { sid: running } = await client.calls(LIVE).recordings.create();
      await client.calls(LIVE).recordings(running).update({ status: 'paused' });
    },
  },
  { id: 'DeleteCallRecording', ask: () => client.calls(DONE).recordings(sid('RE', 501)).remove() },

  {
    id: 'ListTranscription',
    answer: 'transcription',
    key: 'transcriptions',
    ask: () => client.transcriptions.page(page),
  },
  {
    id: 'FetchTranscription',
    answer: 'transcription',
    ask: () => client.transcriptions(TRANSCRIPTION.sid).fetch(),
  },
  { id: 'DeleteTranscription', ask: () => client.transcriptions(TRANSCRIPTION.sid).remove() },
  {
    id: 'ListRecordingTranscription',
    answer: 'recording/transcription',
    key: 'transcriptions',
    ask: () => client.recordings(sid('RE', 501)).transcriptions.page(page),
  },
  {
    id: 'FetchRecordingTranscription',
    answer: 'recording/transcription',
    ask: () => client.recordings(sid('RE', 501)).transcriptions(TRANSCRIPTION.sid).fetch(),
  },
  {
    id: 'DeleteRecordingTranscription',
    ask: () => client.recordings(sid('RE', 501)).transcriptions(TRANSCRIPTION.sid).remove(),
  },

  {
    id: 'CreateValidationRequest',
    answer: 'validationRequest',
    ask: async () => {
      await number();
      await client.validationRequests.create({ phoneNumber: PARTIES.to });
    },
  },
  {
    id: 'ListOutgoingCallerId',
    answer: 'outgoingCallerId',
    key: 'outgoing_caller_ids',
    ask: async () => {
      await callerId();
      await client.outgoingCallerIds.page(page);
    },
  },
  {
    id: 'FetchOutgoingCallerId',
    answer: 'outgoingCallerId',
    ask: async () => client.outgoingCallerIds(await callerId()).fetch(),
  },
  {
    id: 'UpdateOutgoingCallerId',
    answer: 'outgoingCallerId',
    ask: async () => client.outgoingCallerIds(await callerId()).update({ friendlyName: 'Mine' }),
  },
  { id: 'DeleteOutgoingCallerId', ask: async () => client.outgoingCallerIds(await callerId()).remove() },
];

/** The last answer that the client was given, as it came. */
function answered(): { readonly status: number; readonly body: unknown } {
  const response = client.httpClient.lastResponse;
  if (!response) throw new Error('the client was given no answer');
  const { statusCode: status, body } = response;
  return { status, body: typeof body === 'string' && body !== '' ? JSON.parse(body) : body };
}

function items(body: unknown, key: string): readonly object[] {
  if (typeof body !== 'object' || body === null) throw new Error(`the answer is ${JSON.stringify(body)}`);
  const list = new Map<string, unknown>(Object.entries(body)).get(key);
  return Array.isArray(list) ? list : [];
}

describe('what the official client is answered', () => {
  it.each(CASES)('$id', async ({ answer, key, without, ask }) => {
    await ask();
    const { status, body } = answered();
    if (answer === undefined) {
      expect(status).toBe(204);
      return;
    }
    const found = key === undefined ? [Object(body)] : items(body, key);
    expect(found.length).toBeGreaterThan(0);
    const payload = payloadOf(answer);
    expect(payload.fields.size).toBeGreaterThan(0);
    for (const one of found) expect(faultsOf(one, payload, without)).toEqual([]);
  });

  it('is held against its own declarations for every operation that is served', () => {
    const routers = [
      applications,
      availableNumbers,
      incomingPhoneNumbers,
      calls,
      events,
      notifications,
      recordings,
      transcriptions,
      outgoingCallerIds,
    ];
    const served = routers
      .flatMap((router) => pathsOf(router(region.options())))
      .flatMap(({ methods, description }) =>
        (['get', 'post', 'delete'] as const).flatMap((method) =>
          methods.includes(method) ? [description[method]?.id ?? 'no name'] : [],
        ),
      )
      .filter((id) => !/Media$|WithoutSuffix$/.test(id)); // the audio: the client has no operation for it
    expect(CASES.map(({ id }) => id).sort()).toEqual([...new Set(served)].sort());
  });
});
