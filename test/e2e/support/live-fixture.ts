import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TimelineEvent } from '../../../src/call/timeline.ts';
import { timelineEvent } from '../../../src/call/timeline.ts';
import type { Timelines } from '../../../src/replay/comparable-timeline.ts';
import type { CalleeAction, CallerAction, Scenario, ScriptedAnswer } from '../../../src/replay/scenario.ts';
import { readScenario } from '../../../src/replay/scenario.ts';
import { noise } from '../../support/alignment.ts';
import { projectRoot } from '../../support/program.ts';
import { wavOf } from '../../support/wav-compare.ts';
import { type Reply, WebhookApp } from '../../support/webhook-app.ts';
import type { IncomingCall } from './telephones.ts';

/** Where a fixture's world lies when it is real. */
export interface RealPlaces {
  /** The number that is called, and who calls it. */
  readonly number: string;
  readonly caller: string;
  /** Where its SIP callees are, in place of the host of their address. */
  readonly callees: string;
}

/** A fixture whose application is a real one. */
export class LiveFixture {
  readonly name: string;
  readonly scenario: Scenario;
  readonly places: RealPlaces;
  readonly #directory: string;
  /** By origin, as the scenario writes it. */
  readonly #apps: ReadonlyMap<string, WebhookApp>;
  readonly #called = new Map<string, number>();

  private constructor(
    name: string,
    directory: string,
    scenario: Scenario,
    apps: ReadonlyMap<string, WebhookApp>,
    places: RealPlaces,
  ) {
    this.name = name;
    this.#directory = directory;
    this.scenario = scenario;
    this.#apps = apps;
    this.places = places;
  }

  static async open(name: string, places: RealPlaces): Promise<LiveFixture> {
    const directory = join(projectRoot(), 'twiml-fixtures', name);
    const scenario = readScenario(directory);
    const { voice, webhooks } = scenario;
    const urls = [voice.url, ...webhooks.map(({ url }) => url)];
    const apps = new Map<string, WebhookApp>();
    for (const origin of new Set(urls.map((url) => new URL(url).origin))) {
      apps.set(origin, await WebhookApp.start());
    }
    const fixture = new LiveFixture(name, directory, scenario, apps, places);
    for (const webhook of webhooks) fixture.#serve(webhook);
    return fixture;
  }

  /** What a text of the fixture is in the real world. */
  real(text: string): string {
    return this.#translations().reduce((so, [scripted, real]) => so.replaceAll(scripted, real), text);
  }

  /** What a text of the real world is in the fixture. */
  readonly scripted = (text: string): string =>
    this.#translations().reduce((so, [scripted, real]) => so.replaceAll(real, scripted), text);

  /** What becomes of a call that reached one of the callees. */
  async answer(call: IncomingCall): Promise<void> {
    const user = /sip:([^@;]+)/.exec(call.invite.request.uri)?.[1] ?? '';
    const mine = this.scenario.callees.filter(
      ({ address }) => address === user || address.startsWith(`sip:${user}@`),
    );
    const turn = this.#called.get(user) ?? 0;
    this.#called.set(user, turn + 1);
    const callee = mine[Math.min(turn, mine.length - 1)];
    if (!callee) throw new Error(`${this.name} has no callee ${user}`);
    for (const action of callee.does) setTimeout(() => void act(action, call), timeOf(action));
  }

  /** The timelines of its golden files. */
  golden(): { readonly callSid: string; readonly timelines: Timelines } {
    const expected = join(this.#directory, 'expected');
    const read = (file: string) => readFileSync(join(expected, file), 'utf8');
    const eventsOf = (file: string): readonly TimelineEvent[] =>
      read(file)
        .trimEnd()
        .split('\n')
        .map((line) => timelineEvent.parse(JSON.parse(line)));
    const children = readdirSync(expected)
      .filter((file) => /^child-\d+-timeline/.test(file))
      .map((file): [string, readonly TimelineEvent[]] => {
        const { sid } = JSON.parse(read(file.replace('timeline.jsonl', 'record.json')));
        return [String(sid), eventsOf(file)];
      });
    return { callSid: 'root', timelines: new Map([['root', eventsOf('timeline.jsonl')], ...children]) };
  }

  async stop(): Promise<void> {
    for (const app of this.#apps.values()) await app.stop();
  }

  #translations(): readonly (readonly [string, string])[] {
    const { number, caller, callees } = this.places;
    const { from, to } = this.scenario;
    const hosts = this.scenario.callees.flatMap(({ address }) => /@(.+)$/.exec(address)?.[1] ?? []);
    return [
      ...[...this.#apps].map(([origin, app]) => [origin, app.url('')] as const),
      ...[...new Set(hosts)].map((host) => [`@${host}`, `@${callees}`] as const),
      [to, number],
      [from, caller],
    ];
  }

  #serve({ url, answers }: Scenario['webhooks'][number]): void {
    const { origin, pathname } = new URL(url);
    this.#apps.get(origin)?.on(pathname, (_request, nth) => {
      const answer = answers[Math.min(nth, answers.length) - 1];
      if (!answer) throw new Error(`${url} has no answer`);
      return this.#reply(answer);
    });
  }

  #reply({ file, body, audio, status, type, redirect, delay, fail }: ScriptedAnswer): Reply {
    if (fail !== undefined) throw new Error(`a real application cannot fail with ${fail}`);
    const text = file === undefined ? (body ?? '') : readFileSync(join(this.#directory, file), 'utf8');
    const content = audio === undefined ? this.real(text) : wavOf(noise(audio / 1_000));
    const contentType = type ?? (audio === undefined ? undefined : 'audio/wav');
    return {
      body: content,
      ...(status !== undefined && { status }),
      ...(contentType !== undefined && { headers: { 'content-type': contentType } }),
      ...(redirect !== undefined && { redirect: this.real(redirect) }),
      ...(delay !== undefined && { delayMs: delay }),
    };
  }
}

/** When it happens; a step that follows another one would need a replay's own ears and clock. */
export function timeOf(action: CalleeAction | CallerAction): number {
  if ('at' in action && action.at !== undefined) return action.at;
  throw new Error(`only steps with a time can be done in real time: ${JSON.stringify(action)}`);
}

async function act(action: CalleeAction, call: IncomingCall): Promise<void> {
  if ('ring' in action) call.ring();
  else if ('answer' in action) await call.answer(action.answer === true ? {} : action.answer);
  else if ('refuse' in action) call.refuse(action.refuse, action.headers);
  else if ('hangup' in action) await call.hangUp(action.headers);
  else if ('press' in action) call.press(action.press);
  else if ('speak' in action) call.say(noise(Number(action.speak) / 1_000));
  else throw new Error(`a real telephone cannot do this: ${JSON.stringify(action)}`);
}
