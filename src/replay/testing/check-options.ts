import { isRegionId, REGION_IDS } from '../../region/region.ts';
import { closest } from '../../twiml/verbs/closest.ts';
import { ScenarioError } from '../scenario.ts';
import type { ScenarioOptions } from './options.ts';

const KNOWN: Readonly<Record<keyof ScenarioOptions, true>> = {
  app: true,
  path: true,
  method: true,
  fallback: true,
  statusCallback: true,
  from: true,
  to: true,
  region: true,
  token: true,
  callees: true,
  webhooks: true,
  allowHosts: true,
  domains: true,
  registrations: true,
  applications: true,
  seed: true,
};

const TEXTS = ['path', 'fallback', 'statusCallback', 'from', 'to', 'token'] as const;

interface Choice {
  readonly name: keyof ScenarioOptions;
  readonly fits: (value: unknown) => boolean;
  readonly expected: string;
}

const CHOICES: readonly Choice[] = [
  { name: 'method', fits: (value) => value === 'GET' || value === 'POST', expected: 'GET or POST' },
  {
    name: 'region',
    fits: (value) => typeof value === 'string' && isRegionId(value),
    expected: `one of ${REGION_IDS.join(', ')}`,
  },
  { name: 'seed', fits: Number.isFinite, expected: 'a number' },
  {
    name: 'allowHosts',
    fits: (value) => Array.isArray(value) && value.every((host) => typeof host === 'string'),
    expected: "a list of hosts such as ['cdn.example.com']",
  },
];

/** Throws ScenarioError for what a test without types may hand over: another value, or a name that is none. */
export function checkOptions(options: unknown): asserts options is ScenarioOptions {
  if (typeof options !== 'object' || options === null)
    throw new ScenarioError(
      `scenario: found ${String(options)}: expected options such as { app: 'http://localhost:3000/voice' }`,
    );
  const given: Readonly<Record<string, unknown>> = { ...options };
  const stray = Object.keys(given).find((name) => !Object.hasOwn(KNOWN, name));
  if (stray !== undefined) {
    const meant = closest(stray, Object.keys(KNOWN));
    const hint =
      meant === undefined ? `expected some of ${Object.keys(KNOWN).join(', ')}` : `did you mean ${meant}?`;
    throw new ScenarioError(`scenario: found the unknown option "${stray}": ${hint}`);
  }
  const { app } = given;
  if (app === null || !['string', 'object', 'function'].includes(typeof app))
    throw new ScenarioError(
      `app: found ${String(app)}: expected a URL, an application, a function or answers by URL`,
    );
  for (const name of TEXTS) {
    const value = given[name];
    if (value !== undefined && typeof value !== 'string')
      throw new ScenarioError(`${name}: found ${String(value)}: expected text`);
  }
  for (const { name, fits, expected } of CHOICES) {
    const value = given[name];
    if (value !== undefined && !fits(value))
      throw new ScenarioError(`${name}: found ${String(value)}: expected ${expected}`);
  }
}
