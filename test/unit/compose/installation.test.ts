import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { thisInstallation } from '../../../src/compose/installation.ts';
import { SettingsError } from '../../../src/compose/settings.ts';

const ACCOUNT = `AC${'a'.repeat(32)}`;
let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'trunkline-installation-'));
  vi.stubEnv('TRUNKLINE_HOME', home);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true });
});

it('is where the settings put it', async () => {
  vi.stubEnv('TRUNKLINE_SIP', '0.0.0.0:6060');
  vi.stubEnv('TRUNKLINE_HTTP', '[::1]:9000');
  vi.stubEnv('TRUNKLINE_REGIONS', 'us1,au1');
  vi.stubEnv('TRUNKLINE_REGION_URL_AU1', 'http://sydney.internal:80');
  const installation = await thisInstallation();
  expect(installation).toMatchObject({
    front: 'http://[::1]:9000',
    regions: [
      { id: 'us1', url: 'http://[::1]:9001' },
      { id: 'au1', url: 'http://sydney.internal:80' },
    ],
    account: undefined,
  });
  expect(installation.edges.get('ashburn')).toEqual({ host: '127.0.0.1', port: 6060 });
  expect(installation.edges.get('sao-paulo-ix')).toEqual({ host: '127.0.0.1', port: 6090 });
  vi.stubEnv('TRUNKLINE_ADVERTISE', '192.0.2.7');
  expect((await thisInstallation()).edges.get('dublin')).toEqual({ host: '192.0.2.7', port: 6064 });
});

it('begins no home by looking at it', async () => {
  expect((await thisInstallation()).account).toBeUndefined();
  expect(await readdir(home)).toEqual([]);
});

it('knows the account of its home', async () => {
  const authTokens = { us1: 'token-us1', ie1: 'token-ie1', au1: 'token-au1' };
  const kept = { accountSid: ACCOUNT, authTokens, controlSecret: 'a secret of its own' };
  await writeFile(join(home, 'credentials.json'), JSON.stringify(kept));
  expect((await thisInstallation()).account).toEqual({
    sid: ACCOUNT,
    tokens: new Map(Object.entries(authTokens)),
  });
});

it('knows the account of the environment, with the tokens that it has', async () => {
  vi.stubEnv('TRUNKLINE_ACCOUNT_SID', ACCOUNT);
  expect((await thisInstallation()).account).toBeUndefined();
  vi.stubEnv('TRUNKLINE_AUTH_TOKEN_IE1', 'token-of-ie1-long-enough');
  expect((await thisInstallation()).account).toEqual({
    sid: ACCOUNT,
    tokens: new Map([['ie1', 'token-of-ie1-long-enough']]),
  });
});

it('says which setting cannot be used, and what a wrong Region is', async () => {
  vi.stubEnv('TRUNKLINE_REGIONS', 'us1,de1');
  await expect(thisInstallation()).rejects.toThrow(SettingsError);
  await expect(thisInstallation()).rejects.toThrow(
    /TRUNKLINE_REGIONS.*'de1' is the legacy name of the edge frankfurt.*never a Region/,
  );
});
