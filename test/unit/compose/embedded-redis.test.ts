import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, it } from 'vitest';
import { startRedis } from '../../../src/compose/embedded-redis.ts';
import { findRedis } from '../../../src/compose/redis-package.ts';
import { SystemClock } from '../../../src/core/clock.ts';
import { RandomIds } from '../../../src/core/ids.ts';
import { silentLogger } from '../../../src/core/logger.ts';

const directory = mkdtempSync(join(tmpdir(), 'embedded-redis-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const parts = {
  directory,
  name: 'test',
  clock: new SystemClock(),
  ids: new RandomIds(),
  onRestart: () => {},
  onExit: () => {},
};

async function withClient<T>(url: string, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url);
  client.on('error', () => {}); // the command's own rejection is what is looked at
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

describe('the embedded Redis', () => {
  it('keeps its data over a stop and a start, and goes on with one that was left running', async () => {
    const binary = await findRedis(directory, process.env, silentLogger);
    const first = await startRedis({ ...parts, binary });
    await withClient(first.url, (client) => client.set('kept', 'yes'));
    await first.stop();

    const second = await startRedis({ ...parts, binary });
    expect(await withClient(second.url, (client) => client.get('kept'))).toBe('yes');

    const adopted = await startRedis({ ...parts, binary });
    expect(adopted.pid).toBe(second.pid);
    await second.stop();
  });

  it('asks for its password', async () => {
    const binary = await findRedis(directory, process.env, silentLogger);
    const redis = await startRedis({ ...parts, binary });
    const stranger = new URL(redis.url);
    stranger.password = '';
    await expect(withClient(stranger.href, (client) => client.get('kept'))).rejects.toThrow('NOAUTH');
    await redis.stop();
  });

  it('that dies is started again on its data, where its clients look for it', async () => {
    const binary = await findRedis(directory, process.env, silentLogger);
    let again = (_pid: number) => {};
    const restarted = new Promise<number>((resolve) => {
      again = resolve;
    });
    const redis = await startRedis({ ...parts, binary, onRestart: (pid) => again(pid) });
    await withClient(redis.url, async (client) => {
      await client.set('before', 'yes');
      await client.config('SET', 'appendfsync', 'always');
      await client.set('synced', 'yes');
    });
    process.kill(redis.pid, 'SIGKILL');
    const pid = await restarted;
    expect(pid).not.toBe(redis.pid);
    expect(await withClient(redis.url, (client) => client.get('before'))).toBe('yes');
    const adopted = await startRedis({ ...parts, binary });
    expect(adopted.pid).toBe(pid);
    await redis.stop();
  });
});
