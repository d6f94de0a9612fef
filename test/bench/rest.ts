import { spawn } from 'node:child_process';
import { Agent } from 'undici';
import { clientOf } from '../e2e/support/numbers.ts';
import { startTrunkline } from '../support/trunkline.ts';
import { better, type Measured, NOTHING } from './measured.ts';
import { cpuOfTree } from './process-cpu.ts';

/*
 * Requests a second to a Region's service, authentication and Redis included, beside an Express of its own process that
 * answers the same bytes, headers and body, and does nothing else. One process answers either way; Redis comes on top
 * of ours. Both are asked by this process, over as many kept connections, in turns.
 */

const REQUESTS = 2_000;
const AT_ONCE = 16;
const ROUNDS = 4;

export interface RestComparison {
  /** Requests a second. */
  readonly perSecond: number;
  readonly barePerSecond: number;
  /** How many requests bare Express answers in the time of one of ours. */
  readonly ratioPerSecond: number;
  /** Microseconds a request: of every Trunkline process and Redis, and of bare Express. What this process needs to ask is in neither. */
  readonly cpu: number;
  readonly bareCpu: number;
  readonly ratioCpu: number;
}

export interface RestResult {
  readonly 'one number': RestComparison;
  readonly 'list of 20': RestComparison;
}

export async function benchRest(): Promise<RestResult> {
  const trunkline = await startTrunkline({ env: { TRUNKLINE_DEMO: 'false' } });
  const agent = new Agent({ connections: AT_ONCE });
  try {
    const { accountSid, httpPort, tokens } = trunkline;
    const { incomingPhoneNumbers } = clientOf(trunkline, 'us1');
    const voiceUrl = 'https://example.com/voice';
    const sids: string[] = [];
    for (let n = 0; n < 20; n++) {
      sids.push((await incomingPhoneNumbers.create({ phoneNumber: `+120255501${n + 40}`, voiceUrl })).sid);
    }
    const authorization = `Basic ${Buffer.from(`${accountSid}:${tokens['us1']}`).toString('base64')}`;
    const compare = (name: string) => {
      const path = `/2010-04-01/Accounts/${accountSid}/${name}`;
      const ours = { origin: `http://127.0.0.1:${httpPort + 1}`, pid: trunkline.process.pid ?? 0 };
      return comparison(agent, ours, { path, headers: { authorization } });
    };
    return {
      'one number': await compare(`IncomingPhoneNumbers/${sids[0]}.json`),
      'list of 20': await compare('IncomingPhoneNumbers.json?PageSize=20'),
    };
  } finally {
    await agent.destroy();
    await trunkline.stop();
  }
}

interface Served {
  readonly origin: string;
  readonly pid: number;
}

interface Asked {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function comparison(agent: Agent, ours: Served, asked: Asked): Promise<RestComparison> {
  const get = async ({ origin }: Served) => {
    const { statusCode, headers, body } = await agent.request({ ...asked, origin, method: 'GET' });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`${asked.path}: ${statusCode} ${text}`);
    return { headers, text };
  };
  const answer = await get(ours);
  const bare = await startExpress(answer.headers, answer.text);
  expectSame(answer, await get(bare));
  const measure = (served: Served) => perSecond(served, () => get(served));
  await measure(ours); // so that both are measured warm
  await measure(bare);
  const best = { ours: NOTHING, bare: NOTHING };
  for (let round = 0; round < ROUNDS; round++) {
    best.ours = better(best.ours, await measure(ours));
    best.bare = better(best.bare, await measure(bare));
  }
  bare.stop();
  return {
    perSecond: best.ours.perSecond,
    barePerSecond: best.bare.perSecond,
    ratioPerSecond: best.bare.perSecond / best.ours.perSecond,
    cpu: best.ours.cpu,
    bareCpu: best.bare.cpu,
    ratioCpu: best.ours.cpu / best.bare.cpu,
  };
}

interface Answer {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** But for the values of headers, which have times and chance in them. */
function expectSame(ours: Answer, bare: Answer): void {
  const names = ({ headers }: Answer) => Object.keys(headers).toSorted().join(', ');
  if (ours.text !== bare.text) throw new Error(`expected ${ours.text}, bare Express answers ${bare.text}`);
  if (names(ours) !== names(bare))
    throw new Error(`expected ${names(ours)}, bare Express has ${names(bare)}`);
}

/**
 * Plain JavaScript for `node -e`, run where Express is installed: sends its second argument as JSON with the headers of
 * its first.
 */
const EXPRESS = `
  const app = require('express')();
  app.disable('x-powered-by').disable('etag');
  const [headers, body] = process.argv.slice(1).map((text) => JSON.parse(text));
  app.get('/{*any}', (request, response) => response.set(headers).json(body));
  const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
  server.keepAliveTimeout = 65_000;
  process.stdin.on('close', () => process.exit()).resume();
`;

/** What Node writes by itself. */
const BY_NODE: ReadonlySet<string> = new Set(['connection', 'content-length', 'date', 'keep-alive']);

async function startExpress(
  given: Answer['headers'],
  body: string,
): Promise<Served & { readonly stop: () => void }> {
  const headers = Object.fromEntries(Object.entries(given).filter(([name]) => !BY_NODE.has(name)));
  const express = spawn(process.execPath, ['-e', EXPRESS, JSON.stringify(headers), body], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const port = await new Promise<number>((resolve, reject) => {
    express.once('error', reject);
    express.stdout.once('data', (line: Buffer) => resolve(Number(line.toString())));
  });
  const stop = () => express.stdin.end();
  return { origin: `http://127.0.0.1:${port}`, pid: express.pid ?? 0, stop };
}

async function perSecond({ pid }: Served, request: () => Promise<unknown>): Promise<Measured> {
  const before = cpuOfTree(pid);
  const began = performance.now();
  let left = REQUESTS;
  const run = async () => {
    while (left-- > 0) await request();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, run));
  const rate = (REQUESTS * 1_000) / (performance.now() - began);
  return { perSecond: rate, cpu: (cpuOfTree(pid) - before) / REQUESTS };
}
