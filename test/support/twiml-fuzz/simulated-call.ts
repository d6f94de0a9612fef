import { type Clock, sleep, VirtualClock } from '../../../src/core/clock.ts';
import { CountingIds } from '../../../src/core/ids.ts';
import { scheduleCaller } from '../../../src/replay/peers.ts';
import { type CalleeAction, type CallerAction, scenarioSchema } from '../../../src/replay/scenario.ts';
import { simulatedAudio } from '../../../src/replay/simulated-audio.ts';
import { SimulatedCall } from '../../../src/replay/simulated-call.ts';
import { LONGEST_CALL_MS } from '../../../src/replay/stuck.ts';
import type { HttpClient, HttpRequest, HttpResponse } from '../../../src/webhook/port.ts';

/** One call into an application that answers with documents nobody has checked. */
export interface FuzzedCall {
  /** What requests are answered with, in turn and again from the front. */
  readonly documents: readonly string[];
  readonly caller: readonly CallerAction[];
  /** What everybody does who is dialled. */
  readonly callee: readonly CalleeAction[];
}

const AUDIO = /\.(?:wav|mp3)(?:$|[?])/;

/** Time that a request takes. */
const ROUND_TRIP_MS = 30;

/** Many documents send the call round and round: this many are fetched, then it is hung up. */
const MOST_DOCUMENTS = 50;

const HANGUP = '<Response><Hangup/></Response>';

class FuzzedApplication implements HttpClient {
  /** Documents, and callbacks that were told something. */
  fetched = 0;
  readonly #documents: readonly string[];
  readonly #clock: Clock;

  constructor(documents: readonly string[], clock: Clock) {
    this.#documents = documents;
    this.#clock = clock;
  }

  async request({ url }: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    await sleep(this.#clock, ROUND_TRIP_MS, signal);
    if (AUDIO.test(url)) {
      return { status: 200, headers: { 'content-type': 'audio/wav' }, body: simulatedAudio(2_000) };
    }
    const turn = this.fetched++;
    const document = turn < MOST_DOCUMENTS ? this.#documents[turn % this.#documents.length] : undefined;
    return { status: 200, headers: { 'content-type': 'text/xml' }, body: Buffer.from(document ?? HANGUP) };
  }

  async close(): Promise<void> {}
}

const SCENARIO = scenarioSchema.parse({
  shows: 'a call',
  voice: { url: 'http://app.test/voice', statusCallback: 'http://app.test/status' },
  domains: [{ name: 'office' }],
  registrations: [{ aor: 'a@office', does: [{ ring: 180 }, { wait: '2s' }, { answer: true }] }],
  applications: [{ sid: `AP${'a'.repeat(32)}`, voiceUrl: 'http://app.test/application' }],
});

/**
 * Runs it in virtual time: how many documents were fetched and calls dialled, one of which is as much work as the
 * other. Rejects with Standstill when it does not end.
 */
export async function runFuzzed({ documents, caller, callee }: FuzzedCall): Promise<number> {
  const clock = new VirtualClock();
  const http = new FuzzedApplication(documents, clock);
  const parts = { clock, ids: new CountingIds(1), http, stranger: () => callee };
  const call = await SimulatedCall.create(parts, SCENARIO);
  scheduleCaller(caller, call.leg.peer, clock);
  await clock.run(call.run(), LONGEST_CALL_MS);
  return http.fetched + call.dialer.children.length;
}
