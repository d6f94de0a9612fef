import { describe, expect, test } from 'vitest';
import { type InviteOptions, type OutboundInvite, SipEnded } from '../../../../src/sip/agent/port.ts';
import type { ResponseParts } from '../../../../src/sip/message/build.ts';
import { tagOf } from '../../../../src/sip/message/name-addr.ts';
import { ANSWER, LINGER, OFFER, Peer, type World, world } from './support.ts';

const EMPTY = { serverTransactions: 0, clientTransactions: 0, dialogs: 0, timers: 0, connections: 0 };
const SDP = { body: ANSWER, contentType: 'application/sdp' };

/** What a peer does next: answers the last INVITE, or lets this many milliseconds pass. */
type Act = readonly [status: number, parts?: ResponseParts] | { readonly wait: number } | 'cancel';

interface Outcome {
  /** `answered by <tag>`, or cause and status of the end. */
  readonly end: string;
  /** Statuses of what onProgress was given, with the tag of the fork. */
  readonly progress: readonly string[];
  /** Methods the peer heard, INVITEs sent again left out. */
  readonly heard: readonly string[];
}

const call = (w: World, options: Partial<InviteOptions> = {}): OutboundInvite =>
  w.agent.invite({
    listener: w.listener,
    uri: 'sip:callee@10.0.0.2',
    from: '<sip:ann@example.com>',
    body: OFFER,
    ...options,
  });

function watch(outbound: OutboundInvite): { end: string; reason: unknown; progress: string[] } {
  const seen: ReturnType<typeof watch> = { end: 'none', reason: undefined, progress: [] };
  outbound.onProgress = ({ status, headers }) => {
    seen.progress.push(`${status} ${tagOf(headers.get('to') ?? '')}`);
  };
  outbound.answered.then(
    ({ dialog }) => {
      seen.end = `answered by ${dialog.remoteTag}`;
    },
    (reason: unknown) => {
      seen.reason = reason;
      if (reason instanceof SipEnded) seen.end = `${reason.cause} ${reason.status}`;
    },
  );
  return seen;
}

/** Plays a peer's part to the end, answering CANCEL and BYE as any peer would; then nothing may be left. */
async function play(
  transport: 'udp' | 'tcp',
  acts: readonly Act[],
  options: Partial<InviteOptions>,
): Promise<Outcome> {
  const w = await world({ transport });
  const outbound = call(w, options);
  const seen = watch(outbound);
  await w.settle();
  const answered = new Set<unknown>();
  for (const act of acts) {
    if (act === 'cancel') outbound.cancel();
    else if ('wait' in act) await w.clock.advance(act.wait);
    else w.peer.respond(w.peer.lastRequest('INVITE'), act[0], act[1]);
    await w.settle();
    for (const message of w.peer.heard) {
      if (message.kind !== 'request' || answered.has(message)) continue;
      if (message.method !== 'CANCEL' && message.method !== 'BYE') continue;
      answered.add(message);
      w.peer.respond(message, 200);
    }
    await w.settle();
  }
  const heard = w.peer.methods.filter((method, n, all) => method !== 'INVITE' || all[n - 1] !== 'INVITE');
  const { end, progress } = seen;
  await outbound.answered.then(
    async ({ dialog }) => {
      const bye = dialog.bye();
      await w.settle();
      w.peer.respond(w.peer.lastRequest('BYE'), 200);
      await w.settle();
      await bye;
    },
    () => {},
  );
  await w.clock.advance(2 * LINGER);
  expect({ ...w.agent.census(), connections: 0 }).toEqual(EMPTY);
  expect(w.errors).toEqual([]);
  return { end, progress, heard };
}

describe.each(['udp', 'tcp'] as const)(
  'what a callee does, and what becomes of the INVITE, over %s',
  (transport) => {
    const uri = transport === 'tcp' ? 'sip:callee@10.0.0.2;transport=tcp' : 'sip:callee@10.0.0.2';
    const elsewhere = { headers: { Contact: '<sip:elsewhere@10.0.0.2>' } };
    const rings: Act = [180];
    const table: readonly (readonly [
      name: string,
      acts: readonly Act[],
      outcome: Outcome,
      options?: Partial<InviteOptions>,
    ])[] = [
      [
        'answers at once',
        [[200, SDP]],
        { end: 'answered by callee', progress: [], heard: ['INVITE', 'ACK'] },
      ],
      [
        'tries, rings, plays early audio, answers',
        [[100], rings, [183, SDP], [180], [200, SDP]],
        {
          end: 'answered by callee',
          progress: ['180 callee', '183 callee', '180 callee'],
          heard: ['INVITE', 'ACK'],
        },
      ],
      ...[400, 401, 404, 407, 480, 486, 487, 488, 500, 503, 600, 603].map(
        (status) =>
          [
            `refuses with ${status}`,
            [rings, [status]] as const,
            { end: `rejected ${status}`, progress: ['180 callee'], heard: ['INVITE', 'ACK'] },
          ] as const,
      ),
      [
        'redirects, and nobody said to follow',
        [[302, elsewhere]],
        { end: 'rejected 302', progress: [], heard: ['INVITE', 'ACK'] },
      ],
      [
        'redirects to itself and answers there',
        [rings, [302, elsewhere], [200, SDP]],
        { end: 'answered by callee', progress: ['180 callee'], heard: ['INVITE', 'ACK', 'INVITE', 'ACK'] },
        { redirect: () => ({ uri }) },
      ],
      [
        'redirects twice',
        [
          [302, elsewhere],
          [301, elsewhere],
        ],
        { end: 'rejected 301', progress: [], heard: ['INVITE', 'ACK', 'INVITE', 'ACK'] },
        { redirect: () => ({ uri }) },
      ],
      [
        'redirects where the owner does not want to go',
        [[302, elsewhere]],
        { end: 'rejected 302', progress: [], heard: ['INVITE', 'ACK'] },
        { redirect: () => undefined },
      ],
      [
        'redirects without a Contact',
        [[302, { headers: { Contact: undefined } }]],
        { end: 'rejected 302', progress: [], heard: ['INVITE', 'ACK'] },
        { redirect: () => ({ uri }) },
      ],
      [
        'says nothing: the timeout is timer B’s',
        [{ wait: 33_000 }],
        { end: 'timeout 408', progress: [], heard: ['INVITE'] },
      ],
      [
        'says nothing for as long as the owner waits',
        [{ wait: 4_000 }],
        { end: 'unreachable 408', progress: [], heard: ['INVITE'] },
        { silentMs: 4_000 },
      ],
      [
        'says 100 in time, and answers much later',
        [[100], { wait: 60_000 }, [200, SDP]],
        { end: 'answered by callee', progress: [], heard: ['INVITE', 'ACK'] },
        { silentMs: 4_000 },
      ],
      [
        'rings after it was given up: CANCEL',
        [{ wait: 4_000 }, rings, [487]],
        { end: 'unreachable 408', progress: [], heard: ['INVITE', 'CANCEL', 'ACK'] },
        { silentMs: 4_000 },
      ],
      [
        'answers after it was given up: ACK and BYE',
        [{ wait: 4_000 }, [200, SDP]],
        { end: 'unreachable 408', progress: [], heard: ['INVITE', 'ACK', 'BYE'] },
        { silentMs: 4_000 },
      ],
      [
        'redirects after it was given up: nobody follows',
        [{ wait: 4_000 }, [302, elsewhere]],
        { end: 'unreachable 408', progress: [], heard: ['INVITE', 'ACK'] },
        { silentMs: 4_000, redirect: () => ({ uri }) },
      ],
      [
        'is silent at the place it redirected to',
        [[302, elsewhere], { wait: 4_000 }],
        { end: 'unreachable 408', progress: [], heard: ['INVITE', 'ACK', 'INVITE'] },
        { silentMs: 4_000, redirect: () => ({ uri }) },
      ],
      [
        'is cancelled before it says anything, rings, and obeys',
        ['cancel', rings, [487]],
        { end: 'local-cancel 487', progress: [], heard: ['INVITE', 'CANCEL', 'ACK'] },
      ],
      [
        'is cancelled before it says anything, and answers',
        ['cancel', [200, SDP]],
        { end: 'local-cancel 487', progress: [], heard: ['INVITE', 'ACK', 'BYE'] },
      ],
      [
        'answers a CANCEL with 200, and the INVITE with 200 too',
        [rings, 'cancel', [200, SDP]],
        { end: 'local-cancel 487', progress: ['180 callee'], heard: ['INVITE', 'CANCEL', 'ACK', 'BYE'] },
      ],
      [
        'answers a CANCEL and never the INVITE',
        [rings, 'cancel', { wait: LINGER }],
        { end: 'local-cancel 487', progress: ['180 callee'], heard: ['INVITE', 'CANCEL'] },
      ],
      [
        'repeats its 200',
        [
          [200, SDP],
          [200, SDP],
          [200, SDP],
        ],
        { end: 'answered by callee', progress: [], heard: ['INVITE', 'ACK', 'ACK', 'ACK'] },
      ],
      [
        'forks, with early audio from both; the first 200 wins',
        [
          [183, { ...SDP, toTag: 'one' }],
          [183, { ...SDP, toTag: 'two' }],
          [180, { toTag: 'one' }],
          [200, { ...SDP, toTag: 'two' }],
          [200, { ...SDP, toTag: 'one' }],
          [200, { ...SDP, toTag: 'three' }],
        ],
        {
          end: 'answered by two',
          progress: ['183 one', '183 two', '180 one'],
          heard: ['INVITE', 'ACK', 'ACK', 'BYE', 'ACK', 'BYE'],
        },
      ],
      [
        'forks, and one fork gives up with 199',
        [
          [180, { toTag: 'one' }],
          [180, { toTag: 'two' }],
          [199, { toTag: 'one' }],
          [200, { ...SDP, toTag: 'two' }],
        ],
        { end: 'answered by two', progress: ['180 one', '180 two'], heard: ['INVITE', 'ACK'] },
      ],
      ...['<sip:bob', '*', '<http://10.0.0.2/>', '<sip:a@10.0.0.2>, "', ''].flatMap((contact) => [
        [
          `answers with the Contact ${contact}`,
          [[200, { ...SDP, headers: { Contact: contact } }]] as const,
          contact.startsWith('<sip:a')
            ? { end: 'answered by callee', progress: [], heard: ['INVITE', 'ACK'] }
            : { end: 'no-target 200', progress: [], heard: ['INVITE', 'ACK', 'BYE'] },
        ] as const,
        [
          `redirects with the Contact ${contact}`,
          [[302, { headers: { Contact: contact } }]] as const,
          { end: 'rejected 302', progress: [], heard: ['INVITE', 'ACK'] },
          { redirect: () => undefined },
        ] as const,
      ]),
      [
        'answers with the broken Contact after it was given up: ACK and BYE',
        [{ wait: 4_000 }, [200, { ...SDP, headers: { Contact: '<sip:bob' } }]],
        { end: 'unreachable 408', progress: [], heard: ['INVITE', 'ACK', 'BYE'] },
        { silentMs: 4_000 },
      ],
      [
        'answers with a line that is no header',
        [[200, { ...SDP, headers: { 'X-bad name': 'q' } }]],
        { end: 'answered by callee', progress: [], heard: ['INVITE', 'ACK'] },
      ],
      [
        'answers without To tag or Contact',
        [[200, { toTag: undefined, headers: { Contact: undefined } }]],
        { end: 'answered by ', progress: [], heard: ['INVITE', 'ACK'] },
      ],
    ];

    for (const [name, acts, outcome, options = {}] of table) {
      test(name, async () => {
        expect(await play(transport, acts, options)).toEqual(outcome);
      });
    }
  },
);

describe('a redirected INVITE', () => {
  test('keeps Call-ID, From and To, counts on, and the Contacts come in the order of the message', async () => {
    const w = await world();
    const third = await new Peer(w.clock, 'udp').bind(w.network, { address: '10.0.0.3', port: 5070 });
    const offered: (readonly string[])[] = [];
    const outbound = call(w, {
      redirect: (contacts) => {
        offered.push(contacts);
        return { uri: 'sip:bob@pbx.example', destination: { address: '10.0.0.3', port: 5070 } };
      },
    });
    await w.settle();
    const first = w.peer.lastRequest('INVITE');
    const contact = [
      '<sip:b@10.0.0.3>;q=0.2, <sip:a@10.0.0.3>;q=0.9',
      '"C, the first" <sip:c@10.0.0.3;user=phone>',
    ];
    w.peer.respond(first, 302, { headers: { Contact: contact } });
    await w.settle();
    expect(offered).toEqual([['sip:b@10.0.0.3', 'sip:a@10.0.0.3', 'sip:c@10.0.0.3;user=phone']]);
    expect(w.peer.methods).toEqual(['INVITE', 'ACK']);
    const again = third.lastRequest('INVITE');
    expect([again.uri, again.body]).toEqual(['sip:bob@pbx.example', OFFER]);
    for (const name of ['call-id', 'from', 'to'])
      expect(again.headers.get(name)).toBe(first.headers.get(name));
    expect(again.headers.get('cseq')).toBe('2 INVITE');
    expect(again.headers.get('via')).not.toBe(first.headers.get('via'));
    third.respond(again, 200, { headers: { Contact: '<sip:bob@10.0.0.3:5070>' } });
    await w.settle();
    const { dialog } = await outbound.answered;
    expect(third.lastRequest('ACK').headers.get('cseq')).toBe('2 ACK');
    dialog.request('INFO').catch(() => {});
    await w.settle();
    expect(third.lastRequest('INFO').headers.get('cseq')).toBe('3 INFO');
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['names no SIP URI', () => ({ uri: 'mailto:bob@example.com' })],
    ['names one for TLS', () => ({ uri: 'sips:bob@10.0.0.2' })],
  ])('whose owner %s ends with the 3xx', async (_, redirect) => {
    const w = await world();
    const seen = watch(call(w, { redirect }));
    await w.settle();
    w.peer.respond(w.peer.lastRequest('INVITE'), 302);
    await w.settle();
    expect([seen.end, w.errors.length]).toEqual(['rejected 302', 1]);
  });
});

describe('what ended a call is at hand', () => {
  test('with the headers of a refusal', async () => {
    const w = await world();
    const seen = watch(call(w));
    await w.settle();
    w.peer.respond(w.peer.lastRequest('INVITE'), 503, { headers: { 'X-Why': 'tired', 'Retry-After': '9' } });
    await w.settle();
    const { message_ } = seen.reason instanceof SipEnded ? seen.reason : {};
    expect([message_?.headers.get('x-why'), message_?.headers.get('retry-after')]).toEqual(['tired', '9']);
  });

  test('with the headers of a BYE', async () => {
    const w = await world();
    const outbound = call(w);
    await w.settle();
    const invite = w.peer.lastRequest('INVITE');
    w.peer.respond(invite, 200, SDP);
    await w.settle();
    const { dialog } = await outbound.answered;
    const toTag = tagOf(invite.headers.get('from') ?? '');
    const headers = { Reason: 'Q.850;cause=16', 'X-Bill': '7' };
    w.peer.request('BYE', { callId: outbound.callId, fromTag: 'callee', toTag, headers });
    await w.settle();
    const reason: unknown = dialog.ended.reason;
    const { cause, message_ } = reason instanceof SipEnded ? reason : {};
    expect([cause, message_?.headers.get('x-bill')]).toEqual(['bye', '7']);
    expect(w.peer.statuses).toEqual([200]);
  });
});

describe('before the host is known', () => {
  const lookups: ((addresses: readonly string[]) => void)[] = [];
  const lookup = () => new Promise<readonly string[]>((resolve) => lookups.push(resolve));

  test.each([
    ['a CANCEL', (outbound: OutboundInvite) => outbound.cancel(), 'local-cancel 487'],
    ['silence', () => {}, 'unreachable 408'],
  ])('%s keeps the INVITE from being sent at all', async (_, act, end) => {
    const w = await world({ agent: { lookup } });
    const outbound = call(w, { uri: 'sip:x@slow.example', silentMs: 4_000 });
    const seen = watch(outbound);
    await w.settle();
    act(outbound);
    await w.clock.advance(4_000);
    expect(seen.end).toBe(end);
    lookups.pop()?.(['10.0.0.2']);
    await w.clock.advance(LINGER);
    expect(w.peer.heard).toEqual([]);
    expect(w.agent.census()).toEqual(EMPTY);
  });
});
