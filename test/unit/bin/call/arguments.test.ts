import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callCommand } from '../../../../src/bin/call/call-command.ts';
import { readCaller, readTarget } from '../../../../src/bin/call/call-plan.ts';
import { readDuration, readStart } from '../../../../src/bin/phone/arguments.ts';
import { collector } from './callee.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-call-'));
  await writeFile(join(folder, 'no.wav'), 'RIFF, but not really');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const stdout = collector();
  const stderr = collector();
  const code = await callCommand(args, { stdout, stderr, interrupt: new AbortController().signal });
  return { code, out: stdout.text, err: stderr.text };
}

const number = '+35315550100';
const asked = { edge: undefined, sip: undefined };
const SIP = '127.0.0.1:5060';

describe('the arguments of trunkline call', () => {
  it.each<[string, string[], RegExp]>([
    ['no callee', [], /missing required argument 'callee'/],
    ['two callees', [number, number], /too many arguments/],
    [
      'a number without +',
      ['35315550100'],
      /"35315550100" is neither a phone number nor a SIP URI: expected E\.164 such as \+35315550100/,
    ],
    ['a number that is too long', ['+1234567890123456'], /neither a phone number/],
    ['a broken URI', ['sip:menu@'], /neither a phone number nor a SIP URI/],
    ['a sips URI', ['sips:menu@127.0.0.1'], /asks for TLS.*UDP only/],
    ['another transport', ['sip:menu@127.0.0.1;transport=TCP'], /asks for tcp.*UDP only/],
    [
      'an edge that is none',
      [number, '--edge', 'paris'],
      /"paris" is not an Edge Location: expected one of ashburn, umatilla, dublin/,
    ],
    ['a key that is none', [number, '--press', '1x2'], /found "x" in "1x2": expected keys 0-9 \* # A-D/],
    ['no keys', [number, '--press', ''], /found no keys/],
    [
      'a file that is not there',
      [number, '--play', '/nowhere/a.wav'],
      /\/nowhere\/a\.wav cannot be read \(ENOENT\): give --play/,
    ],
    [
      'a folder that is not there',
      [number, '--hear', '/nowhere/a.wav'],
      /\/nowhere cannot be written to \(ENOENT\): give --hear/,
    ],
    ['a caller that is none', [number, '--from', 'a b'], /"a b" cannot be a caller/],
    ['a length that is none', [number, '--max', 'long'], /"long" is not a length of time/],
    ['a start that is none', [number, '--after', 'later'], /"later" is not a length of time/],
    ['an address that is none', [number, '--sip', 'a b'], /"a b" is not a SIP address: expected host:port/],
    ['an unknown option', [number, '--loud'], /unknown option '--loud'/],
  ])('%s: says what was found, what was expected, and calls nobody', async (_, args, message) => {
    const { code, out, err } = await run(...args);
    expect(code).toBe(1);
    expect(err).toMatch(message);
    expect(out).toBe('');
  });

  it('a file that is no WAV', async () => {
    const { code, err } = await run(number, '--play', join(folder, 'no.wav'));
    expect(code).toBe(1);
    expect(err).toMatch(/no\.wav cannot be played: this is not a WAV file/);
  });

  it('a folder as the file to save in', async () => {
    const { err } = await run(number, '--hear', folder);
    expect(err).toContain('is a folder: give --hear the path of a file');
  });

  it('a host that does not exist', async () => {
    const { code, err } = await run('sip:menu@no-such-host.invalid');
    expect(code).toBe(1);
    expect(err).toMatch(/^no-such-host\.invalid cannot be reached \(E\w+\): check the host name/);
  });

  it('explains itself', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    for (const option of ['--edge', '--press', '--play', '--hear', '--from', '--max', '--sip', '--after']) {
      expect(out).toContain(option);
    }
  });
});

describe('where a call goes', () => {
  it.each([
    [
      '+1 (555) 010-0100',
      {},
      {
        edge: 'ashburn',
        uri: 'sip:+15550100100@127.0.0.1:5060',
        destination: { host: '127.0.0.1', port: 5060 },
      },
    ],
    [number, { edge: 'dublin' }, { edge: 'dublin', destination: { host: '127.0.0.1', port: 5064 } }],
    [
      number,
      { edge: 'dublin', sip: '10.0.0.1:6000' },
      { uri: `sip:${number}@10.0.0.1:6004`, destination: { host: '10.0.0.1', port: 6004 } },
    ],
    [number, { sip: '[::1]' }, { uri: `sip:${number}@[::1]:5060`, destination: { host: '::1', port: 5060 } }],
    [
      'sip:bob@10.1.2.3',
      {},
      { edge: undefined, uri: 'sip:bob@10.1.2.3', destination: { host: '10.1.2.3', port: 5060 } },
    ],
    [
      'sip:bob@10.1.2.3:5080',
      { edge: 'tokyo' },
      { edge: 'tokyo', uri: 'sip:bob@10.1.2.3:5080', destination: { host: '127.0.0.1', port: 5070 } },
    ],
    [
      'sip:bob@office.sip.trunkline.localhost',
      {},
      { edge: 'ashburn', destination: { host: '127.0.0.1', port: 5060 } },
    ],
    [
      'sip:bob@office.sip.de1.trunkline.localhost',
      {},
      { edge: 'frankfurt', destination: { host: '127.0.0.1', port: 5066 } },
    ],
  ] as const)('%s with %o', (callee, options, expected) => {
    expect(readTarget(callee, { ...asked, ...options }, SIP)).toMatchObject(expected);
  });

  it.each([
    ['60', 60_000],
    ['1.5s', 1_500],
    ['800ms', 800],
    ['2m', 120_000],
  ])('%s is %d ms', (text, ms) => {
    expect(readDuration(text)).toBe(ms);
  });

  it.each(['0', '-1', '1d', '25h', '1e3', 'NaN', ''])('"%s" is no length of time', (text) => {
    expect(() => readDuration(text)).toThrow('is not a length of time');
  });

  it('starts at once, after a time, or after silence', () => {
    expect([readStart('0'), readStart('2'), readStart('silence')]).toEqual([
      { afterMs: 0 },
      { afterMs: 2_000 },
      'silence',
    ]);
  });

  it.each([
    ['+1 555 010 0199', { caller: '+15550100199', from: { user: '+15550100199' } }],
    ['alice', { caller: 'alice', from: { user: 'alice' } }],
    ['sip:alice@example.org', { caller: 'sip:alice@example.org', from: { uri: 'sip:alice@example.org' } }],
  ])('calls as %s', (text, expected) => {
    expect(readCaller(text)).toEqual(expected);
  });
});
