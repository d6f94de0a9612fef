import { describe, expect, test } from 'vitest';
import { type OutboundInvite, type SipDialog, SipEnded } from '../../../../src/sip/agent/port.ts';
import { parseCredentials, passwordHash, verifyCredentials } from '../../../../src/sip/digest/digest.ts';
import type { SipRequest } from '../../../../src/sip/message/message.ts';
import { OFFER, type World, world } from './support.ts';

const CREDENTIALS = { username: 'ann', password: 's3cret' };

const call = (w: World, password = CREDENTIALS.password): OutboundInvite =>
  w.agent.invite({
    listener: w.listener,
    uri: 'sip:callee@10.0.0.2',
    from: '<sip:ann@example.com>',
    body: OFFER,
    credentials: { ...CREDENTIALS, password },
  });

const digest = (nonce: string, rest = '', realm = 'pbx') =>
  `Digest realm="${realm}", nonce="${nonce}"${rest}`;
const SHA = ', algorithm=SHA-256, qop="auth"';

type Challenge = readonly [status: 401 | 407, challenges: readonly string[]];

const named = (status: number) => (status === 407 ? 'Proxy-Auth' : 'WWW-Auth');

/** What the request claims, believed when it was made with the right password. */
function claimed(request: SipRequest, status: 401 | 407) {
  const value = request.headers.get(status === 407 ? 'Proxy-Authorization' : 'Authorization');
  const claim = value === undefined ? undefined : parseCredentials(value);
  if (!claim) return undefined;
  const secret = passwordHash(claim.algorithm, CREDENTIALS, claim.realm);
  const { algorithm, nonce, use, uri, fields } = claim;
  const believed = verifyCredentials(claim, secret, request.method) && uri === request.uri;
  return { algorithm, nonce, use, opaque: fields.get('opaque'), believed };
}

/** Challenges the last INVITE with each in turn; resolves with the INVITEs heard and how it ended so far. */
async function challenge(w: World, outbound: OutboundInvite, challenges: readonly Challenge[]) {
  let end = '';
  outbound.answered.catch((reason: unknown) => {
    if (reason instanceof SipEnded) end = `${reason.cause} ${reason.status}`;
  });
  await w.settle();
  for (const [status, lines] of challenges) {
    const headers = { [`${named(status)}enticate`]: lines };
    w.peer.respond(w.peer.lastRequest('INVITE'), status, { headers });
    await w.settle();
  }
  const invites = w.peer.heard.filter((one) => one.kind === 'request' && one.method === 'INVITE');
  return { end, sent: invites.length };
}

describe('challenges of an INVITE', () => {
  const table: readonly (readonly [what: string, challenges: readonly Challenge[], answer: object])[] = [
    ['MD5 by default, no qop', [[401, [digest('n')]]], { algorithm: 'MD5', use: undefined }],
    [
      'MD5 with qop and opaque',
      [[407, [digest('n', ', qop="auth,auth-int", opaque="o p"')]]],
      { use: 1, opaque: 'o p' },
    ],
    ['SHA-256', [[401, [digest('n', SHA)]]], { algorithm: 'SHA-256', use: 1 }],
    [
      'several: the strongest, wherever it stands',
      [
        [
          401,
          ['Basic realm="pbx"', digest('weak'), digest('n', SHA), digest('x', ', algorithm=SHA-512-256')],
        ],
      ],
      { algorithm: 'SHA-256' },
    ],
    [
      'only the nonce was stale',
      [
        [401, [digest('old', SHA)]],
        [401, [digest('n', `${SHA}, stale=TRUE`)]],
      ],
      { nonce: 'n', use: 1 },
    ],
    [
      'a proxy, then the callee: both are answered',
      [
        [407, [digest('proxy', SHA, 'proxy')]],
        [401, [digest('n', SHA)]],
      ],
      { nonce: 'n', use: 1 },
    ],
  ];

  test.each(table)('%s', async (_, challenges, answer) => {
    const w = await world();
    const outbound = call(w);
    const { end, sent } = await challenge(w, outbound, challenges);
    expect([end, sent]).toEqual(['', challenges.length + 1]);
    const invite = w.peer.lastRequest('INVITE');
    const [status] = challenges.at(-1) ?? [401];
    expect(claimed(invite, status)).toMatchObject({ nonce: 'n', believed: true, ...answer });
    expect(invite.headers.get('cseq')).toBe(`${sent} INVITE`);
    w.peer.respond(invite, 200);
    await w.settle();
    await outbound.answered;
    for (const name of ['authorization', 'proxy-authorization'])
      expect(w.peer.lastRequest('ACK').headers.get(name)).toBe(invite.headers.get(name)); // §13.2.2.4
  });

  test('the proxy’s nonce is counted on when the callee asks, too', async () => {
    const w = await world();
    await challenge(w, call(w), [
      [407, [digest('proxy', SHA, 'proxy')]],
      [401, [digest('n', SHA)]],
    ]);
    const proxy = claimed(w.peer.lastRequest('INVITE'), 407);
    expect(proxy).toMatchObject({ nonce: 'proxy', use: 2, believed: true });
  });

  const refusals: readonly (readonly [
    what: string,
    challenges: readonly Challenge[],
    end: string,
    sent: number,
  ])[] = [
    [
      'a wrong password',
      [
        [401, [digest('a', SHA)]],
        [401, [digest('b', SHA)]],
      ],
      'rejected 401',
      2,
    ],
    [
      'a wrong password at a proxy',
      [
        [407, [digest('a')]],
        [407, [digest('b')]],
      ],
      'rejected 407',
      2,
    ],
    [
      'a nonce that is stale for ever',
      [
        [401, [digest('a', SHA)]],
        [401, [digest('b', `${SHA}, stale=true`)]],
        [401, [digest('c', `${SHA}, stale=true`)]],
      ],
      'rejected 401',
      3,
    ],
    [
      'nothing that we know',
      [[401, ['Basic realm="x"', digest('n', ', qop="auth-int"')]]],
      'rejected 401',
      1,
    ],
    ['no challenge at all', [[401, []]], 'rejected 401', 1],
    ['the other header', [[407, []]], 'rejected 407', 1],
  ];

  test.each(refusals)('%s ends it', async (_, challenges, end, sent) => {
    const w = await world();
    expect(await challenge(w, call(w, 'guess'), challenges)).toEqual({ end, sent });
  });

  test('a redirection begins anew: the old answers stay, the new place may ask', async () => {
    const w = await world();
    const outbound = w.agent.invite({
      listener: w.listener,
      uri: 'sip:callee@10.0.0.2',
      from: '<sip:ann@example.com>',
      credentials: CREDENTIALS,
      redirect: ([contact = '']) => ({ uri: contact }),
    });
    await challenge(w, outbound, [[401, [digest('a')]]]);
    w.peer.respond(w.peer.lastRequest('INVITE'), 302, { headers: { Contact: '<sip:new@10.0.0.2>' } });
    await w.settle();
    const redirected = w.peer.lastRequest('INVITE');
    expect([redirected.uri, redirected.headers.has('authorization')]).toEqual(['sip:new@10.0.0.2', false]);
    const { end } = await challenge(w, outbound, [[401, [digest('b')]]]);
    expect([end, claimed(w.peer.lastRequest('INVITE'), 401)]).toMatchObject([
      '',
      { nonce: 'b', believed: true },
    ]);
  });
});

describe('challenges within a dialog', () => {
  const requests: readonly (readonly [method: string, send: (dialog: SipDialog) => Promise<number>])[] = [
    ['INVITE', async (dialog) => (await dialog.reinvite(OFFER)).status],
    [
      'REFER',
      async (dialog) => (await dialog.request('REFER', { headers: { 'Refer-To': '<sip:x@y>' } })).status,
    ],
    ['BYE', (dialog) => dialog.bye({ 'X-Why': 'done' })],
  ];

  test.each(requests)(
    '%s is answered, stale nonces included, and given up after that',
    async (method, send) => {
      const w = await world();
      const outbound = call(w);
      await w.settle();
      w.peer.respond(w.peer.lastRequest('INVITE'), 200);
      await w.settle();
      const { dialog } = await outbound.answered;
      const sent = send(dialog);
      for (const rest of ['', ', stale=true', '']) {
        await w.settle();
        const headers = { 'Proxy-Authenticate': [digest('weak'), digest(`n${rest}`, `${SHA}${rest}`)] };
        w.peer.respond(w.peer.lastRequest(method), 407, { headers });
      }
      await w.settle();
      const last = w.peer.lastRequest(method);
      expect(claimed(last, 407)).toMatchObject({ nonce: 'n, stale=true', use: 1, believed: true });
      expect(last.headers.get('cseq')).toBe(`4 ${method}`);
      const given: Readonly<Record<string, string>> = { BYE: 'x-why', REFER: 'refer-to', INVITE: 'contact' };
      expect(last.headers.has(given[method] ?? '')).toBe(true);
      expect(await sent).toBe(407);
    },
  );
});

describe('both at once', () => {
  test('BYE crossing BYE: both are 200, and nothing is left', async () => {
    const w = await world();
    const { dialog, toTag } = await w.answeredCall();
    const bye = dialog.bye();
    w.peer.request('BYE', { toTag, cseq: 2 });
    await w.settle();
    expect([w.peer.statuses.at(-1), w.peer.methods]).toEqual([200, ['BYE']]);
    w.peer.respond(w.peer.lastRequest('BYE'), 481);
    await w.settle();
    expect(await bye).toBe(481);
    expect(dialog.ended.reason).toMatchObject({ cause: 'local-bye' });
    expect(w.agent.census().dialogs).toBe(0);
  });

  test('re-INVITE crossing re-INVITE: 491 both ways, and ours is sent again later', async () => {
    const w = await world();
    const { dialog, toTag } = await w.answeredCall();
    dialog.onOffer = () => ({ status: 200, body: OFFER });
    const ours = dialog.reinvite(OFFER);
    w.peer.request('INVITE', { toTag, cseq: 2, body: OFFER });
    await w.settle();
    expect(w.peer.statuses.at(-1)).toBe(491);
    w.peer.respond(w.peer.lastRequest('INVITE'), 491);
    await w.clock.advance(4_100);
    expect(w.peer.lastRequest('INVITE').headers.get('cseq')).toBe('2 INVITE');
    w.peer.respond(w.peer.lastRequest('INVITE'), 200);
    await w.settle();
    expect((await ours).status).toBe(200);
  });

  test('a peer that CANCELs what it was called with cancels nothing', async () => {
    const w = await world();
    const outbound = call(w);
    await w.settle();
    const invite = w.peer.lastRequest('INVITE');
    w.peer.respond(invite, 180);
    w.peer.request('CANCEL', { callId: outbound.callId });
    await w.settle();
    expect(w.peer.statuses).toEqual([481]);
    w.peer.respond(invite, 200);
    await w.settle();
    expect((await outbound.answered).dialog.ended.aborted).toBe(false);
  });
});
