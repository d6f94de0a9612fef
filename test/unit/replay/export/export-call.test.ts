import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TimelineEvent } from '../../../../src/call/timeline.ts';
import { exportCall } from '../../../../src/replay/export/export-call.ts';
import { projectRoot } from '../../../support/program.ts';
import { storedCallOf } from './support.ts';

const FIXTURES = readdirSync(join(projectRoot(), 'twiml-fixtures'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** Of every verb, and of every way in which a call goes on or ends. */
const TOLD = [
  'api-call',
  'api-call-busy',
  'api-call-canceled',
  'api-call-device',
  'api-call-device-not-registered',
  'api-call-dials',
  'api-call-ended',
  'api-call-failed',
  'api-call-fallback',
  'api-call-machine-detection',
  'api-call-no-answer',
  'api-call-record',
  'api-call-record-not-answered',
  'api-call-redirected',
  'api-call-send-digits',
  'api-call-sip',
  'api-call-status-callback-end',
  'api-call-status-callbacks',
  'api-call-time-limit',
  'api-call-timeout',
  'api-call-timeout-standard',
  'api-call-twiml',
  'api-call-unreachable',
  'audio-document',
  'dial-action',
  'dial-application',
  'dial-caller-gone-bridged',
  'dial-device',
  'dial-devices',
  'dial-devices-busy',
  'dial-devices-decline',
  'dial-devices-timeout',
  'dial-early-media',
  'dial-parallel',
  'dial-refer',
  'dial-screening-gather',
  'dial-send-digits',
  'dial-sequential',
  'dial-status-486',
  'dial-timeout',
  'fallback',
  'gather-bargein',
  'gather-digits',
  'gather-hangup',
  'gather-no-bargein',
  'gather-speech',
  'gather-speech-unavailable',
  'gather-timeout',
  'leg-media-timeout',
  'leg-no-ack',
  'not-configured',
  'order-during-say',
  'order-cancels-call',
  'order-ends-call',
  'order-inline-relative',
  'pause-first-caller-gives-up',
  'play',
  'record-finish-key',
  'record-hangup',
  'record-max-length',
  'record-silence',
  'record-transcribe',
  'record-transcribe-fails',
  'record-transcribe-silence',
  'record-transcribe-unavailable',
  'redirect-loop',
  'redirect-relative',
  'refer-busy',
  'reject-busy',
  'webhook-500',
  'webhook-basic-auth',
  'webhook-dns',
  'webhook-overrides-retry',
  'webhook-timeout',
];

describe('a fixture, exported as though it had been a live call', () => {
  it.each(TOLD)('%s replays to the same timeline', async (name) => {
    const { difference, missing } = await exportCall(await storedCallOf(name), true);
    expect({ difference, missing }).toEqual({ difference: undefined, missing: [] });
  });

  /**
   * Not all can: a timeline does not tell how the installation decides what Twilio leaves open, which languages it
   * understands, whose device a stranger's is, or the connection overrides of a voice URL.
   */
  it('does so in eleven cases of twelve', async () => {
    const different: string[] = [];
    for (const name of FIXTURES) {
      const { difference } = await exportCall(await storedCallOf(name), true);
      if (difference !== undefined) different.push(`${name}: ${difference}`);
    }
    expect(different.length, different.join('\n')).toBeLessThan(FIXTURES.length / 12);
  });
});

describe('an exported call', () => {
  it('says what differs when its timeline does not tell all', async () => {
    const { difference } = await exportCall(await storedCallOf('choice-declined'), true);
    expect(difference).toMatch(
      /^call, child 1, event 2: expected dial-ended .*status=no-answer\n.*status=busy/,
    );
  });

  it('says what its replay comes to that its timeline does not tell', async () => {
    const call = await storedCallOf('dial-sequential');
    const events = (call.timelines.get(call.sid) ?? []).filter(({ type }) => type !== 'dialled');
    const { difference } = await exportCall({ ...call, timelines: new Map([[call.sid, events]]) }, true);
    expect(difference).toMatch(/^the replay comes to no end: the scenario has no callee /);
  });

  it('presses where the prompt is in virtual time, not when it was live', async () => {
    const call = await storedCallOf('gather-bargein');
    // A voice that takes ten times as long: the key comes five seconds into the prompt.
    const begun = Date.parse(call.timelines.get(call.sid)?.[0]?.at ?? '');
    const slow = (call.timelines.get(call.sid) ?? []).map((event) => ({
      ...event,
      at: new Date(begun + 10 * (Date.parse(event.at) - begun)).toISOString(),
    }));
    const exported = await exportCall({ ...call, timelines: new Map([[call.sid, slow]]) }, true);
    expect(exported.difference).toBeUndefined();
    const { caller } = exported.scenario;
    expect(caller).toEqual([{ at: expect.stringMatching(/^\d{3}ms$/), press: '7' }]);
  });

  it('asks one address for documents and tells it how the call goes on', async () => {
    const call = await storedCallOf('api-call-machine-detection');
    const [events = []] = call.timelines.values();
    // The application has one address for everything.
    const one = events.map((event) => {
      if (event.type === 'created') {
        return {
          ...event,
          status_callback: { url: 'http://app.test/outbound', method: 'POST', events: ['completed'] },
        };
      }
      const isTold = event.type === 'webhook' && event.purpose === 'status-callback';
      return isTold ? { ...event, url: 'http://app.test/outbound', status: 204 } : event;
    });
    const exported = await exportCall({ ...call, timelines: new Map([[call.sid, one]]) }, true);
    expect(exported.difference).toBeUndefined();
    expect(exported.scenario['webhooks']).toMatchObject([
      {
        url: 'http://app.test/outbound',
        when: { CallbackSource: 'call-progress-events' },
        answers: [{ status: 204 }],
      },
      { url: 'http://app.test/outbound', answers: [{ file: 'outbound.xml' }] },
      { url: 'http://app.test/next', answers: [{ file: 'next.xml' }] },
    ]);
  });

  it('is the same every time', async () => {
    const [first, second] = [
      await exportCall(await storedCallOf('dial-screening-gather'), true),
      await exportCall(await storedCallOf('dial-screening-gather'), true),
    ];
    expect(first).toEqual(second);
  });

  it('says that a document was cut', async () => {
    const call = await storedCallOf('say');
    const events = (call.timelines.get(call.sid) ?? []).map((event) =>
      event.type === 'exchange' ? { ...event, body: '<Response><Sa', cut: true as const } : event,
    );
    const { missing, difference } = await exportCall(
      { ...call, timelines: new Map([[call.sid, events]]) },
      true,
    );
    expect(missing).toEqual([expect.stringMatching(/only the beginning of its document was kept$/)]);
    expect(difference).toMatch(/^call, event 2/);
  });

  /** A live call has its callbacks in its timeline, when the Region comes to them. */
  async function withCallbacks(url: string) {
    const call = await storedCallOf('callback-refused');
    const events = call.timelines.get(call.sid) ?? [];
    const begun = Date.parse(events[0]?.at ?? '');
    const callback = (ms: number, status: number, of: string): TimelineEvent => ({
      at: new Date(begun + ms).toISOString(),
      type: 'webhook',
      url,
      method: 'POST',
      purpose: 'recording-callback',
      attempt: 1,
      ms: 100,
      status,
      parameters: { RecordingStatus: of, RecordingSource: 'StartCallRecordingTwiML' },
    });
    const refused = events.filter((event) => event.type === 'diagnostic');
    const others = events.filter((event) => event.type !== 'diagnostic');
    const told = [callback(1_700, 500, 'in-progress'), ...refused, callback(5_000, 200, 'completed')];
    return { ...call, timelines: new Map([[call.sid, [...others, ...told]]]) };
  }

  it('answers callbacks as the application did, where that matters', async () => {
    const { difference, scenario } = await exportCall(await withCallbacks('http://app.test/recorded'), false);
    expect(difference).toBeUndefined();
    expect(scenario['webhooks']).toEqual([
      {
        url: 'http://app.test/recorded',
        method: 'POST',
        when: { RecordingStatus: 'in-progress' },
        answers: [{ body: '', status: 500, delay: '100ms' }],
      },
      { url: 'http://app.test/voice', method: 'POST', answers: [{ file: 'voice.xml' }] },
    ]);
  });

  it('does not take a callback for the request of a document at the same address', async () => {
    const { scenario } = await exportCall(await withCallbacks('http://app.test/voice'), false);
    expect(scenario['webhooks']).toMatchObject([
      { url: 'http://app.test/voice', when: { RecordingStatus: 'completed' }, answers: [{ body: '' }] },
      { url: 'http://app.test/voice', when: { RecordingStatus: 'in-progress' } },
      { url: 'http://app.test/voice', answers: [{ file: 'voice.xml' }] },
    ]);
  });
});
