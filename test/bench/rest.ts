import { spawn } from 'node:child_process';
import { Agent } from 'undici';
import { clientOf } from '../e2e/support/numbers.ts';
import { startTrunkline } from '../support/trunkline.ts';

/*
 * Requests a second to a Region's service, authentication and Redis included, beside an Express of its own process that
 * answers the same bytes and does nothing else. Both are asked by this process, over kept connections.
 */

const REQUESTS = 3_000;
const AT_ONCE = 16;
const ROUNDS = 3;

export interface RestResult {
  /** Requests a second. */
  readonly bare: number;
  readonly fetchNumber: number;
  readonly listNumbers: number;
  /** How many requests bare Express answers in the time of one of ours. */
  readonly ratioFetch: number;
  readonly ratioList: number;
}

/** Plain JavaScript for `node -e`, run where Express is installed. Answers its first argument. */
const EXPRESS = `
  const app = require('express')();
  const body = JSON.parse(process.argv[1]);
  app.get('/{*any}', (request, response) => response.json(body));
  const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
  process.stdin.on('close', () => process.exit()).resume();
`;

export async function benchRest(): Promise<RestResult> {
  const trunkline = await startTrunkline({ env: { TRUNKLINE_DEMO: 'false' } });
  const agent = new Agent({ connections: AT_ONCE });
  try {
    const { accountSid, httpPort, tokens } = trunkline;
    const origin = `http://127.0.0.1:${httpPort + 1}`;
    const client = clientOf(trunkline, 'us1');
    const { sid } = await client.incomingPhoneNumbers.create({
      phoneNumber: '+12025550142',
      voiceUrl: 'https://example.com/voice',
    });
    const authorization = `Basic ${Buffer.from(`${accountSid}:${tokens['us1']}`).toString('base64')}`;
    const path = (name: string) => `/2010-04-01/Accounts/${accountSid}/${name}.json`;
    const get = async (at: string, from = origin) => {
      const { statusCode, body } = await agent.request({
        origin: from,
        path: at,
        method: 'GET',
        headers: { authorization },
      });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`${at}: ${statusCode} ${text}`);
      return text;
    };
    const one = path(`IncomingPhoneNumbers/${sid}`);
    const express = spawn(process.execPath, ['-e', EXPRESS, await get(one)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const port = await new Promise<number>((resolve) =>
      express.stdout.once('data', (line: Buffer) => resolve(Number(line.toString()))),
    );
    const bare = await perSecond(() => get('/', `http://127.0.0.1:${port}`));
    express.stdin.end();
    const fetchNumber = await perSecond(() => get(one));
    const listNumbers = await perSecond(() => get(path('IncomingPhoneNumbers')));
    return { bare, fetchNumber, listNumbers, ratioFetch: bare / fetchNumber, ratioList: bare / listNumbers };
  } finally {
    await agent.destroy();
    await trunkline.stop();
  }
}

/** The best of some rounds. */
async function perSecond(request: () => Promise<unknown>): Promise<number> {
  let best = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = performance.now();
    let left = REQUESTS;
    const run = async () => {
      while (left-- > 0) await request();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, run));
    best = Math.max(best, (REQUESTS * 1_000) / (performance.now() - began));
  }
  return best;
}
