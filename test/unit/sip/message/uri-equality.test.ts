import { expect, test } from 'vitest';
import { parseUri } from '../../../../src/sip/message/uri.ts';
import { isSameUri } from '../../../../src/sip/message/uri-equality.ts';

/** RFC 3261 §19.1.4, its examples. */
test.each([
  ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp', true],
  ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5', true],
  ['sip:carol@chicago.com', 'sip:carol@chicago.com;security=on', true],
  ['sip:carol@chicago.com;newparam=5', 'sip:carol@chicago.com;security=on', true],
  [
    'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
    'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    true,
  ],
  [
    'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
    'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
    true,
  ],
  ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP', false],
  ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060', false],
  ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp', false],
  ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp', false],
  ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting', false],
  ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4', false],
  ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off', false],
  ['sip:bob@biloxi.com', 'sips:bob@biloxi.com', false],
  ['sip:bob@[2001:DB8::1]', 'sip:bob@[2001:db8::1]', true],
])('%s and %s: %s', (one, other, same) => {
  const [first, second] = [parseUri(one), parseUri(other)];
  if (!first || !second) throw new Error('the RFC’s own examples can be read');
  expect(isSameUri(first, second)).toBe(same);
  expect(isSameUri(second, first)).toBe(same);
});
