import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { sleep, VirtualClock } from '../../../src/core/clock.ts';

it('stands still for what takes real time, and goes on behind it', async () => {
  const server = createServer((_request, response) => response.end('real'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const clock = new VirtualClock();
  const begun = clock.monotonic();
  const asks = async () => {
    await sleep(clock, 1_000);
    const text = await clock.hold(fetch(`http://127.0.0.1:${port}/`).then((answer) => answer.text()));
    return `${text} at ${clock.monotonic() - begun}`;
  };
  const later = sleep(clock, 1_500).then(() => `virtual at ${clock.monotonic() - begun}`);
  expect(await clock.run(Promise.race([asks(), later]))).toBe('real at 1000');
  expect(await clock.run(later)).toBe('virtual at 1500');
  await new Promise((resolve) => server.close(resolve));
});

it('goes on when what it was held for fails', async () => {
  const clock = new VirtualClock();
  const failed = clock.hold(Promise.reject(new Error('refused'))).catch(() => sleep(clock, 10));
  await clock.run(failed);
  expect(clock.monotonic()).toBe(10);
});

it('says that nothing can end a run any more', async () => {
  await expect(new VirtualClock().run(new Promise(() => {}))).rejects.toThrow('virtual time stands still');
});
