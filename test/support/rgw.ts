import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { peer } from './peers.ts';
import { until } from './until.ts';

/** What the start script uses; all of Debian's ceph-mon, ceph-osd, radosgw and ceph-common. */
const PROGRAMS = [
  'ceph-mon',
  'ceph-osd',
  'radosgw',
  'radosgw-admin',
  'ceph',
  'monmaptool',
  'ceph-authtool',
  'curl',
];

const SCRIPT = fileURLToPath(new URL('../peers/s3/rgw-start.sh', import.meta.url));

export interface S3Key {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface TestS3 extends S3Key {
  readonly endpoint: string;
  /** Makes another user, who sees nothing of anybody else's. */
  addUser(name: string): Promise<S3Key>;
  stop(): Promise<void>;
}

/** Why Ceph RGW cannot be started here, or undefined when it can. */
export function rgwMissing(): string | undefined {
  const missing = PROGRAMS.filter((name) => !peer(name));
  if (missing.length > 0)
    return `${missing.join(', ')} not installed (apt-get install ceph-mon ceph-osd radosgw ceph-common curl)`;
  return process.getuid?.() === 0 ? undefined : 'its single-node set-up needs root';
}

/** A real S3 server of one's own: single-node Ceph RGW that stores in memory. Takes about 12 s to start. */
export async function startRgw(): Promise<TestS3> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-rgw-'));
  const port = await freePort();
  const env = { ...process.env, D: folder, RGW_PORT: String(port), MON_PORT: String(await freePort()) };
  const stop = async () => {
    for (const pid of await pids(folder)) kill(pid);
    await until('RGW to end', async () => (await pids(folder)).every((pid) => !kill(pid, 0)));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await promisify(execFile)('bash', [SCRIPT], { env, timeout: 90_000 });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    endpoint: `http://127.0.0.1:${port}`,
    accessKeyId: 'testkey',
    secretAccessKey: 'testsecret',
    async addUser(name) {
      const key = { accessKeyId: `${name}key`, secretAccessKey: `${name}secret` };
      const user = [`--uid=${name}`, `--display-name=${name}`];
      const secrets = [`--access-key=${key.accessKeyId}`, `--secret-key=${key.secretAccessKey}`];
      const create = ['-c', join(folder, 'ceph.conf'), 'user', 'create', ...user, ...secrets];
      await promisify(execFile)('radosgw-admin', create, { timeout: 60_000 });
      return key;
    },
    stop,
  };
}

/** The processes that this folder's instance wrote down. */
async function pids(folder: string): Promise<readonly number[]> {
  const out = join(folder, 'out');
  const names = await readdir(out).catch((): string[] => []);
  const files = names.filter((name) => name.endsWith('.pid'));
  const texts = await Promise.all(files.map((name) => readFile(join(out, name), 'utf8').catch(() => '')));
  return texts.map(Number).filter((pid) => pid > 1);
}

function kill(pid: number, signal: NodeJS.Signals | 0 = 'SIGKILL'): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false; // it has ended
  }
}
