import { expect, it } from 'vitest';
import { bindUdp } from '../../../../src/media/threads/udp.ts';
import { until } from '../../../support/until.ts';

const open = () => process.getActiveResourcesInfo().filter((kind) => kind === 'UDPWrap').length;

it('a port that is taken costs no socket', async () => {
  const before = open();
  const taken = await bindUdp('127.0.0.1', 0, () => {});
  await expect(bindUdp('127.0.0.1', taken.endpoint.port, () => {})).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
  await taken.close();
  await until('no socket left', () => open() === before);
});
