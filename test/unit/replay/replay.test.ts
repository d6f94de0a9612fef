import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replayCommand } from '../../../src/replay/command.ts';
import { differences } from '../../../src/replay/diff.ts';
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

async function replay(...args: string[]): Promise<{ readonly code: number; readonly output: string }> {
  const lines: string[] = [];
  const code = await replayCommand(args, (line) => lines.push(line));
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

  it('shows what changed and fails', async () => {
    const directory = await fixture('greeting', SCENARIO);
    await replay(home, '--update');
    await writeFile(join(directory, 'scenario.yaml'), SCENARIO.replace('Hello.', 'Goodbye.'));
    const { code, output } = await replay(home);
    expect(code).toBe(1);
    expect(output).toMatch(/greeting +CHANGED/);
    expect(output).toMatch(/heard\.txt:\n +- .*Hello\.\n/);
    expect(output).toMatch(/\+ .*Goodbye\./);
  });

  it('fails for a fixture without golden files', async () => {
    await fixture('greeting', SCENARIO);
    expect(await replay(home)).toMatchObject({ code: 1 });
  });

  it('runs only what is asked for, and says when that is nothing', async () => {
    await fixture('greeting', SCENARIO);
    await fixture('broken', 'shows: 1');
    expect(await replay(home, '--only', 'greet', '--update')).toMatchObject({ code: 0 });
    expect(await replay(home, '--only', 'nothing')).toMatchObject({ code: 1 });
  });

  it('refuses arguments and directories that make no sense', async () => {
    expect(await replay('--upgrade')).toMatchObject({ code: 2 });
    expect(await replay(join(home, 'absent'))).toMatchObject({ code: 2 });
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
  ])('says what is wrong with %s', async (_what, text, message) => {
    await expect(readScenario(await fixture('x', text))).rejects.toThrow(message);
  });

  it('says that there is none', async () => {
    await expect(readScenario(home)).rejects.toThrow(/scenario\.yaml cannot be read/);
  });
});

describe('differences', () => {
  it('is nothing for equal texts', () => {
    expect(differences('a\nb\n', 'a\nb\n')).toBeUndefined();
  });

  it('shows only the lines that differ', () => {
    expect(differences('a\nb\nc\n', 'a\nx\nc\nd\n')).toEqual(['- b', '+ x', '+ d']);
  });
});
