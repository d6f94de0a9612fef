import { expect, it } from 'vitest';
import { publicLookup } from '../../../src/compose/public-lookup.ts';

const lookup = publicLookup(async (host) => (host === 'mixed' ? ['10.0.0.1', '8.8.8.8'] : ['127.0.0.1']));

it('gives the public addresses of a host and leaves out its private ones', async () => {
  expect(await lookup('mixed')).toEqual(['8.8.8.8']);
});

it('says why a host with none has no address', async () => {
  await expect(lookup('private')).rejects.toThrow(/TRUNKLINE_ALLOW_PRIVATE/);
});
