import { beforeEach, describe, expect, it } from 'vitest';
import { latin1, sdp } from './callee.ts';
import { answered, CHILD, nothingIsLeft, type World, world } from './world.ts';

const SILENT_MS = 4_000;

describe('a callee', () => {
  let w: World;
  beforeEach(async () => {
    w = await world();
    await w.call();
  });

  it('rings, answers, talks and hangs up', async () => {
    w.callee.respond(180);
    await w.settle();
    expect(w.told.progress).toEqual([[180, false]]);
    expect(w.relay.legs[0]?.remote).toBeUndefined();
    await answered(w, { headers: { 'X-Agent': latin1('Zoë'), Subject: 'no' } });
    expect(w.told.answered).toEqual([{ 'X-Agent': 'Zoë' }]);
    expect(w.relay.legs[0]).toMatchObject({
      remote: { address: '10.0.0.3', port: 6000 },
      direction: 'sendrecv',
    });
    w.callee.say('BYE', { headers: { 'X-Why': 'done', 'User-to-User': 'no' } });
    await w.settle();
    expect(w.callee.response.status).toBe(200);
    expect(w.told.ends).toEqual([{ callSid: CHILD, cause: 'peer-hangup', headers: { 'X-Why': 'done' } }]);
    expect(w.relay.legs[0]?.closed).toBe(true);
    expect(w.ends()).toEqual([]); // the worker writes the record
    await nothingIsLeft(w);
  });

  it.each([
    [302, 32219],
    [401, 32011],
    [404, 32011],
    [407, 32011],
    [480, undefined],
    [486, undefined],
    [487, undefined],
    [500, 32011],
    [503, 32011],
    [600, undefined],
    [603, undefined],
  ])('refuses with %d', async (status, code) => {
    w.callee.respond(180);
    w.callee.respond(status, { headers: { Contact: undefined, 'X-Why': 'so' } });
    await w.settle();
    expect(w.told.ends).toMatchObject([{ cause: 'rejected', sipStatus: status, headers: { 'X-Why': 'so' } }]);
    expect(w.told.ends[0]?.diagnostic?.code).toBe(code);
    expect(w.callee.methods).toContain('ACK');
    await nothingIsLeft(w);
  });

  it('says nothing at all: unreachable after four seconds', async () => {
    await w.clock.advance(SILENT_MS - 100);
    expect(w.told.ends).toEqual([]);
    await w.clock.advance(200);
    expect(w.told.ends).toMatchObject([{ cause: 'unreachable', diagnostic: { code: 32011 } }]);
    await nothingIsLeft(w);
  });

  it('is heard before it answers, and moves between its SDPs', async () => {
    w.callee.respond(183, { body: sdp({ port: 7000, payload: '8' }), toTag: 'one' });
    await w.settle();
    expect(w.told.progress).toEqual([[183, true]]);
    expect(w.told.formats).toMatchObject([{ codec: 'PCMA', dtmfPayloadType: undefined }]);
    expect(w.relay.legs[0]).toMatchObject({ remote: { port: 7000 } });
    w.relay.legs[0]?.onSilent?.(); // early media may pause
    w.callee.respond(183, { body: 'rubbish', toTag: 'one' });
    w.callee.respond(183, { body: sdp({ port: 7100 }), toTag: 'two' });
    await w.settle();
    expect(w.told.progress.slice(1)).toEqual([
      [183, false],
      [183, true],
    ]);
    expect(w.relay.legs[0]).toMatchObject({ remote: { port: 7100 }, format: { codec: 'PCMU' } });
    await answered(w, { toTag: 'two', body: sdp({ port: 7200 }) });
    expect(w.relay.legs[0]).toMatchObject({ remote: { port: 7200 } });
    expect(w.told.ends).toEqual([]);
  });

  it('may leave its SDP out of the 200 when it has sent one before', async () => {
    w.callee.respond(183, { body: sdp({ port: 7000 }) });
    await w.settle();
    await answered(w, { body: undefined });
    expect(w.told.answered).toEqual([{}]);
    expect(w.relay.legs[0]).toMatchObject({ remote: { port: 7000 } });
  });

  it.each([
    ['no SDP', undefined],
    ['no sense', 'v=0\r\nm=audio'],
    ['port 0', sdp({ port: 0 })],
    ['a codec that was not offered', sdp({ payload: '18' })],
    ['an address that is none', sdp({ address: '999.1.1.1' })],
    ['an address of another family', sdp({ address: '::1' })],
  ])('answers with %s: acknowledged, hung up on, and nothing else happens', async (_what, body) => {
    await answered(w, { body });
    expect(w.callee.methods.slice(-2)).toEqual(['ACK', 'BYE']);
    expect(w.told.answered).toEqual([]);
    expect(w.told.ends).toMatchObject([
      { cause: 'transport-failed', sipStatus: 200, diagnostic: { code: 32102 } },
    ]);
    w.callee.respond(200, {}, 'BYE');
    await nothingIsLeft(w);
  });

  it('answers on hold with 0.0.0.0 and is sent nothing until it comes back', async () => {
    await answered(w, { body: sdp({ address: '0.0.0.0' }) });
    expect(w.told.answered).toEqual([{}]);
    expect(w.relay.legs[0]?.direction).toBe('recvonly');
  });

  it('answers from two forks: one call, the other is hung up on', async () => {
    w.callee.respond(200, { toTag: 'one', body: sdp() });
    w.callee.respond(200, { toTag: 'two', body: sdp({ port: 9000 }) });
    await w.settle();
    expect(w.callee.methods.filter((method) => method === 'ACK')).toHaveLength(2);
    expect(w.callee.request('BYE').message.headers.get('To')).toContain('tag=two');
    expect(w.told.answered).toHaveLength(1);
    expect(w.relay.legs[0]).toMatchObject({ remote: { port: 6000 } });
  });

  it('falls silent after its answer', async () => {
    await answered(w);
    w.relay.legs[0]?.onSilent?.();
    await w.settle();
    expect(w.callee.methods).toContain('BYE');
    expect(w.told.ended).toEqual([[1, 'media-timeout']]);
  });

  it('asks to be referred elsewhere, is told 100 and then what becomes of it', async () => {
    await answered(w);
    w.callee.say('REFER', { headers: { 'Refer-To': '<sip:carol@10.0.0.9?X-A=1>' } });
    await w.settle();
    const sequence = w.callee.heard
      .slice(-2)
      .map(({ message }) => (message.kind === 'response' ? message.status : message.method));
    expect(sequence).toEqual([202, 'NOTIFY']);
    const first = w.callee.request('NOTIFY').message;
    expect(first.body).toBe('SIP/2.0 100 Trying\r\n');
    expect(first.headers.get('Event')).toBe('refer');
    expect(first.headers.get('Subscription-State')).toMatch(/^active/);
    expect(first.headers.get('Content-Type')).toBe('message/sipfrag;version=2.0');
    expect(w.told.refers).toEqual(['<sip:carol@10.0.0.9?X-A=1>']);
    w.callee.respond(200, {}, 'NOTIFY');
    const told = w.switchboard.handler.command(CHILD, 1, { verb: 'notify', status: 200 });
    await w.settle();
    expect(w.callee.request('NOTIFY').message.body).toBe('SIP/2.0 200 OK\r\n');
    expect(w.callee.request('NOTIFY').message.headers.get('Subscription-State')).toMatch(/^terminated/);
    w.callee.respond(200, {}, 'NOTIFY');
    await w.settle();
    expect(await told).toEqual({ status: 200 });
    await expect(w.switchboard.handler.command(CHILD, 1, { verb: 'notify', status: 200 })).rejects.toThrow(
      /no outcome/,
    );
  });

  const long = (length: number) => `<sip:${'c'.repeat(length - '<sip:@10.0.0.9>'.length)}@10.0.0.9>`;

  it.each([
    ['nobody', []],
    ['nothing', ['']],
    ['two on two lines', ['<sip:carol@10.0.0.9>', '<sip:dave@10.0.0.9>']],
    ['two on one line', ['<sip:carol@10.0.0.9>, <sip:dave@10.0.0.9>']],
    ['what is no URI', ['carol']],
    ['what is not closed', ['<sip:carol@10.0.0.9']],
    ['257 characters', [long(257)]],
  ])('asks for a transfer to %s', async (_whom, referTo) => {
    await answered(w);
    w.callee.say('REFER', { headers: { 'Refer-To': referTo } });
    await w.settle();
    expect(w.callee.response.status).toBe(400);
    expect(w.callee.methods).not.toContain('NOTIFY');
    expect(w.told.refers).toEqual([]);
  });

  it.each(['<http://x/>', 'sip:carol@10.0.0.9', '"Carol, at work" <sip:carol@10.0.0.9>', long(256)])(
    'asks for a transfer to %s, which is for its worker to judge',
    async (referTo) => {
      await answered(w);
      w.callee.say('REFER', { headers: { 'Refer-To': referTo } });
      await w.settle();
      expect(w.told.refers).toEqual([referTo]);
    },
  );
});
