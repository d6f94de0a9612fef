import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../support/program.ts';

const COMMAND = join(projectRoot(), 'dist/src/bin/trunkline.js');

/** The built command as people run it. */
function trunkline(
  args: readonly string[],
  input = '',
): Promise<{ status: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [COMMAND, ...args], {
      stdio: 'pipe',
      cwd: projectRoot(),
      timeout: 60_000, // one that reads without end must not outlive its test
      killSignal: 'SIGKILL',
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, out, err }));
    child.stdin.on('error', () => {}); // it may not read at all
    child.stdin.end(input);
  });
}

describe('the command trunkline lint', () => {
  it('reads a document from a pipe and exits by what it found', async () => {
    const good = await trunkline(['lint', '-'], '<Response><Say>Hi</Say></Response>');
    expect(good).toEqual({ status: 0, out: '1 document: nothing to report\n', err: '' });
    const bad = await trunkline(['lint', '-'], '<Response><Sayy/></Response>');
    expect(bad.status).toBe(1);
    expect(bad.out).toMatch(/^stdin:1:11 warning 12200 .*did you mean <Say>/);
    expect(bad.out).not.toContain('\x1b['); // no terminal
  });

  it('takes files, folders and options', async () => {
    const args = ['lint', 'twiml-fixtures/reject-busy', '--region', 'ie1', '--format', 'json'];
    const { status, out } = await trunkline(args);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ documents: [{ name: 'twiml-fixtures/reject-busy/voice.xml' }] });
  });

  it('says how it is used, and leaves with 64 when it was used otherwise', async () => {
    const help = await trunkline(['lint', '--help']);
    expect(help.status).toBe(0);
    expect(help.out).toContain('Exit status: 0 nothing or notes only, 1 warnings, 2 errors, 3');
    for (const wrong of [
      ['lint'],
      ['lint', '-', '--format', 'xml'],
      ['lint', '-', '--region', 'de1'],
      ['lint', '-', '--nonsense'],
      ['lint', '-', '--url', 'voice'],
      ['lint', '-', '--url', 'https://a.io', '--inline'],
    ]) {
      const { status, err } = await trunkline(wrong);
      expect(status, wrong.join(' ')).toBe(64);
      expect(err).toMatch(/^error: /);
    }
  });

  it('leaves with 3 when there is nothing to read', async () => {
    const { status, err } = await trunkline(['lint', 'no-such-file.xml']);
    expect({ status, err }).toEqual({
      status: 3,
      err: 'error: no-such-file.xml: there is no such file or directory\n',
    });
  });

  it.skipIf(process.platform === 'win32')('reads no endless device into memory', async () => {
    const { status, err } = await trunkline(['lint', '/dev/zero']);
    expect({ status, err }).toEqual({
      status: 3,
      err: 'error: /dev/zero: it has more than 1048576 bytes; a TwiML document may have at most 65536\n',
    });
  });

  it('ends without a word when nobody reads it any more', async () => {
    const child = spawn(process.execPath, [COMMAND, 'lint', '-'], { stdio: 'pipe' });
    let err = '';
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.stdout.destroy();
    child.stdin.end('<Response><Sayy/></Response>');
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect({ status, err }).toEqual({ status: 141, err: '' });
  });

  it.skipIf(!existsSync('/dev/full'))('says that what it found cannot be written', async () => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [COMMAND, 'lint', '-'], { stdio: ['pipe', full, 'pipe'] });
    closeSync(full);
    let err = '';
    child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.stdin?.end('<Response/>');
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect(status).toBe(74);
    expect(err).toMatch(/^error: the output cannot be written: ENOSPC.*\n$/);
  });
});
