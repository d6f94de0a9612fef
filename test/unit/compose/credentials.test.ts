import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { loadCredentials } from '../../../src/compose/credentials.ts';
import { readSettings } from '../../../src/compose/settings.ts';
import { RandomIds } from '../../../src/core/ids.ts';

const home = mkdtempSync(join(tmpdir(), 'trunkline-home-'));
const file = join(home, 'credentials.json');
afterAll(() => rmSync(home, { recursive: true, force: true }));
beforeEach(() => rmSync(file, { force: true }));

const load = () =>
  loadCredentials(readSettings({ TRUNKLINE_HOME: home }).settings, new RandomIds(), {
    regions: ['us1', 'ie1'],
    control: true,
  });

describe('the credentials of a home', () => {
  it('are made once and kept', async () => {
    const made = await load();
    expect(made.accountSid).toMatch(/^AC[0-9a-f]{32}$/);
    expect(await load()).toEqual(made);
  });

  it.each([
    ['', 'JSON'],
    ['{bad', 'JSON'],
    ['[]', 'the whole'],
    ['{}', 'accountSid'],
  ])('that read %j are refused with what is wrong and what to do', async (text, told) => {
    writeFileSync(file, text);
    const refusal = load();
    await expect(refusal).rejects.toThrow(told);
    await expect(refusal).rejects.toThrow(/credentials\.json cannot be read .*: restore it from a copy/);
  });

  it('never have an empty token', async () => {
    await load();
    const kept: unknown = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify(kept).replace(/"ie1":"[^"]+"/, '"ie1":""'));
    await expect(load()).rejects.toThrow('authTokens.ie1');
  });
});
