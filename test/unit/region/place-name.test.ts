import { describe, expect, it } from 'vitest';
import { notARegion, readPlaceName } from '../../../src/region/place-name.ts';

describe('the name of a place', () => {
  it.each([
    ['us1', { kind: 'region', region: 'us1' }],
    ['IE1', { kind: 'region', region: 'ie1', says: expect.stringContaining('lower case') }],
    ['au1', { kind: 'region', says: expect.stringContaining('the edge sydney') }],
    ['us2', { kind: 'edge', edge: 'umatilla', legacy: true }],
    [
      'de1',
      { kind: 'edge', edge: 'frankfurt', legacy: true, says: expect.stringContaining('never a Region') },
    ],
    ['sg1', { kind: 'edge', edge: 'singapore', legacy: true }],
    ['jp1', { kind: 'edge', edge: 'tokyo', legacy: true }],
    ['br1', { kind: 'edge', edge: 'sao-paulo', legacy: true }],
    ['de1-ix', { kind: 'edge', edge: 'frankfurt-ix', says: expect.stringContaining('Interconnect') }],
    ['dublin', { kind: 'edge', edge: 'dublin', legacy: false }],
    ['jp2', { kind: 'neither', known: true, says: expect.stringContaining('Osaka') }],
    ['gll', { kind: 'neither', known: true, says: expect.stringContaining('roaming') }],
    ['roaming', { kind: 'neither', known: true, says: expect.stringContaining('nearest') }],
    ['london', { kind: 'neither', known: true, says: expect.stringContaining('london-ix') }],
    ['us1-tnx', { kind: 'neither', known: true, says: expect.stringContaining('ashburn-ix') }],
    ['us2-tnx', { kind: 'neither', known: true, says: expect.stringContaining('ashburn-ix') }],
    ['ie1-tnx', { kind: 'neither', known: true, says: expect.stringContaining('london-ix') }],
    ['sg1-tnx', { kind: 'neither', known: true, says: expect.stringContaining('singapore-ix') }],
    ['mars', { kind: 'neither', known: false }],
    ['constructor', { kind: 'neither', known: false }],
  ])('%s', (text, meaning) => {
    expect(readPlaceName(text)).toMatchObject(meaning);
  });

  it.each(['us2', 'ie2', 'de1', 'sg1', 'jp1', 'jp2', 'br1', 'gll', 'roaming', 'london'])(
    '%s is refused as a Region, with what it is and which there are',
    (text) => {
      expect(notARegion(text)).toMatch(/^'[a-z0-9]+' (is|stood) .*\. The Regions are us1, ie1, au1\.$/);
    },
  );
});
