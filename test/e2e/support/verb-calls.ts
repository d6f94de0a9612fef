import { noise } from '../../support/alignment.ts';
import { bucketFiles } from '../../support/bucket-files.ts';
import { type RunningTrunkline, startTrunkline } from '../../support/trunkline.ts';
import { until } from '../../support/until.ts';
import { soundSeconds, wavOf } from '../../support/wav-compare.ts';
import { WebhookApp } from '../../support/webhook-app.ts';
import { asked } from './callbacks.ts';
import { Callers, type PlacedCall } from './caller.ts';
import { clientOf, eventsOf, storedCall, timelineOf } from './numbers.ts';
import { type IncomingCall, Telephones } from './telephones.ts';

const REGION = 'us1';
const QUIET_SAMPLES = 2_400; // 300 ms: more than lies in the buffers of a call

/** A second and a half that documents play: `world.play`. */
export const TUNE = noise(1.5, 77);

export interface Talk {
  readonly sid: string;
  /** The telephone of the person whose call it is. */
  readonly call: IncomingCall;
}

/** A Trunkline of one Region, an application whose documents tests write, and telephones at both ends of calls. */
export class VerbCalls {
  readonly trunkline: RunningTrunkline;
  readonly app: WebhookApp;
  readonly telephones: Telephones;
  readonly #callers: Callers;
  #numbers = 0;

  private constructor(trunkline: RunningTrunkline, app: WebhookApp, telephones: Telephones) {
    this.trunkline = trunkline;
    this.app = app;
    this.telephones = telephones;
    this.#callers = new Callers(trunkline.sip);
    app.on('/tune.wav', { body: wavOf(TUNE), headers: { 'content-type': 'audio/wav' } });
    app.on('/recorded', {});
  }

  static async start(env: Readonly<Record<string, string>>): Promise<VerbCalls> {
    const [app, telephones, trunkline] = await Promise.all([
      WebhookApp.start(),
      Telephones.start(),
      startTrunkline({
        env: { TRUNKLINE_DEMO: 'false', TRUNKLINE_REGIONS: REGION, TRUNKLINE_CPS: '100', ...env },
      }),
    ]);
    return new VerbCalls(trunkline, app, telephones);
  }

  async stop(): Promise<void> {
    this.#callers.close();
    await this.trunkline.stop();
    await this.telephones.close();
    await this.app.stop();
  }

  get client() {
    return clientOf(this.trunkline, REGION);
  }

  /** A document at this path from now on; its URL. */
  document(path: string, verbs: string): string {
    return this.app.on(path, { body: `<Response>${verbs}</Response>` });
  }

  /** A call that the API makes to a telephone named after its document, and that was answered. */
  async talk(path: string, verbs: string): Promise<Talk> {
    const telephone = this.telephones.of(path.slice(1));
    const url = this.document(path, verbs);
    const { sid } = await this.client.calls.create({ to: telephone.uri, from: 'lighthouse', url });
    return { sid, call: await (await telephone.called()).answer() };
  }

  /** A call from `from` to a new number; `more` are arguments of `trunkline call`. */
  async callIn(path: string, verbs: string, from: string, ...more: string[]): Promise<PlacedCall> {
    const phoneNumber = `+1202555${String(1000 + this.#numbers++)}`;
    const voiceUrl = this.document(path, verbs);
    await this.client.incomingPhoneNumbers.create({ phoneNumber, voiceUrl });
    return this.#callers.call(phoneNumber, '--from', from, ...more);
  }

  /** Waits until `call` has heard so much sound since it had heard `since` samples. */
  async hears(call: IncomingCall, seconds: number, since = 0): Promise<void> {
    const heard = () => soundSeconds(call.heard().subarray(since));
    await until(`${seconds} s of sound at a telephone`, () => heard() >= seconds);
  }

  /** Waits until nothing of what `call` heard lately was sound. */
  async hearsNothing(call: IncomingCall): Promise<void> {
    await until('silence at a telephone', () => soundSeconds(call.heard().slice(-QUIET_SAMPLES)) === 0);
  }

  /** How often a call that runs has begun a verb. */
  async happened(callSid: string, verb: string): Promise<number> {
    const { trunkline } = this;
    const authorization = `Basic ${btoa(`${trunkline.accountSid}:${trunkline.tokens[REGION]}`)}`;
    const url = `http://127.0.0.1:${trunkline.httpPort + 1}/trunkline/v1/Calls/${callSid}/Timeline`;
    const response = await fetch(url, { headers: { authorization } });
    return (await response.text()).split(`"verb":"${verb}"`).length - 1;
  }

  /** Waits for a request at `path` about a call; its form. */
  async form(path: string, callSid: string): Promise<Readonly<Record<string, string>>> {
    const [request] = await until(`a request of ${callSid} at ${path}`, () => {
      const requests = asked(this.app, path, callSid);
      return requests.length > 0 && requests;
    });
    return request?.form ?? {};
  }

  /** Waits for a recording's end; how the API shows it, and where it lies in the bucket. */
  async stored(recordingSid: string) {
    const recording = await until(`the end of ${recordingSid}`, async () => {
      const found = await this.client.recordings(recordingSid).fetch();
      return ['completed', 'absent', 'failed'].includes(found.status) && found;
    });
    const wav = bucketFiles(this.trunkline.home, REGION).find((name) => name.endsWith(`${recordingSid}.wav`));
    return { recording, wav: wav ?? '' };
  }

  /** Waits until a recording's end was told; the callbacks, as they came. */
  async told(recordingSid: string): Promise<Record<string, string>[]> {
    const forms = () =>
      asked(this.app, '/recorded')
        .map(({ form }) => form)
        .filter((form) => form['RecordingSid'] === recordingSid);
    await until(`the callback of the end of ${recordingSid}`, () =>
      forms().some((form) => form['RecordingStatus'] !== 'in-progress'),
    );
    return forms();
  }

  /** Waits for a call's record, and what happened in it. */
  async ended(callSid: string) {
    const record = await storedCall(this.trunkline, REGION, callSid);
    const timeline = timelineOf(this.trunkline, REGION, callSid);
    const verbs = eventsOf(timeline, 'verb-started').map(({ verb }) => verb);
    return { record, timeline, verbs, codes: record.diagnostics.map(({ code }) => code) };
  }
}
