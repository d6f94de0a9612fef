import { expect, test } from 'vitest';
import { tagOf } from '../../../../src/sip/message/name-addr.ts';
import { ANSWER, OFFER, type RequestParts, world } from './support.ts';

const LAN = '192.168.1.20:5062';
const behind = {
  via: `SIP/2.0/UDP ${LAN};branch=z9hG4bKone;rport`,
  headers: { Contact: `<sip:ann@${LAN}>` },
};

/** Whether our BYE reached the caller at the address that it called from. */
async function reachedWith(parts: RequestParts): Promise<boolean> {
  const w = await world();
  w.peer.request('INVITE', { body: OFFER, ...parts });
  await w.settle();
  const dialog = w.invites[0]?.accept(ANSWER);
  await w.settle();
  // Answers to a Via without rport go where it says: the tag is then known from the dialog alone.
  const toTag = dialog?.localTag ?? tagOf(w.peer.lastResponse(200).headers.get('to') ?? '');
  w.peer.request('ACK', { ...parts, toTag, via: 'SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKack;rport' });
  await w.settle();
  dialog?.bye().catch(() => {});
  await w.settle();
  return w.peer.methods.includes('BYE');
}

test('a caller behind NAT hears our BYE where it called from, over UDP', async () => {
  expect(await reachedWith(behind)).toBe(true);
});

test.each<[string, RequestParts]>([
  ['its Contact is another host than its Via', { ...behind, headers: { Contact: '<sip:ann@192.168.1.99>' } }],
  ['its Contact is a name', { ...behind, headers: { Contact: '<sip:ann@pbx.example.com>' } }],
  ['it does not ask for symmetric responses', { ...behind, via: `SIP/2.0/UDP ${LAN};branch=z9hG4bKone` }],
  [
    'a proxy stands between',
    {
      ...behind,
      headers: { ...behind.headers, 'Record-Route': '<sip:192.168.1.1;lr>' },
    },
  ],
])('it is called where it says when %s', async (_, parts) => {
  expect(await reachedWith(parts)).toBe(false);
});
