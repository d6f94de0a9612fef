import { spawn } from 'node:child_process';
import { Agent } from 'undici';
import { SystemClock } from '../../src/core/clock.ts';
import { RandomIds } from '../../src/core/ids.ts';
import { createWebhookSession } from '../../src/webhook/client.ts';
import { createHttpClient } from '../../src/webhook/http-adapter.ts';

/*
 * CPU of this process per webhook, beside the same POST through bare undici. The application answers from a
 * process of its own, so that only the client is counted.
 */

const REQUESTS = 5_000;
const AT_ONCE = 10;
const ROUNDS = 3;
const TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response><Say>Hello</Say></Response>';
const PARAMS = Object.fromEntries(
  ['CallSid', 'AccountSid', 'ApiVersion', 'From', 'To', 'Caller', 'Called', 'CallStatus', 'Direction']
    .concat(['FromCity', 'FromState', 'FromZip', 'FromCountry', 'ToCity', 'ToState', 'ToZip', 'ToCountry'])
    .map((name) => [name, `${name} of the call`]),
);

/** Plain JavaScript for `node -e`: needs no compiler wherever this runs. */
const APPLICATION = `
  const server = require('node:http').createServer((request, response) => {
    request.resume();
    request.on('end', () => response.setHeader('content-type', 'text/xml').end(${JSON.stringify(TWIML)}));
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
  process.stdin.on('close', () => process.exit()).resume();
`;

/** µs of CPU per request, the best of some rounds. */
async function measure(request: () => Promise<unknown>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.cpuUsage();
    let left = REQUESTS;
    const run = async () => {
      while (left-- > 0) await request();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, run));
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / REQUESTS);
  }
  return best;
}

/** Microseconds of CPU per request: undici alone, the adapter over it, and the whole client. */
export async function benchWebhook(): Promise<{ bare: number; adapter: number; client: number }> {
  const application = spawn(process.execPath, ['-e', APPLICATION], { stdio: ['pipe', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve) =>
    application.stdout.once('data', (line: Buffer) => resolve(Number(line.toString()))),
  );
  const url = `http://127.0.0.1:${port}/voice`;
  const never = new AbortController().signal;
  const clock = new SystemClock();

  const agent = new Agent();
  const body = new URLSearchParams(PARAMS).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const bare = await measure(async () => {
    const options = {
      origin: `http://127.0.0.1:${port}`,
      path: '/voice',
      method: 'POST',
      headers,
      body,
    } as const;
    await (await agent.request(options)).body.text();
  });

  const http = createHttpClient({ clock, allowPrivate: true });
  const request = {
    url,
    method: 'POST',
    headers,
    body,
    connectMs: 5_000,
    readMs: 15_000,
    maxBytes: 65_536,
    sni: true,
  } as const;
  const adapter = await measure(() => http.request(request, never));

  const ids = new RandomIds();
  const client = await measure(() =>
    createWebhookSession({ http, clock, ids, authToken: async () => 'token' }).fetch(
      { url, method: 'POST', params: PARAMS, purpose: 'document' },
      never,
    ),
  );

  await http.close();
  await agent.destroy();
  application.stdin.end();
  return { bare, adapter, client };
}
