import { parseArgs } from 'node:util';
import { type CalleeAction, type Scenario, ScenarioError } from '../scenario.ts';
import type { CallerAction } from '../scenario-actions.ts';
import { readWord } from '../testing/callee-plan.ts';
import { milliseconds } from '../testing/options.ts';
import { type LocatedApp, locateApp } from './locate.ts';
import { readScript } from './script-text.ts';

export const APP_USAGE = `usage: trunkline replay --app <url> [options]               one call, and what its caller does
       trunkline replay --app <url> [options] <directory>…  the scenarios of fixtures

Calls your running application in virtual time: its webhooks are requested over HTTP, as they are in a live call, and
answered in real time; all else takes no time. Prints the call. The exit status is 1 when something is wrong.

  --app <url>              the voice URL of your application, such as http://localhost:3000/voice
  --script <steps>         what the caller does: "wait 2s, press 1, say 'sales', hear 'goodbye', hang up"
  --press <keys>           short for "wait 2s, press <keys>"; may be repeated
  --callee <address>=<plan>  what somebody does whom the call dials: answers, busy, rejects, rings, unreachable.
                           Everybody else answers after 2 s and hangs up after another 10 s
  --from <number>          who calls                     --to <number>   the number that is called
  --method <GET|POST>      how the voice URL is asked    --region <id>   the Region that has the number
  --fallback <url>         asked when the voice URL cannot be used
  --status-callback <url>  told of the end of the call
  --token <token>          the auth token that requests are signed with (X-Twilio-Signature)
  --allow-host <host>      a further host that may be asked; may be repeated
  --max <time>             the caller hangs up after so long; 10m unless said
  --seed <number>          the same CallSid every time; without it, another one
  --compare                compares the call with what the fixture expects; --update writes that
  --json                   prints what happened as JSON, one call a line`;

/** A call to an application as the command line asks for it. */
export interface AppArguments {
  readonly app: LocatedApp;
  readonly directories: readonly string[];
  readonly caller: CallerAction[];
  readonly plans: ReadonlyMap<string, readonly CalleeAction[]>;
  readonly settings: Partial<Pick<Scenario, 'from' | 'to' | 'region'>>;
  readonly voice: Partial<Scenario['voice']>;
  readonly token: string | undefined;
  readonly allowHosts: readonly string[];
  readonly maxMs: number;
  readonly seed: number | undefined;
  readonly expectations: 'ignored' | 'compared' | 'written';
  readonly json: boolean;
}

const OPTIONS = {
  app: { type: 'string' },
  script: { type: 'string' },
  press: { type: 'string', multiple: true },
  callee: { type: 'string', multiple: true },
  from: { type: 'string' },
  to: { type: 'string' },
  method: { type: 'string' },
  region: { type: 'string' },
  fallback: { type: 'string' },
  'status-callback': { type: 'string' },
  token: { type: 'string' },
  'allow-host': { type: 'string', multiple: true },
  max: { type: 'string' },
  seed: { type: 'string' },
  compare: { type: 'boolean' },
  update: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

/** Reads the command line. Throws an Error that says what of it cannot be used. */
export async function readAppArguments(args: readonly string[]): Promise<AppArguments> {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  const { script, press = [], callee = [], from, to, compare, update, json = false } = values;
  const app = await locateApp({ app: values.app ?? '' });
  if (script !== undefined && press.length > 0)
    throw new ScenarioError('found --script and --press: expected one of them; a script can press keys too');
  if (positionals.length > 0 && (script !== undefined || press.length > 0))
    throw new ScenarioError('found a script and directories: a fixture says itself what its caller does');
  const steps = script ?? press.map((keys) => `wait 2s, press ${keys}`).join(', ');
  const absolute = (url: string) => new URL(url, app.url).href;
  const { fallback, method, region, seed, 'status-callback': statusCallback } = values;
  return {
    app,
    directories: positionals,
    caller: [...readScript(steps)],
    plans: new Map(callee.map(readCallee)),
    settings: {
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      ...(region !== undefined && { region: oneOf('region', region, ['us1', 'ie1', 'au1']) }),
    },
    voice: {
      ...(method !== undefined && { method: oneOf('method', method, ['GET', 'POST']) }),
      ...(fallback !== undefined && { fallbackUrl: absolute(fallback) }),
      ...(statusCallback !== undefined && { statusCallback: absolute(statusCallback) }),
    },
    token: values.token,
    allowHosts: values['allow-host'] ?? [],
    maxMs: milliseconds(values.max ?? '10m'),
    seed: seed === undefined ? undefined : readSeed(seed),
    expectations: update ? 'written' : compare ? 'compared' : 'ignored',
    json,
  };
}

function oneOf<const T extends string>(name: string, found: string, known: readonly T[]): T {
  const value = known.find((candidate) => candidate === found);
  if (value !== undefined) return value;
  throw new ScenarioError(`--${name}: found "${found}": expected ${known.join(', ')}`);
}

function readCallee(text: string): readonly [string, readonly CalleeAction[]] {
  const [, address, plan = ''] = /^(.+)=([a-z]+)$/.exec(text) ?? [];
  if (address === undefined)
    throw new ScenarioError(
      `--callee: found "${text}": expected an address and a plan: sip:bob@example.com=busy`,
    );
  return [address, readWord(address, plan)];
}

function readSeed(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new ScenarioError(`--seed: found "${text}": expected a number from 1`);
}
