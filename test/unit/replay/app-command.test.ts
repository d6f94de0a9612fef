import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import twilio from 'twilio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readScript } from '../../../src/replay/application/script-text.ts';
import { replayCommand } from '../../../src/replay/command.ts';

const scratch = mkdtempSync(join(tmpdir(), 'trunkline-app-'));
const seen: { url: string; form: Record<string, string>; signed: boolean }[] = [];
let server: Server;
let url = '';
let choice =
  '<Response><Say>Connecting.</Say><Dial action="/done"><Sip>sip:bob@example.com</Sip></Dial></Response>';

beforeAll(async () => {
  const app = express();
  app.use(express.urlencoded({ extended: false }));
  app.use((request, _response, next) => {
    const absolute = `http://${request.headers.host}${request.originalUrl}`;
    const signature = String(request.headers['x-twilio-signature']);
    const token = '0123456789abcdef0123456789abcdef';
    const signed = twilio.validateRequest(token, signature, absolute, request.body);
    seen.push({ url: request.originalUrl, form: request.body, signed });
    next();
  });
  const answer = (path: string, twiml: () => string) =>
    app.post(path, (_request, response) => {
      response.type('text/xml').send(twiml());
    });
  answer(
    '/voice',
    () =>
      '<Response>\n<Gather numDigits="1" action="/choice" timeout="x"><Say>Press 1.</Say></Gather>\n</Response>',
  );
  answer('/choice', () => choice);
  answer('/done', () => '<Response><Say>Thank you.</Say></Response>');
  answer('/status', () => '');
  answer('/elsewhere', () => '<Response><Redirect>https://elsewhere.example.com/voice</Redirect></Response>');
  server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('no port');
  url = `http://127.0.0.1:${address.port}`;
});

afterAll(async () => {
  rmSync(scratch, { recursive: true, force: true });
  await new Promise((resolve) => server.close(resolve));
});

async function run(...args: readonly string[]) {
  const lines: string[] = [];
  seen.length = 0;
  const code = await replayCommand(args, { print: (line) => lines.push(line) });
  return { code, text: lines.join('\n').replaceAll(url, 'http://app') };
}

describe('trunkline replay --app', () => {
  it('calls a running application and prints the call', async () => {
    const script = "hear 'press 1', press 1, hear 'thank you', hang up";
    const { code, text } = await run(
      '--app',
      `${url}/voice`,
      '--script',
      script,
      '--status-callback',
      '/status',
    );
    expect(text).toMatch(/0\.000 {2}POST http:\/\/app\/voice → 200 in \d+ ms/);
    expect(text).toContain('warning 13313 at http://app/voice:2:40');
    expect(text).toMatch(/2 \| <Gather numDigits="1" action="\/choice" timeout="x">.*\n +\| +\^+/);
    expect(text).toMatch(/pressed 1\n +0\.690 {2}POST http:\/\/app\/choice/);
    expect(text).toContain('sip:bob@example.com answered');
    expect(text).toMatch(/ok; the application was asked 4 times and took \d+ ms in all/);
    expect(code).toBe(0);
    expect(seen.map(({ url: path, signed }) => [path, signed])).toEqual([
      ['/voice', true],
      ['/choice', true],
      ['/done', true],
      ['/status', true],
    ]);
    expect(seen[2]?.form['DialCallDuration']).toBe('10');
  });

  it('says what the caller waited for in vain', async () => {
    const { code, text } = await run('--app', `${url}/voice`, '--script', 'press 1, hear nonsense');
    expect(code).toBe(1);
    expect(text).toMatch(/WRONG:\n {2}the caller waited in step 2 \(hears: "nonsense"\) in vain/);
  });

  it('says what is wrong with the application', async () => {
    const missing = await run('--app', `${url}/missing`);
    expect([missing.code, missing.text]).toEqual([
      1,
      expect.stringContaining('WRONG:\n  error 11200: http://app/missing'),
    ]);
    const elsewhere = await run('--app', `${url}/elsewhere`);
    expect([elsewhere.code, elsewhere.text]).toEqual([
      1,
      expect.stringContaining('elsewhere.example.com is not the application that is tested'),
    ]);
  });

  it('has callees as they are asked for, and hangs up in the end', async () => {
    const busy = await run('--app', `${url}/voice`, '--press', '1', '--callee', 'sip:bob@example.com=busy');
    expect(busy.text).toContain('DialCallStatus=busy');
    const long = await run(
      '--app',
      `${url}/voice`,
      '--press',
      '1',
      '--callee',
      'sip:bob@example.com=answers',
      '--max',
      '1h',
    );
    expect(long.text).toContain('3600.000  completed: the caller hung up during <Dial>');
  });

  it('prints JSON', async () => {
    const { text } = await run(
      '--app',
      `${url}/voice`,
      '--press',
      '1',
      '--json',
      '--seed',
      '5',
      '--from',
      '+353861234567',
    );
    const read: unknown = JSON.parse(text);
    expect(read).toMatchObject({
      sid: `CA${'5'.padStart(32, '0')}`,
      status: 'completed',
      failures: [],
      dialed: [{ to: 'sip:bob@example.com', from: '+353861234567', status: 'completed' }],
    });
  });

  it('is told what it cannot use', async () => {
    const wrong = [
      ['--app', 'nowhere'],
      ['--app', url, '--script', 'dance'],
      ['--app', url, '--callee', 'bob'],
      ['--app', url, '--callee', 'bob=dances'],
      ['--app', url, '--method', 'PUT'],
      ['--app', url, '--max', 'long'],
      ['--app', url, '--what'],
      ['--app', url, join(scratch, 'missing')],
    ];
    for (const args of wrong) {
      const { code, text } = await run(...args);
      expect([code, text]).toEqual([2, expect.stringMatching(/error: .*\n.*--help/s)]);
    }
    const { code, text } = await run('--app', '--help');
    expect([code, text]).toEqual([0, expect.stringContaining('--script <steps>')]);
  });
});

describe('a fixture against a running application', () => {
  const fixture = join(scratch, 'menu');
  const written = {
    shows: 'a caller reaches Bob',
    voice: { url: 'http://app.test/voice', statusCallback: 'http://app.test/status' },
    webhooks: [{ url: 'http://app.test/voice', answers: [{ body: '<Response/>' }] }],
    caller: [{ hears: 'press 1' }, { press: '1' }, { hears: 'thank you' }],
    callees: [{ address: 'sip:bob@example.com', does: [{ answer: true }, { wait: '3s' }, { hangup: true }] }],
  };

  it('runs its caller and callees, writes what happened, and compares it', async () => {
    cpSync(join(import.meta.dirname, '../../../twiml-fixtures/say'), fixture, { recursive: true });
    rmSync(join(fixture, 'expected'), { recursive: true });
    writeFileSync(join(fixture, 'scenario.yaml'), JSON.stringify(written));
    const first = await run('--app', `${url}/voice`, fixture, '--update');
    expect([first.code, first.text]).toEqual([0, expect.stringContaining('menu: a caller reaches Bob')]);
    expect(readFileSync(join(fixture, 'expected/requests.txt'), 'utf8')).toContain(
      'POST http://app.test/choice',
    );
    expect(readFileSync(join(fixture, 'expected/requests.txt'), 'utf8')).not.toContain('x-twilio-signature');
    expect(await run('--app', `${url}/voice`, scratch, '--compare')).toMatchObject({ code: 0 });
    choice = '<Response><Say>Thank you for nothing.</Say></Response>';
    const changed = await run('--app', `${url}/voice`, fixture, '--compare');
    expect(changed.code).toBe(1);
    expect(changed.text).toContain('it is not as expected');
    expect(changed.text).toContain('heard for 1.540 s: man: Thank you for nothing.');
  });
});

describe('a script', () => {
  it.each([
    ['wait 2s, press 1#', [{ wait: 2_000 }, { press: '1#', every: 200 }]],
    [`say 'yes, please', hear "bye", hang up`, [{ say: 'yes, please' }, { hears: 'bye' }, { hangup: true }]],
    [
      'hears /one, two/i, Hold, resume, hangup',
      [{ hears: '/one, two/i' }, { hold: true }, { resume: true }, { hangup: true }],
    ],
    ['', []],
  ])('%s', (text, steps) => {
    expect(readScript(text)).toEqual(steps);
  });

  it.each(['dance', 'wait long', 'press x', 'say', 'wait 1s hang up'])('cannot be "%s"', (text) => {
    expect(() => readScript(text)).toThrow(/script: /);
  });
});
