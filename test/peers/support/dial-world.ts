import { Callers, type PlacedCall } from '../../e2e/support/caller.ts';
import {
  clientOf,
  eventsOf,
  type StoredCall,
  type StoredEvent,
  timelineOf,
} from '../../e2e/support/numbers.ts';
import { bucketFiles, storedCalls } from '../../support/bucket-files.ts';
import { type RunningTrunkline, startTrunkline } from '../../support/trunkline.ts';
import { until } from '../../support/until.ts';
import { type SeenRequest, WebhookApp } from '../../support/webhook-app.ts';

/** The number everybody calls; who calls decides the document. */
const NUMBER = '+12025550190';

/** A call to Trunkline whose document dials somebody. */
export interface DiallingCall extends PlacedCall {
  /** Who calls: what tells one call from another. */
  readonly from: string;
}

/** How a dialling call and those it made ended, from the bucket. */
export interface Ended {
  readonly parent: StoredCall;
  readonly timeline: readonly StoredEvent[];
  /** In the order in which they were dialled. */
  readonly children: readonly StoredCall[];
  /** The `dial-ended` events of the parent, by CallSid. */
  readonly dialEnded: ReadonlyMap<string, Extract<StoredEvent, { type: 'dial-ended' }>>;
}

/** A running Trunkline, an application whose documents dial, and telephones that call it. */
export class DialWorld {
  readonly trunkline: RunningTrunkline;
  readonly app: WebhookApp;
  readonly #callers: Callers;
  readonly #documents = new Map<string, string>();
  #called = 0;

  private constructor(trunkline: RunningTrunkline, app: WebhookApp) {
    this.trunkline = trunkline;
    this.app = app;
    this.#callers = new Callers(trunkline.sip);
  }

  static async start(env: Readonly<Record<string, string>> = {}): Promise<DialWorld> {
    const app = await WebhookApp.start();
    const trunkline = await startTrunkline({
      env: { TRUNKLINE_DEMO: 'false', TRUNKLINE_REGIONS: 'us1', ...env },
    });
    const world = new DialWorld(trunkline, app);
    const voiceUrl = app.on('/voice', ({ form }) => ({
      body: world.#documents.get(form['From'] ?? '') ?? '',
    }));
    app.on('/after', { body: '<Response><Hangup/></Response>' });
    app.on('/screen', { body: '<Response/>' });
    await clientOf(trunkline, 'us1').incomingPhoneNumbers.create({ phoneNumber: NUMBER, voiceUrl });
    return world;
  }

  async stop(): Promise<void> {
    this.#callers.close();
    await this.trunkline.stop();
    await this.app.stop();
  }

  /** A number that the next call comes from, and what its document holds. */
  announce(verbs: string): string {
    const from = `+1555014${String(this.#called++).padStart(4, '0')}`;
    this.#documents.set(from, `<Response>${verbs}</Response>`);
    return from;
  }

  /** Where a telephone of another make calls to be answered by what was announced. */
  get address(): string {
    return `sip:${NUMBER}@127.0.0.1:${this.trunkline.sip.port}`;
  }

  get number(): string {
    return NUMBER;
  }

  /** Calls, to be answered by these verbs; `more` are arguments of `trunkline call`. */
  call(verbs: string, ...more: string[]): DiallingCall {
    const from = this.announce(verbs);
    return { ...this.#callers.call(NUMBER, '--from', from, '--max', '170s', ...more), from };
  }

  /** Calls with one `<Dial>` whose action is `/after`. */
  dial(nouns: string, attributes = '', ...more: string[]): DiallingCall {
    return this.call(`<Dial action="/after" ${attributes}>${nouns}</Dial>`, ...more);
  }

  requests(path: string, from: string): SeenRequest[] {
    return this.app.seen.filter((one) => one.path === path && one.form['From'] === from);
  }

  /** Waits for the form of the `action` request of a call. */
  async after(from: string): Promise<Readonly<Record<string, string>>> {
    const request = await until(
      `the action request of the call from ${from}`,
      () => this.requests('/after', from)[0],
    );
    return request.form;
  }

  /** Waits until a call and the ones it made are stored. */
  async ended(from: string): Promise<Ended> {
    const parent = await until(`the record of the call from ${from}`, () =>
      this.#records().find((one) => one.from === from && one['direction'] === 'inbound'),
    );
    const timeline = await this.timelineOf(parent.sid);
    const dialled = eventsOf(timeline, 'dialled').map(({ call }) => call);
    const children = await until(`the records of ${dialled.length} calls that ${parent.sid} made`, () => {
      const all = this.#records().filter((one) => one['parent_call_sid'] === parent.sid);
      const found = dialled.flatMap((sid) => all.find((one) => one.sid === sid) ?? []);
      return found.length === dialled.length && found;
    });
    const ends = eventsOf(timeline, 'dial-ended').map((event) => [event.call, event] as const);
    return { parent, timeline, children, dialEnded: new Map(ends) };
  }

  /** Waits for the timeline of a call, which is stored after its record. */
  async timelineOf(callSid: string): Promise<StoredEvent[]> {
    await until(`the timeline of ${callSid}`, () =>
      bucketFiles(this.trunkline.home, 'us1').some((name) => name.endsWith(`${callSid}.events.jsonl`)),
    );
    return timelineOf(this.trunkline, 'us1', callSid);
  }

  /** Waits until the caller and a party it dialled are in conversation, and returns the SID of that child. */
  async talking(from: string): Promise<{ readonly parent: string; readonly child: string }> {
    const { calls } = clientOf(this.trunkline, 'us1');
    return until(`the call from ${from} to be connected`, async () => {
      const running = await calls.list({ from, status: 'in-progress' });
      const child = running.find(({ direction }) => direction === 'outbound-dial');
      return child && { parent: child.parentCallSid, child: child.sid };
    });
  }

  /** Waits for the WAV of a recording. */
  wavOf(recording: string): Promise<string> {
    return until(`the WAV of ${recording}`, () =>
      bucketFiles(this.trunkline.home, 'us1').find((name) => name.endsWith(`${recording}.wav`)),
    );
  }

  #records(): StoredCall[] {
    return storedCalls(this.trunkline.home, 'us1');
  }
}
