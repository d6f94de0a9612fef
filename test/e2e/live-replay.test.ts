import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TimelineEvent } from '../../src/call/timeline.ts';
import { firstDifference, strandsOf } from '../../src/replay/comparable-timeline.ts';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { LiveFixture } from './support/live-fixture.ts';
import { clientOf, eventsOf, storedCall, storedCallFrom, timelineOf } from './support/numbers.ts';
import { ScriptedCall } from './support/scripted-call.ts';
import { Telephones } from './support/telephones.ts';

/** All that one leg and its child legs do, in short; the longest takes as long as all together. */
const FIXTURES = [
  'dial-action',
  'dial-screening',
  'dial-send-digits',
  'dial-status-486',
  'fallback',
  'gather-bargein',
  'gather-digits',
  'gather-hangup',
  'gather-timeout',
  'pause-first',
  'play',
  'record-finish-key',
  'record-hangup',
  'redirect-relative',
  'reject-busy',
] as const;

let trunkline: RunningTrunkline;
let telephones: Telephones;
const fixtures = new Map<string, LiveFixture>();

beforeAll(async () => {
  telephones = await Telephones.start();
  trunkline = await startTrunkline({
    env: {
      TRUNKLINE_DEMO: 'false',
      TRUNKLINE_REGIONS: 'us1',
      TRUNKLINE_CARRIER: `sip:${telephones.address}`,
      TRUNKLINE_CPS: '100',
    },
  });
  for (const [index, name] of FIXTURES.entries()) {
    const fixture = await LiveFixture.open(name, {
      number: `+1202555${4_000 + index}`,
      caller: `+1555016${4_000 + index}`,
      callees: telephones.address,
    });
    fixtures.set(name, fixture);
    const { url, method, fallbackUrl, fallbackMethod } = fixture.scenario.voice;
    await clientOf(trunkline, 'us1').incomingPhoneNumbers.create({
      phoneNumber: fixture.places.number,
      voiceUrl: fixture.real(url),
      voiceMethod: method,
      voiceFallbackUrl: fixture.real(fallbackUrl),
      voiceFallbackMethod: fallbackMethod,
    });
    for (const { address } of fixture.scenario.callees) ring(/^(?:sip:)?([^@]+)/.exec(address)?.[1] ?? '');
  }
});

afterAll(async () => {
  await trunkline?.stop();
  await telephones?.close();
  for (const fixture of fixtures.values()) await fixture.stop();
});

/** Telephones are shared: who calls says which fixture it is. */
function ring(user: string): void {
  telephones.of(user).onCall = async (call) => {
    const from = call.header('From');
    const fixture = [...fixtures.values()].find(({ places }) => from.includes(places.caller));
    if (!fixture) throw new Error(`nobody's call: ${from}`);
    await fixture.answer(call);
  };
}

/** The stored timelines of a call and of those that it dialled. */
async function storedTimelines(callSid: string): Promise<Map<string, readonly TimelineEvent[]>> {
  await storedCall(trunkline, 'us1', callSid);
  const timeline = timelineOf(trunkline, 'us1', callSid);
  const timelines = new Map<string, readonly TimelineEvent[]>([[callSid, timeline]]);
  for (const { call } of eventsOf(timeline, 'dialled')) {
    for (const [sid, events] of await storedTimelines(call)) timelines.set(sid, events);
  }
  return timelines;
}

describe('a fixture over real SIP and RTP', () => {
  it.concurrent.each(FIXTURES)('%s leaves the timeline of its replay, times aside', async (name) => {
    const fixture = fixtures.get(name);
    if (!fixture) throw new Error(`${name} was not prepared`);
    const { number, caller } = fixture.places;
    await ScriptedCall.run({
      uri: `sip:${number}@127.0.0.1:${trunkline.sip.port}`,
      port: trunkline.sip.port,
      from: `sip:${caller}@127.0.0.1`,
      actions: fixture.scenario.caller,
    });
    const { sid } = await storedCallFrom(trunkline, 'us1', caller);
    const golden = fixture.golden();
    const expected = strandsOf(golden.callSid, golden.timelines);
    const found = strandsOf(sid, await storedTimelines(sid), fixture.scripted);
    expect(firstDifference(expected, found)).toBeUndefined();
    expect(found.flatMap(({ events }) => events).length).toBeGreaterThan(4);
  });
});
