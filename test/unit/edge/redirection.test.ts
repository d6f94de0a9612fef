import { describe, expect, it } from 'vitest';
import { Callee, sdp } from './callee.ts';
import { nothingIsLeft, world } from './world.ts';

describe('a redirection', () => {
  const elsewhere = { address: '10.0.0.4', port: 5090 };
  const redirected = async (contact: string, overrides: Parameters<typeof world>[0] = {}) => {
    const w = await world({ carrier: 'sip:10.0.0.3:5080', ...overrides });
    const other = await new Callee(elsewhere).bind(w.network, 'udp', w.clock);
    await (overrides.allowPrivate === false
      ? w.call({ number: '+442079460000' }) // the carrier may be private, what it names may not
      : w.call());
    w.callee.respond(302, { headers: { Contact: contact } });
    await w.settle();
    return { w, other };
  };

  it('is followed once, to the first Contact, without what only documents may say', async () => {
    const { w, other } = await redirected('<sip:carol@10.0.0.4:5090;edge=tokyo;tnx=TX1;a=b?X-A=1>');
    const { message } = other.request('INVITE');
    expect(message.uri).toBe('sip:carol@10.0.0.4:5090;a=b');
    expect(message.headers.has('X-A')).toBe(false);
    expect(message.headers.get('Call-ID')).toBe(w.callee.request('INVITE').message.headers.get('Call-ID'));
    other.respond(302, { headers: { Contact: '<sip:dave@10.0.0.3:5080>' } });
    await w.settle();
    expect(w.told.ends).toMatchObject([
      { cause: 'rejected', sipStatus: 302, diagnostic: { code: 32219, level: 'error' } },
    ]);
    await nothingIsLeft(w);
  });

  it('is followed to the first Contact of the message, whatever its q', async () => {
    const { other } = await redirected('<sip:carol@10.0.0.4:5090>;q=0.1, <sip:dave@10.0.0.3:5080>;q=0.9');
    expect(other.request('INVITE').message.uri).toBe('sip:carol@10.0.0.4:5090');
  });

  it.each([
    ['to a host of Twilio', '<sip:carol@acme.sip.twilio.com>', {}],
    ['to a host of ours', '<sip:carol@sip.trunkline.localhost>', {}],
    ['to a host of ours by maddr', '<sip:carol@10.0.0.4:5090;maddr=sip.trunkline.localhost>', {}],
    ['to a socket of ours', '<sip:+12025550143@10.0.0.1:5062>', {}],
    ['to a socket of ours at the default port', '<sip:carol@10.0.0.1>', {}],
    ['to a socket of ours over TCP', '<sip:carol@10.0.0.1;transport=tcp>', {}],
    ['to a socket of ours by maddr', '<sip:carol@example.com:5062;maddr=10.0.0.1>', {}],
    ['to a Contact that cannot be read', '<sip:carol', {}],
    ['past one that cannot be read', '"carol, <sip:carol@10.0.0.4:5090>', {}],
    ['to TLS', '<sips:carol@10.0.0.4>', {}],
    ['to what is no SIP URI', '<tel:+12025550100>', {}],
    ['past the first Contact', '<tel:+12025550100>;q=0.1, <sip:carol@10.0.0.4:5090>', {}],
    ['to a private address', '<sip:carol@10.0.0.4:5090>', { allowPrivate: false }],
  ])('is not followed %s', async (_what, contact, overrides) => {
    const { w, other } = await redirected(contact, overrides);
    expect(other.heard).toEqual([]);
    expect(w.told.ends).toMatchObject([{ sipStatus: 302, diagnostic: { code: 32219 } }]);
  });
});

it('hangs up on a callee whose Contact may not be called', async () => {
  const w = await world({ allowPrivate: false });
  const public_ = await new Callee({ address: '8.8.8.8', port: 5060 }).bind(w.network, 'udp', w.clock);
  await w.call({ uri: 'sip:bob@8.8.8.8' });
  public_.respond(200, { body: sdp(), headers: { Contact: '<sip:bob@192.168.1.5>' } });
  await w.settle();
  expect(w.told.answered).toEqual([]);
  expect(w.told.ends).toMatchObject([{ diagnostic: { code: 32105 } }]);
});

it('hangs up on a callee whose Contact cannot be used', async () => {
  const w = await world();
  await w.call();
  w.callee.respond(200, { body: sdp(), headers: { Contact: '<sip:bob' } });
  await w.settle();
  expect(w.callee.methods).toEqual(['INVITE', 'ACK', 'BYE']);
  expect(w.callee.request('ACK').message.uri).toBe('sip:bob@10.0.0.3:5080');
  w.callee.respond(200, {}, 'BYE');
  await w.settle();
  expect(w.told.answered).toEqual([]);
  expect(w.told.ends).toMatchObject([
    { cause: 'transport-failed', sipStatus: 200, diagnostic: { code: 32105, level: 'warning' } },
  ]);
  await nothingIsLeft(w);
});
