import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Device } from '../peers/support/device.ts';
import { freePorts } from '../support/free-port.ts';
import { notRun, peer } from '../support/peers.ts';
import { until } from '../support/until.ts';
import { readPcm, soundSeconds } from '../support/wav-compare.ts';
import { block, projectRoot, shellCommands } from './support/readme.ts';

const scratch = mkdtempSync(join(tmpdir(), 'trunkline-readme-'));
const home = join(scratch, 'home');

/** Where this run's product listens in place of the README's ports: front, Regions, demo, then SIP. */
let http = 0;
let sip = 0;

/** A command of the README, with its addresses and files moved to those of this run. */
function here(text: string): string {
  return text
    .replaceAll(/127\.0\.0\.1:(808\d)/g, (_, port: string) => `127.0.0.1:${http + Number(port) - 8080}`)
    .replaceAll('127.0.0.1:5099', `127.0.0.1:${sip + 39}`)
    .replaceAll(/(heard|caller|callee)\.wav/g, (file) => join(scratch, file));
}

class Command {
  readonly lines: string[] = [];
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(text: string, env: Readonly<Record<string, string>>) {
    const environment = { ...process.env, CURL_HOME: scratch, ...env };
    this.child = spawn('bash', ['-c', text], {
      cwd: projectRoot,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      if (stream) createInterface({ input: stream }).on('line', (line) => this.lines.push(line));
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
  }

  get output(): string {
    return this.lines.join('\n');
  }
}

async function run(text: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const command = new Command(here(text), env);
  const code = await command.ended;
  if (code !== 0) throw new Error(`${text}\nended with ${code}:\n${command.output}`);
  return command.output;
}

/** `npm start` on a built tree, ready to be used. */
async function npmStart(env: Readonly<Record<string, string>>): Promise<Command> {
  const command = new Command('exec npm start', env);
  const up = () => {
    if (command.child.exitCode !== null) throw new Error(`npm start ended:\n${command.output}`);
    return command.lines.some((line) => line.startsWith('ready '));
  };
  await until('npm start to be ready', up);
  return command;
}

async function stop(command: Command): Promise<number | null> {
  command.child.kill('SIGTERM');
  return command.ended;
}

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const commands = shellCommands();
const curls = commands.filter((command) => command.startsWith('curl '));
const calls = commands.filter((command) => command.startsWith('npx trunkline call '));
const answers = commands.filter((command) => command.startsWith('npx trunkline answer '));
const looks = commands.filter((command) => /^npx trunkline (edges|doctor)\b/.test(command));
const lints = commands.filter((command) => command.startsWith('npx trunkline lint '));
const replays = commands.filter(
  (command) => command.startsWith('npm run replay') && !command.includes('--update'),
);
const starts = commands.filter((command) => command.endsWith('npm start'));

it('every command of the README is run here, or is known to be run elsewhere', () => {
  const elsewhere = [
    'npm ci && npm test', // this very run
    'npm run replay -- twiml-fixtures --update', // writes into the tree
    // Against an application of one's own: test/unit/replay/app-command.test.ts
    `npx trunkline replay --app http://localhost:3000/voice --script "hear 'welcome', press 1, wait 5s, hang up"`,
    'npx trunkline replay --app http://localhost:3000/voice my-fixtures --compare',
    'cp .env.example .env',
    'docker compose up --build', // test/unit/compose/containers.test.ts and roles.test.ts
  ];
  const covered = [...curls, ...calls, ...answers, ...looks, ...lints, ...replays, ...starts, ...elsewhere];
  expect(commands.filter((command) => !covered.includes(command))).toEqual([]);
  expect(elsewhere.filter((command) => !commands.includes(command))).toEqual([]);
  expect([curls.length, calls.length, answers.length, replays.length, starts.length]).toEqual([
    7, 3, 1, 1, 2,
  ]);
});

it('npm ci finds every package it will look for in the lock file, on every platform', () => {
  const lock = z
    .object({
      packages: z.record(
        z.string(),
        z.object({
          version: z.string().optional(),
          resolved: z.string().optional(),
          optionalDependencies: z.record(z.string(), z.string()).optional(),
        }),
      ),
    })
    .parse(JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')));
  const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !lock.packages[`${path}/node_modules/${name}`] && !lock.packages[`node_modules/${name}`],
    ),
  );
  expect(missing).toEqual([]);
  expect(Object.values(lock.packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
});

describe('the product, started as the README says', () => {
  let product: Command;
  let account: Record<string, string>;

  beforeAll(async () => {
    writeFileSync(join(scratch, '.curlrc'), 'fail-with-body\nsilent\nshow-error\n');
    http = await freePorts(52);
    sip = http + 10;
    product = await npmStart({
      TRUNKLINE_HOME: home,
      TRUNKLINE_HTTP: `127.0.0.1:${http}`,
      TRUNKLINE_SIP: `127.0.0.1:${sip}`,
    });
    const value = (row: string) => new RegExp(`^ *${row} +(\\S+)$`, 'm').exec(product.output)?.[1] ?? '';
    account = {
      ACCOUNT_SID: value('Account SID'),
      AUTH_TOKEN_US1: value('Auth token us1'),
      AUTH_TOKEN_IE1: value('Auth token ie1'),
      TRUNKLINE_SIP: `127.0.0.1:${sip}`,
    };
  });

  afterAll(async () => {
    const code = await stop(product);
    expect(code).toBe(0);
  });

  it('prints the rows that the README shows', () => {
    const rows = (text: string) =>
      text.split('\n').flatMap((line) => /^ {2}(\S+(?: \S+)*) {2,}\S/.exec(line)?.[1] ?? []);
    const sample = block('', 'Account SID');
    const from = product.lines.indexOf('Trunkline');
    const printed = product.lines.slice(from).join('\n');
    expect(from).toBeGreaterThan(0);
    expect(rows(printed)).toEqual(rows(sample));
    const last = (text: string) => text.trim().split('\n').at(-1) ?? '';
    const moved = here(last(sample)).replace('127.0.0.1:5060', `127.0.0.1:${sip}`);
    expect(last(printed)).toBe(moved);
  });

  describe('the calls', () => {
    const said: string[] = [];

    beforeAll(async () => {
      // The second says what the first heard.
      for (const command of calls.slice(0, 2)) said.push(await run(command, account));
    });

    it('show their progress line by line and save what they heard', () => {
      for (const text of said) expect(text).toMatch(/INVITE sent[\s\S]*200 OK[\s\S]*pressed \d/);
      expect(soundSeconds(readPcm(join(scratch, 'heard.wav')))).toBeGreaterThan(3);
    });

    it('leave the objects that the README lists', async () => {
      const patterns = block('', 'the call record')
        .trim()
        .split('\n')
        .flatMap((line) => {
          const path = (line.split(/\s{2,}/)[0] ?? '').replace('.trunkline', home);
          const suffixes = path.includes('|') ? path.slice(path.lastIndexOf('…') + 1).split('|') : [''];
          const stem = path.includes('|') ? path.slice(0, path.lastIndexOf('…') + 1) : path;
          return suffixes.map((suffix) => `${stem}${suffix}`);
        })
        .map((path) =>
          path
            .replaceAll('.', '\\.')
            .replace(/\d{4}\/\d\d\/\d\d/, '\\d{4}/\\d\\d/\\d\\d')
            .replaceAll('…', '[0-9a-f]{32}'),
        );
      expect(patterns).toHaveLength(4);
      for (const pattern of patterns) {
        const there = () =>
          filesBelow(join(home, 'buckets')).some((file) => new RegExp(`^${pattern}$`).test(file));
        await until(pattern, there);
      }
    });
  });

  it('the demo calls the telephone that answers, and so does the API', async () => {
    const [dialled] = calls.slice(2);
    const telephone = new Command(here(answers[0] ?? ''), account);
    await until('the telephone listens', () => telephone.output.includes(`127.0.0.1:${sip + 39}`));
    expect(await run(dialled ?? '', account)).toMatch(/200 OK[\s\S]*pressed 3/);
    expect(await telephone.ended, telephone.output).toBe(0);
    for (const file of ['caller.wav', 'callee.wav']) {
      expect(soundSeconds(readPcm(join(scratch, file))), file).toBeGreaterThan(1);
    }
    const again = new Command(here(answers[0] ?? ''), account);
    await until('the telephone listens', () => again.output.includes(`127.0.0.1:${sip + 39}`));
    const created = z.looseObject({}).parse(JSON.parse(await run(curls[5] ?? '', account)));
    expect(created).toMatchObject({ status: 'queued', direction: 'outbound-api' });
    expect(await again.ended, again.output).toBe(0);
    expect(soundSeconds(readPcm(join(scratch, 'callee.wav')))).toBeGreaterThan(0.5);
  });

  it('edges and doctor explain what they are asked', async () => {
    const env = { ...account, TRUNKLINE_HOME: home, TRUNKLINE_HTTP: `127.0.0.1:${http}` };
    const [edges = '', retired = '', privately = '', number = '', credential = ''] = looks;
    expect(looks).toHaveLength(5);
    expect(await run(edges, env)).toMatch(new RegExp(`^dublin .* 127\\.0\\.0\\.1:${sip + 4} `, 'm'));
    const wrong = new Command(retired, env);
    expect(await wrong.ended).toBe(1);
    expect(wrong.output).toMatch(/stopped working on 28 April 2026.*use api\.dublin\.ie1\.twilio\.com/);
    expect(await run(privately, env)).toMatch(/edge +frankfurt-ix: [\s\S]*there is one in us1, ie1, au1/);
    const routed = await run(number, env);
    expect(routed).toMatch(/region +ie1: the route table sends/);
    expect(routed).toMatch(/Configured in ie1: http/);
    const accepted = await run(credential, env);
    expect(accepted).toMatch(/region +ie1: ie1 accepts it, and no other that was asked/);
    expect(accepted).not.toContain(account['AUTH_TOKEN_IE1'] ?? '');
  });

  it('the JavaScript samples create a number, list calls, and let a telephone register', async () => {
    const sample = here(`${block('js', 'new Trunkline()')}\n${block('js', 'sip.domains')}`);
    const child = new Command('node --input-type=module -e "$SAMPLE"', { ...account, SAMPLE: sample });
    expect(await child.ended, child.output).toBe(0);
    expect(child.lines.at(-1)).toMatch(/^PN[0-9a-f]{32} \d+$/);
    const telephone = await Device.udp(sip + 4); // dublin
    const host = 'office.sip.twilio.com';
    const { status } = await telephone.register({
      user: 'alice',
      password: 'Change-me-1234',
      uri: `sip:${host}`,
      host,
    });
    await telephone.close();
    expect(status).toBe(200);
    if (!peer('curl')) return;
    const listed = JSON.parse(await run(curls[6] ?? '', account));
    expect(JSON.stringify(listed)).toContain('alice@office');
  });

  it('lint judges files, folders and the running application', async () => {
    const [files = '', regional = '', served = ''] = lints;
    expect(lints).toHaveLength(3);
    expect(await run(files)).toMatch(/^1 document: nothing to report$/m);
    const log = await run(regional);
    expect(JSON.parse(log.slice(log.indexOf('\n{') + 1))).toMatchObject({ version: '2.1.0' });
    expect(await run(served)).toMatch(/^1 document: nothing to report$/m);
  });

  if (!peer('curl')) notRun("The README's curl commands", 'curl is not installed');
  else {
    it('the curl commands do what the text around them says', async () => {
      const answers = z.looseObject({});
      const [created, listed, moved] = [curls[0] ?? '', curls[1] ?? '', curls[2] ?? ''];
      expect(answers.parse(JSON.parse(await run(created, account)))).toMatchObject({
        sid: expect.stringMatching(/^PN/),
        phone_number: '+353209155144',
        voice_url: 'http://127.0.0.1:3000/voice',
      });
      expect(answers.parse(JSON.parse(await run(listed, account)))).toMatchObject({
        calls: expect.any(Array),
      });
      expect(answers.parse(JSON.parse(await run(moved, account)))).toMatchObject({
        phone_number: '+353209155144',
        voice_region: 'us1',
      });
      const [route = '', changes = ''] = [curls[3], curls[4]];
      expect(JSON.stringify(JSON.parse(await run(route, account)))).toContain('us1');
      expect(await run(changes, account)).toMatch(/ie1[\s\S]*us1|us1[\s\S]*ie1/);
    });
  }
});

it.each(replays)('%s', async (command) => {
  expect(await run(command)).toMatch(/\d+ fixtures, all as expected, [\d.]+ s$/);
});

it('a start for the LAN binds every address and says the advertised one', async () => {
  const own = await freePorts(48);
  const command = (starts.find((text) => text.includes('TRUNKLINE_ADVERTISE')) ?? '').replace(
    ':5060',
    `:${own + 10}`,
  );
  const lan = new Command(command.replace('npm start', 'exec npm start'), {
    TRUNKLINE_HOME: join(scratch, 'lan'),
    TRUNKLINE_HTTP: `127.0.0.1:${own}`,
  });
  try {
    const ready = `ready sip:192.168.1.20:${own + 10} http://127.0.0.1:${own}`;
    await until(ready, () => lan.lines.includes(ready) || lan.child.exitCode !== null);
    expect(lan.output).toContain(ready);
  } finally {
    expect(await stop(lan)).toBe(0);
  }
});

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
