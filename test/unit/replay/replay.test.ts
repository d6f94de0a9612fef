import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replayCommand } from '../../../src/replay/command.ts';
import { differences } from '../../../src/replay/diff.ts';
import { type ReplayOptions, writeGolden } from '../../../src/replay/replay-all.ts';
import { runFixture } from '../../../src/replay/run-fixture.ts';
import { readScenario } from '../../../src/replay/scenario.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'trunkline-replay-'));
});
afterEach(() => rm(home, { recursive: true }));

const SCENARIO = `
shows: A greeting.
voice: { url: http://app.test/voice }
webhooks:
  - url: http://app.test/voice
    answers:
      - { body: "<Response><Say>Hello.</Say></Response>" }
`;

async function fixture(name: string, scenario: string): Promise<string> {
  const directory = join(home, name);
  await mkdir(directory);
  await writeFile(join(directory, 'scenario.yaml'), scenario);
  return directory;
}

async function replay(...args: string[]) {
  return await replayWith(undefined, ...args);
}

async function replayWith(run: ReplayOptions['run'], ...args: string[]) {
  const lines: string[] = [];
  const code = await replayCommand(args, { print: (line) => lines.push(line), run });
  return { code, output: lines.join('\n') };
}

describe('replayCommand', () => {
  it('writes golden files, then finds them unchanged', async () => {
    const directory = await fixture('greeting', SCENARIO);
    expect(await replay(home, '--update')).toMatchObject({ code: 0 });
    expect(await readFile(join(directory, 'expected/heard.txt'), 'utf8')).toContain('Hello.');
    expect(await replay(home)).toMatchObject({ code: 0 });
    expect(await replay(directory)).toMatchObject({ code: 0 });
  });

  it('names a path that cannot be used', async () => {
    const gone = join(home, 'gone');
    expect(await replay(gone)).toEqual({ code: 2, output: `${gone}: there is no such file or directory` });
    await writeFile(gone, '');
    expect(await replay(gone)).toEqual({
      code: 2,
      output: `${gone}: expected a fixture's folder, or its scenario.yaml`,
    });
  });

  it('shows what changed and fails', async () => {
    const directory = await fixture('greeting', SCENARIO);
    await replay(home, '--update');
    await writeFile(join(directory, 'scenario.yaml'), SCENARIO.replace('Hello.', 'Goodbye.'));
    const { code, output } = await replay(home);
    expect(code).toBe(1);
    expect(output).toMatch(/greeting +CHANGED/);
    expect(output).toMatch(/heard\.txt:\n(?:.*\n)* +- .*Hello\.\n/);
    expect(output).toMatch(/\+ .*Goodbye\./);
  });

  it('sees what a GET is asked with, in its answers and in its golden files', async () => {
    const directory = await fixture(
      'get',
      `
shows: A choice, by GET.
voice: { url: http://app.test/voice }
webhooks:
  - url: http://app.test/voice
    answers:
      - { body: '<Response><Gather action="/choice?menu=main" method="GET" numDigits="1"/></Response>' }
  - { url: http://app.test/choice, when: { Digits: "2" }, answers: [{ body: <Response><Say>Two.</Say></Response> }] }
caller:
  - { at: 1s, press: 2 }
`,
    );
    expect(await replay(directory, '--update')).toMatchObject({ code: 0 });
    const requests = await readFile(join(directory, 'expected/requests.txt'), 'utf8');
    expect(requests).toMatch(
      /GET http:\/\/app\.test\/choice\n(?:.*\n)* {4}Digits=2\n(?:.*\n)* {4}menu=main\n/,
    );
    expect(await readFile(join(directory, 'expected/heard.txt'), 'utf8')).toContain('Two.');
  });

  it('fails for a fixture without golden files', async () => {
    await fixture('greeting', SCENARIO);
    expect(await replay(home)).toMatchObject({ code: 1 });
  });

  it('runs only what is asked for, and says when that is nothing', async () => {
    await fixture('greeting', SCENARIO);
    await fixture('broken', 'shows: 1');
    for (const wanted of [
      ['--filter', 'greet'],
      ['--filter', '/^gr.*ng$/'],
      ['--only', 'reet'],
    ]) {
      const { code, output } = await replay(home, ...wanted, '--update');
      expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('1 fixture,') });
    }
    const nothing = await replay(home, '--filter', 'gr.*ng');
    expect(nothing).toEqual({ code: 1, output: 'no fixture was found' });
    expect(await replay(home, '--filter', '/(/')).toMatchObject({ code: 2 });
  });

  it('takes a fixture, its scenario, and trees of any depth, each fixture once', async () => {
    await mkdir(join(home, 'menus/deep'), { recursive: true });
    const one = await fixture('menus/deep/one', SCENARIO);
    await fixture('two', SCENARIO);
    const { code, output } = await replay(home, one, join(one, 'scenario.yaml'), '--update');
    expect(code).toBe(0);
    expect(output).toMatch(/^menus\/deep\/one +updated\ntwo +updated\n2 fixtures, all as expected/);
  });

  it('refuses arguments and paths that make no sense, and explains itself', async () => {
    expect(await replay('--upgrade')).toMatchObject({
      code: 2,
      output: expect.stringContaining('--upgrade'),
    });
    expect(await replay(home, '--repeat', '1')).toMatchObject({ code: 2 });
    expect(await replay(join(home, 'absent'))).toMatchObject({ code: 2 });
    const { code, output } = await replay('--help');
    expect(code).toBe(0);
    for (const told of ['--filter', '--junit', '--update', '--repeat', 'Exit status']) {
      expect(output).toContain(told);
    }
  });

  it('shows what changed with its line, its surroundings and the fields that differ', async () => {
    await fixture('greeting', SCENARIO);
    await replay(home, '--update');
    await writeFile(
      join(home, 'greeting/scenario.yaml'),
      SCENARIO.replace('answers:', 'answers:').replace('body:', 'delay: 1s, body:'),
    );
    const { output } = await replay(home);
    expect(output).toContain('timeline.jsonl:');
    expect(output).toContain('ms: 0 → 1000');
    expect(output).toMatch(
      /\n +~ +1 {"at":.*\n +at: "2026-01-01T00:00:00.000Z" → "2026-01-01T00:00:01.000Z"\n/,
    );
  });

  it('names the first event in which two runs of a fixture differ', async () => {
    await fixture('greeting', SCENARIO);
    let turn = 0;
    const unstable: ReplayOptions['run'] = async (read) => {
      const run = new Map(await runFixture(read));
      const timeline = run.get('timeline.jsonl') ?? '';
      if (++turn === 3) run.set('timeline.jsonl', timeline.replace('"verb":"Say"', '"verb":"Play"'));
      return run.set('heard.txt', `${turn > 2}`);
    };
    const { code, output } = await replayWith(unstable, home, '--repeat', '5');
    expect(code).toBe(1);
    expect(output).toMatch(/greeting +UNSTABLE/);
    expect(output).toContain('run 1 and run 3 differ first in');
    expect(output).toMatch(
      /timeline\.jsonl, event 3:\n.* 1 .*\n.* 2 .*\n +- 3 .*"Say".*\n +\+ 3 .*"Play".*\n.* 4 /,
    );
    expect(turn).toBe(3);
  });

  it('shows the one hash of many runs', async () => {
    await fixture('greeting', SCENARIO);
    const { code, output } = await replay(home, '--update', '--repeat', '20');
    expect(code).toBe(0);
    expect(output).toMatch(/greeting +updated {2}20 runs, [0-9a-f]{64}/);
    expect((await replay(home, '--repeat', '3')).output).toContain(/[0-9a-f]{64}/.exec(output)?.[0]);
  });

  it('says who waits for what when nothing can happen any more', async () => {
    const asking = '<Response><Gather><Say>Your number?</Say></Gather></Response>';
    await fixture(
      'waiting',
      `${SCENARIO.replace('<Response><Say>Hello.</Say></Response>', asking)}
caller: [{ wait: 1s }, { hears: number }, { press: 1 }]
`,
    );
    // A voice that never comes: nothing of what a scenario can write stands still for ever.
    const never = () => new Promise<never>(() => {});
    const mute: ReplayOptions['run'] = (read) =>
      runFixture(read, { audio: () => ({ speech: never, media: never, decode: never }) });
    const { code, output } = await replayWith(mute, home, '--update');
    expect(code).toBe(1);
    expect(output).toMatch(/waiting +STUCK/);
    expect(output).toContain('nothing is left that could happen');
    const gather = '<Gather> at http://app.test/voice:1:11 (dtmf)';
    expect(output).toContain(
      `the call runs ${gather}, in it <Say> at http://app.test/voice:1:19 (Your number?)`,
    );
    expect(output).toContain('its leg is answered; it waits for a key');
    expect(output).toContain('the caller waits in step 2 (hears: "number")');
  });

  it('says what goes on for ever when a call does not end within a day', async () => {
    const endless = '<Response><Pause length=\\"3600\\"/><Redirect/></Response>';
    await fixture('endless', SCENARIO.replace('<Response><Say>Hello.</Say></Response>', endless));
    const { code, output } = await replay(home, '--update');
    expect(code).toBe(1);
    expect(output).toContain('the call is still not over');
    expect(output).toContain('the call runs <Pause> at http://app.test/voice:1:11');
  });

  it('says what a party never heard, what it would have done, and what it heard instead', async () => {
    const directory = await fixture(
      'deaf',
      `${SCENARIO}caller: [{ hears: Goodbye }, { press: 1 }, { at: 1h, hangup: true }]\n`,
    );
    const { code, output } = await replay(directory, '--update');
    expect(code).toBe(1);
    expect(output).toContain(
      'the caller waited in step 1 (hears: "Goodbye") in vain and never came to press: "1"; heard: "Hello."',
    );
  });

  it('names a callee that answered and never heard what it waited for', async () => {
    const dialling = SCENARIO.replace('<Say>Hello.</Say>', '<Dial>+15005550009</Dial>');
    await fixture(
      'dialling',
      `${dialling}
callees:
  - address: "+15005550009"
    does: [{ wait: 1s }, { answer: true }, { hears: hello }, { hangup: true }]
caller: [{ at: 5s, hangup: true }]
`,
    );
    expect((await replay(home, '--update')).output).toContain(
      '+15005550009 waited in step 3 (hears: "hello") in vain and never came to hangup: true; nothing was heard',
    );
  });

  it('writes what happened as JUnit XML', async () => {
    await fixture('a-good', SCENARIO);
    await replay(home, '--update');
    await fixture('b-broken', 'shows: 1 & "2" <3>\n');
    await fixture('c-new', SCENARIO);
    const file = join(home, 'junit.xml');
    expect(await replay(home, '--junit', file)).toMatchObject({ code: 1 });
    const xml = await readFile(file, 'utf8');
    expect(XMLValidator.validate(xml)).toBe(true);
    const { testsuites } = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '' }).parse(xml);
    expect(testsuites).toMatchObject({ tests: '3', failures: '1', errors: '1' });
    const [good, broken, fresh] = testsuites.testsuite.testcase;
    expect(good).toEqual({
      name: 'a-good',
      classname: 'replay',
      file: join(home, 'a-good/scenario.yaml'),
      time: expect.stringMatching(/^\d+\.\d{3}$/),
    });
    expect(broken.error['#text']).toContain('voice (line 1): is missing');
    expect(fresh.failure).toMatchObject({ type: 'changed', message: expect.stringContaining('--update') });
  });

  it('names a callee that the call never dialled, and one that the scenario lacks', async () => {
    const callee = '\ncallees:\n  - address: "sip:bob@example.com"\n    does: [{ at: 1s, refuse: 486 }]\n';
    await fixture('greeting', `${SCENARIO}${callee}`);
    expect((await replay(home, '--update')).output).toContain('never requested sip:bob@example.com');
    const dialling = SCENARIO.replace('<Say>Hello.</Say>', '<Dial>+15005550009</Dial>');
    await fixture('dialling', dialling);
    const { code, output } = await replay(home, '--update', '--only', 'dialling');
    expect(code).toBe(1);
    expect(output).toContain('the scenario has no callee +15005550009');
  });

  it('keeps golden files of every call that the call dialled', async () => {
    const dialling = SCENARIO.replace('<Say>Hello.</Say>', '<Dial>+15005550009</Dial>');
    const callee = '\ncallees:\n  - address: "+15005550009"\n    does: [{ at: 1s, refuse: 486 }]\n';
    const directory = await fixture('dialling', `${dialling}${callee}`);
    expect(await replay(home, '--update')).toMatchObject({ code: 0 });
    const record = await readFile(join(directory, 'expected/child-1-record.json'), 'utf8');
    expect(JSON.parse(record)).toMatchObject({ status: 'busy', invite: { to: '+15005550009' } });
  });

  it('names a webhook that the call never requested', async () => {
    await fixture('greeting', `${SCENARIO}  - url: http://app.test/never\n    answers: [{ body: x }]\n`);
    const { code, output } = await replay(home, '--update');
    expect(code).toBe(1);
    expect(output).toContain('never requested http://app.test/never');
  });
});

describe('readScenario', () => {
  it.each([
    ['no YAML', ': {', /cannot be read/],
    ['an unknown key', `${SCENARIO}colour: red\n`, /colour/],
    ['a bad duration', `${SCENARIO}caller: [{ at: soon, hangup: true }]\n`, /caller/],
    ['two bodies', SCENARIO.replace('{ body', '{ audio: 1s, body'), /exactly one of/],
    ['no voice', 'shows: x\n', /voice/],
    ['a step nobody can do', `${SCENARIO}caller: [{ at: 1s, pres: "1" }]\n`, /caller\.0 \(line 8\): .*pres/],
    [
      'a bad pattern',
      `${SCENARIO}caller: [{ hears: "/(/" }]\n`,
      /caller\.0\.hears \(line 8\): .*Unterminated group/,
    ],
    ['a bad key', `${SCENARIO}caller: [{ press: x }]\n`, /caller\.0\.press \(line 8\): expected keys of 0-9/],
    [
      'a status that is none',
      `${SCENARIO}callees: [{ address: a, does: [{ refuse: 200 }] }]\n`,
      /callees\.0\.does\.0\.refuse \(line 8\): .*300/,
    ],
    ['a Region that is none', `${SCENARIO}region: de1\n`, /region \(line 8\): .*us1/],
    ['a misspelt step', `${SCENARIO}caller:\n  - { wiat: 1s }\n`, /:\n {2}caller\.0 \(line 9\): .*"wiat"$/],
    [
      'a misspelt key',
      `${SCENARIO}calees: []\n`,
      /top \(line 8\): unknown key "calees"; did you mean callees\?$/,
    ],
    [
      'a misspelt key of a step',
      `${SCENARIO}caller: [{ at: 1s, hangupp: true }]\n`,
      /caller\.0 \(line 8\): unknown key "hangupp"; did you mean hangup\?$/,
    ],
    [
      'a misspelt key of a call of the API',
      'shows: x\ncreated: { url: http://app.test/, statusCallbackEvents: [ringing] }\n',
      /created \(line 2\): unknown key "statusCallbackEvents"; did you mean statusCallbackEvent\?$/,
    ],
    [
      'a call of the API without a document',
      'shows: x\ncreated: { timeout: 5s }\n',
      /expected one of url and twiml/,
    ],
    [
      'a call of the API that rings too long',
      'shows: x\ncreated: { twiml: x, timeout: 1h }\n',
      /timeout.*1s to 600s/,
    ],
    [
      'a caller of a call of the API',
      'shows: x\ncreated: { twiml: x }\ncaller: [{ press: 1 }]\n',
      /caller \(line 3\): nobody calls/,
    ],
    ['two beginnings', `${SCENARIO}created: { twiml: x }\n`, /created \(line 8\): .*expected one$/],
    ['nobody to ask', 'shows: x\n', /voice \(line 1\): is missing; expected object/],
    [
      'a file of somebody else',
      SCENARIO.replace(/body: .*"/, 'file: a/../../b.xml'),
      /b\.xml is outside of the/,
    ],
    [
      'an absolute file',
      SCENARIO.replace(/body: .*"/, 'file: /etc/passwd'),
      /\/etc\/passwd is outside of the/,
    ],
  ])('says what is wrong with %s', async (_what, text, message) => {
    const directory = await fixture('x', text);
    expect(() => readScenario(directory)).toThrow(message);
  });

  it('says that there is none', () => {
    expect(() => readScenario(home)).toThrow(/scenario\.yaml cannot be read/);
  });
});

describe('writeGolden', () => {
  it('leaves what was expected when it cannot write all', async () => {
    const expected = join(home, 'expected');
    writeGolden(expected, new Map([['heard.txt', 'before']]));
    const unwritable = new Map([['heard.txt', 'after'] as const, ['no/such/folder.txt', ''] as const]);
    expect(() => writeGolden(expected, unwritable)).toThrow(/expected cannot be written: ENOENT/);
    expect(await readFile(join(expected, 'heard.txt'), 'utf8')).toBe('before');
    expect(await readdir(home)).toEqual(['expected']);
  });

  it('leaves no file of what was expected before', async () => {
    const expected = join(home, 'expected');
    writeGolden(
      expected,
      new Map([
        ['heard.txt', ''],
        ['child-1-heard.txt', ''],
      ]),
    );
    writeGolden(expected, new Map([['heard.txt', '']]));
    expect(await readdir(expected)).toEqual(['heard.txt']);
  });
});

describe('differences', () => {
  it('is nothing for equal texts', () => {
    expect(differences('a\nb\n', 'a\nb\n')).toBeUndefined();
  });

  it('shows the lines that differ, with their numbers and two lines around them', () => {
    const before = 'a\nb\nc\nd\ne\nf\ng\nh\ni\n';
    expect(differences(before, 'a\nb\nc\nx\ne\nf\ng\nh\ni\nj\n')).toEqual([
      '     2 b',
      '     3 c',
      '-    4 d',
      '+    4 x',
      '     5 e',
      '     6 f',
      '  ⋮',
      '     8 h',
      '     9 i',
      '+   10 j',
    ]);
  });

  it('names the fields in which two events differ', () => {
    const [before, after] = ['{"type":"webhook","ms":1,"status":200}\n', '{"type":"webhook","ms":2}\n'];
    expect(differences(before, after)).toEqual([
      '~    1 {"type":"webhook","ms":2}',
      '       ms: 1 → 2',
      '       status: 200 → absent',
    ]);
  });

  it('says much of little and little of much', () => {
    const long = Array.from({ length: 5_000 }, (_, i) => `line ${i}\n`).join('');
    const changed = differences(long, long.replace('line 2500\n', '').replaceAll('line 3', 'Line 3'));
    expect(changed?.length).toBe(61);
    expect(changed?.at(-1)).toMatch(/… and \d+ more lines/);
    expect(differences(long, long.replace('line 2500\n', 'other\n'))).toHaveLength(6);
  });
});
