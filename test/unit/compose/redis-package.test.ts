import { execFile, execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { notRun, peer } from '../../support/peers.ts';

const NOBODY = 65534;
const compose = new URL('../../../dist/src/compose/', import.meta.url);
const core = new URL('../../../dist/src/core/', import.meta.url);

/**
 * Becomes nobody, finds a Redis, starts it, tells what it runs on, stops it; or tells the one line a user would see.
 * The modules are loaded before: nobody may not be allowed to read this checkout.
 */
const PROGRAM = `
  import { readFileSync } from 'node:fs';
  import { join } from 'node:path';
  import { findRedis } from '${new URL('redis-package.js', compose)}';
  import { startRedis } from '${new URL('embedded-redis.js', compose)}';
  import { SystemClock } from '${new URL('clock.js', core)}';
  import { RandomIds } from '${new URL('ids.js', core)}';
  process.setgroups([]);
  process.setgid(${NOBODY});
  process.setuid(${NOBODY});
  const home = process.argv[1];
  const said = [];
  const logger = { info: (_, text) => said.push(text) };
  try {
    const binary = await findRedis(home, process.env, logger);
    const parts = { clock: new SystemClock(), ids: new RandomIds(), name: 'test', onExit: () => {} };
    const redis = await startRedis({ ...parts, binary, directory: join(home, 'redis', 'us1') });
    const maps = readFileSync('/proc/' + redis.pid + '/maps', 'utf8');
    await redis.stop();
    console.log(JSON.stringify({ said, path: binary.path, maps, uid: process.getuid() }));
  } catch (error) {
    console.log(JSON.stringify({ said, failure: error.message }));
  }
`;

const outcome = z.object({
  said: z.array(z.string()),
  path: z.string().optional(),
  maps: z.string().default(''),
  uid: z.number().optional(),
  failure: z.string().optional(),
});

/** Why a user without Redis cannot be played here; undefined: it can. */
function impossible(): string | undefined {
  if (process.platform !== 'linux' || !peer('apt-get') || !peer('dpkg')) return 'no apt-get here';
  if (process.getuid?.() !== 0) return 'only root can become another user';
  const elsewhere = ['/usr/local/bin', '/usr/sbin', '/opt/homebrew/bin'].flatMap((folder) =>
    ['redis-server', 'valkey-server'].flatMap((name) => namesIn(folder).filter((one) => one === name)),
  );
  if (elsewhere.length > 0) return 'a Redis is installed where it is always looked for';
  const scratch = mkdtempSync(join(tmpdir(), 'trunkline-apt-'));
  try {
    execFileSync('apt-get', ['download', 'liblzf1'], { cwd: scratch, stdio: 'ignore', timeout: 60_000 });
    return undefined;
  } catch {
    return 'apt-get cannot download packages here';
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // there is none
  }
}

/** Of dpkg's list of installed packages, those of the smallest Debian: the essential ones, apt, what they need. */
function bareSystem(status: string): string {
  const field = (entry: string, name: string) =>
    new RegExp(`^${name}: (.*)$`, 'm').exec(entry)?.[1]?.split(/[,|] */) ?? [];
  const names = (entry: string, ...fields: string[]) =>
    fields.flatMap((one) => field(entry, one)).map((text) => text.replace(/[ :].*/, ''));
  const entries = status.split('\n\n');
  const kept = new Set(entries.filter((one) => /^Essential: yes$|^Package: apt$/m.test(one)));
  for (const entry of kept) {
    const needed = new Set(names(entry, 'Depends', 'Pre-Depends'));
    for (const other of entries) {
      if (names(other, 'Package', 'Provides').some((name) => needed.has(name))) kept.add(other);
    }
  }
  return [...kept, ''].join('\n\n');
}

const reason = impossible();
if (reason) notRun('Redis for a user who is not root', reason);
else {
  describe('Redis for a user who is not root', () => {
    const scratch = mkdtempSync(join(tmpdir(), 'trunkline-bare-'));
    const path = join(scratch, 'bin');
    const status = join(scratch, 'status');

    beforeAll(() => {
      chmodSync(scratch, 0o755);
      mkdirSync(path);
      for (const name of readdirSync('/usr/bin'))
        if (!/redis|valkey|^brew$/.test(name)) symlinkSync(join('/usr/bin', name), join(path, name));
      writeFileSync(status, bareSystem(readFileSync('/var/lib/dpkg/status', 'utf8')));
    });
    afterAll(() => rmSync(scratch, { recursive: true, force: true }));

    /** Runs the program as nobody, in a home of its own, with these lines of apt's configuration. */
    async function asNobody(name: string, ...configuration: string[]) {
      const home = join(scratch, name);
      mkdirSync(home);
      chownSync(home, NOBODY, NOBODY);
      const conf = join(scratch, `${name}.conf`);
      writeFileSync(conf, [`Dir::State::status "${status}";`, ...configuration, ''].join('\n'));
      const started = performance.now();
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--input-type=module', '--eval', PROGRAM, '--', home],
        { cwd: home, env: { PATH: path, HOME: home, APT_CONFIG: conf } },
      );
      return { home, ms: performance.now() - started, ...outcome.parse(JSON.parse(stdout)) };
    }

    /** Libraries the running server had loaded, and from where. */
    const loaded = (maps: string) => [...new Set(maps.match(/\/\S+\.so[.\d]*$/gm) ?? [])];

    it('is unpacked into the home, with the libraries the machine lacks, and runs', async () => {
      const { home, said, failure, uid, maps, path: server } = await asNobody('fresh');
      expect(failure).toBeUndefined();
      expect(uid).toBe(NOBODY);
      expect(said).toEqual([expect.stringContaining(`into ${join(home, 'redis', 'package')}`)]);
      expect(server).toBe(join(home, 'redis/package/usr/bin/redis-server'));
      const own = loaded(maps).filter((file) => file.startsWith(home));
      for (const library of ['libatomic', 'libjemalloc', 'liblzf', 'libssl', 'libcrypto'])
        expect(own, library).toContainEqual(expect.stringContaining(`/${library}.so`));
      expect(loaded(maps)).toContainEqual(expect.stringMatching(/^\/(usr\/)?lib\/.*\/libc\.so/));
      expect(readdirSync(join(home, 'redis')).sort()).toEqual(['package', 'us1']);
    });

    it('is found without package lists, which only root may renew', async () => {
      const empty = join(scratch, 'lists');
      mkdirSync(join(empty, 'partial'), { recursive: true });
      const { home, failure, path: server } = await asNobody('no-lists', `Dir::State::lists "${empty}";`);
      expect(failure).toBeUndefined();
      expect(server).toBe(join(home, 'redis/package/usr/bin/redis-server'));
      expect(readdirSync(join(home, 'redis/package')).sort()).not.toContain('apt');
    });

    it('is missed in one line that says what to do, when nothing can be downloaded', async () => {
      const empty = join(scratch, 'no-lists-either');
      mkdirSync(join(empty, 'partial'), { recursive: true });
      const { home, failure, ms } = await asNobody(
        'offline',
        `Dir::State::lists "${empty}";`,
        ...['http', 'https'].map((scheme) => `Acquire::${scheme}::Proxy "http://127.0.0.1:9";`),
      );
      expect(failure?.split('\n')).toHaveLength(1);
      expect(failure).toMatch(/apt-get install redis-server.*REDIS_URL/);
      expect(failure).toMatch(/E: /); // apt's own reason
      expect(ms).toBeLessThan(120_000);
      expect(readdirSync(join(home, 'redis'))).toEqual([]);
    });
  });
}
