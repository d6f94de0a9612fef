import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MediaDirection, MediaFormat } from '../../../src/media/format.ts';
import {
  acceptAnswer,
  answerOffer,
  continueSession,
  makeOffer,
  OFFERED_FORMATS,
} from '../../../src/media/offer-answer.ts';
import { cpuMs } from '../../support/cpu-time.ts';

const local = { address: '198.51.100.1', port: 20_000, sessionId: '1790412345', version: 1 };

/** An SDP with this `m=` line and attributes; a `c=` line at session level unless told otherwise. */
function sdp(
  media: string,
  attributes: readonly string[] = [],
  session = ['c=IN IP4 203.0.113.10', 't=0 0'],
): string {
  return `${['v=0', 'o=- 1 1 IN IP4 203.0.113.10', 's=-', ...session, `m=${media}`, ...attributes].join('\r\n')}\r\n`;
}

const G711_AND_KEYS = sdp('audio 24680 RTP/AVP 0 8 101', [
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-15',
]);

function agreed(offer: string, direction?: MediaDirection) {
  const answer = answerOffer(offer, local, direction);
  if (!answer.ok) throw new Error(answer.reason);
  return answer;
}

function refused(offer: string) {
  const answer = answerOffer(offer, local);
  if (answer.ok) throw new Error(`agreed to ${answer.format.codec}`);
  return answer;
}

describe('answerOffer', () => {
  it('answers G.711 and telephone events on our own address', () => {
    const answer = agreed(G711_AND_KEYS);
    expect(answer.format).toEqual({ codec: 'PCMU', payloadType: 0, dtmfPayloadType: 101 });
    expect(answer.remote).toEqual({ address: '203.0.113.10', port: 24_680 });
    expect(answer.remoteRtcp).toEqual({ address: '203.0.113.10', port: 24_681 });
    expect(answer.direction).toBe('sendrecv');
    expect(answer.sdp).toBe(
      [
        'v=0',
        'o=- 1790412345 1 IN IP4 198.51.100.1',
        's=-',
        'c=IN IP4 198.51.100.1',
        't=0 0',
        'm=audio 20000 RTP/AVP 0 101',
        'a=rtpmap:0 PCMU/8000',
        'a=rtpmap:101 telephone-event/8000',
        'a=fmtp:101 0-15',
        'a=ptime:20',
        'a=sendrecv',
        '',
      ].join('\r\n'),
    );
  });

  const formats: [name: string, offer: string, format: MediaFormat][] = [
    [
      'the offerer’s order decides',
      sdp('audio 4000 RTP/AVP 18 8 0'),
      { codec: 'PCMA', payloadType: 8, dtmfPayloadType: undefined },
    ],
    [
      'static types need no rtpmap',
      sdp('audio 4000 RTP/AVP 0 96', ['a=rtpmap:96 telephone-event/8000']),
      { codec: 'PCMU', payloadType: 0, dtmfPayloadType: 96 },
    ],
    [
      'a codec on a dynamic number',
      sdp('audio 4000 RTP/AVP 97 127', ['a=rtpmap:97 pcma/8000/1', 'a=rtpmap:127 Telephone-Event/8000']),
      { codec: 'PCMA', payloadType: 97, dtmfPayloadType: 127 },
    ],
    [
      'a static number that is mapped to something else is that',
      sdp('audio 4000 RTP/AVP 0 8', ['a=rtpmap:0 opus/48000/2']),
      { codec: 'PCMA', payloadType: 8, dtmfPayloadType: undefined },
    ],
    [
      'events at another rate are none of ours',
      sdp('audio 4000 RTP/AVP 0 110', ['a=rtpmap:110 telephone-event/48000']),
      { codec: 'PCMU', payloadType: 0, dtmfPayloadType: undefined },
    ],
    [
      'events that are mapped but not offered do not count',
      sdp('audio 4000 RTP/AVP 0', ['a=rtpmap:101 telephone-event/8000']),
      { codec: 'PCMU', payloadType: 0, dtmfPayloadType: undefined },
    ],
  ];
  it.each(formats)('%s', (_, offer, format) => {
    const answer = agreed(offer);
    expect(answer.format).toEqual(format);
    const numbers = [format.payloadType, format.dtmfPayloadType].filter((n) => n !== undefined);
    expect(answer.sdp).toContain(`m=audio 20000 RTP/AVP ${numbers.join(' ')}\r\n`);
  });

  it('refuses every other stream with port 0, in place', () => {
    const offer = [
      'v=0',
      'o=- 1 1 IN IP4 203.0.113.10',
      's=-',
      't=0 0',
      'm=video 3000 RTP/AVP 31',
      'c=IN IP4 203.0.113.11',
      'm=audio 3998 RTP/SAVP 0',
      'c=IN IP4 203.0.113.12',
      'm=audio 4000/2 RTP/AVP 0',
      'c=IN IP4 203.0.113.13',
      'm=audio 4002 RTP/AVP 8',
      'c=IN IP4 203.0.113.14',
      'm=image 4004 udptl t38',
      '',
    ].join('\r\n');
    const answer = agreed(offer);
    expect(answer.remote.address).toBe('203.0.113.13');
    expect(answer.sdp.split('\r\n').filter((line) => line.startsWith('m='))).toEqual([
      'm=video 0 RTP/AVP 31',
      'm=audio 0 RTP/SAVP 0',
      'm=audio 20000 RTP/AVP 0',
      'm=audio 0 RTP/AVP 8',
      'm=image 0 udptl t38',
    ]);
  });

  const directions: [offered: string, wanted: MediaDirection, ours: MediaDirection][] = [
    ['a=sendrecv', 'sendrecv', 'sendrecv'],
    ['a=sendonly', 'sendrecv', 'recvonly'],
    ['a=recvonly', 'sendrecv', 'sendonly'],
    ['a=inactive', 'sendrecv', 'inactive'],
    ['a=sendrecv', 'sendonly', 'sendonly'],
    ['a=sendonly', 'sendonly', 'inactive'],
    ['a=recvonly', 'recvonly', 'inactive'],
  ];
  it.each(directions)('%s and wanting %s make us %s', (offered, wanted, ours) => {
    for (const offer of [
      sdp('audio 4000 RTP/AVP 0', [offered]),
      sdp('audio 4000 RTP/AVP 0', [], ['c=IN IP4 203.0.113.10', 't=0 0', offered]),
      sdp('audio 4000 RTP/AVP 0', [offered], ['c=IN IP4 203.0.113.10', 't=0 0', 'a=inactive']), // the stream's wins
    ]) {
      const answer = agreed(offer, wanted);
      expect(answer.direction).toBe(ours);
      expect(answer.sdp).toContain(`a=${ours}\r\n`);
    }
  });

  it('takes c=0.0.0.0 for hold', () => {
    expect(agreed(sdp('audio 4000 RTP/AVP 0', [], ['c=IN IP4 0.0.0.0', 't=0 0'])).direction).toBe('recvonly');
    expect(agreed(sdp('audio 4000 RTP/AVP 0', ['c=IN IP4 0.0.0.0', 'a=inactive'])).direction).toBe(
      'inactive',
    );
  });

  it('reads a=rtcp with and without an address', () => {
    expect(agreed(sdp('audio 4000 RTP/AVP 0', ['a=rtcp:4007'])).remoteRtcp.port).toBe(4007);
    const elsewhere = agreed(sdp('audio 4000 RTP/AVP 0', ['a=rtcp:53020 IN IP4 126.16.64.4'])).remoteRtcp;
    expect(elsewhere).toEqual({ address: '126.16.64.4', port: 53_020 });
    expect(agreed(sdp('audio 4000 RTP/AVP 0', ['a=rtcp:99999'])).remoteRtcp.port).toBe(4001);
    const named = agreed(sdp('audio 4000 RTP/AVP 0', ['a=rtcp:4007 IN IP4 media.example.com'])).remoteRtcp;
    expect(named).toEqual({ address: '203.0.113.10', port: 4007 });
  });

  it('speaks IPv6 from an IPv6 address', () => {
    const offer = sdp('audio 4000 RTP/AVP 0', ['c=IN IP6 2001:db8::10']);
    const answer = answerOffer(offer, { ...local, address: '2001:db8::1' });
    expect(answer).toMatchObject({ ok: true, remote: { address: '2001:db8::10', port: 4000 } });
    expect(answer.ok && answer.sdp).toContain('c=IN IP6 2001:db8::1\r\n');
    expect(refused(offer).reason).toContain("can't be reached");
  });

  const refusals: [name: string, offer: string, status: number, code: number][] = [
    ['nothing', '', 400, 32103],
    ['blank', '\r\n \r\n', 400, 32103],
    ['not SDP', '{"sdp": true}', 400, 32102],
    ['another version', G711_AND_KEYS.replace('v=0', 'v=1'), 400, 32102],
    ['a media line that is none', sdp('audio four RTP/AVP 0'), 400, 32102],
    ['a port out of range', sdp('audio 65536 RTP/AVP 0'), 400, 32102],
    ['no c= line', sdp('audio 4000 RTP/AVP 0', [], ['t=0 0']), 400, 32102],
    ['too many streams', sdp(Array(40).fill('audio 4000 RTP/AVP 0').join('\r\nm=')), 400, 32102],
    ['no audio', sdp('video 4000 RTP/AVP 31'), 488, 32102],
    ['no stream at all', 'v=0\r\no=- 1 1 IN IP4 203.0.113.10\r\ns=-\r\nt=0 0\r\n', 488, 32102],
    ['no common codec', sdp('audio 4000 RTP/AVP 18 3 96', ['a=rtpmap:96 opus/48000/2']), 488, 32102],
    ['two channels', sdp('audio 4000 RTP/AVP 96', ['a=rtpmap:96 PCMU/8000/2']), 488, 32102],
    ['SRTP', sdp('audio 4000 RTP/SAVP 0'), 488, 32102],
    ['a removed stream', sdp('audio 0 RTP/AVP 0'), 488, 32102],
    ['a host name', sdp('audio 4000 RTP/AVP 0', ['c=IN IP4 media.example.com']), 488, 32102],
    ['a multicast address', sdp('audio 4000 RTP/AVP 0', ['c=IN IP4 224.2.1.1/127']), 488, 32102],
  ];
  it.each(refusals)('refuses %s', (_, offer, status, code) => {
    expect(refused(offer)).toMatchObject({ status, code });
  });
});

describe('makeOffer and acceptAnswer', () => {
  const offer = makeOffer(local);

  it('offers both laws and events', () => {
    expect(offer).toContain('m=audio 20000 RTP/AVP 0 8 101\r\n');
    expect(offer).toContain('a=rtpmap:8 PCMA/8000\r\n');
    expect(agreed(offer).format).toEqual(OFFERED_FORMATS[0]);
  });

  it('sends what the answer names, under the answer’s numbers', () => {
    const answer = sdp('audio 5000 RTP/AVP 8 99', ['a=rtpmap:99 telephone-event/8000', 'a=recvonly']);
    expect(acceptAnswer(offer, answer)).toMatchObject({
      ok: true,
      format: { codec: 'PCMA', payloadType: 8, dtmfPayloadType: 99 },
      remote: { address: '203.0.113.10', port: 5000 },
      direction: 'sendonly',
    });
  });

  it('never sends more than it offered', () => {
    const hold = makeOffer(local, OFFERED_FORMATS, 'sendonly');
    expect(acceptAnswer(hold, sdp('audio 5000 RTP/AVP 0'))).toMatchObject({ direction: 'sendonly' });
    const ulaw = makeOffer(local, OFFERED_FORMATS.slice(0, 1));
    expect(acceptAnswer(ulaw, sdp('audio 5000 RTP/AVP 8'))).toMatchObject({ ok: false, status: 488 });
  });

  it.each([
    ['a refused stream', sdp('audio 0 RTP/AVP 0')],
    ['another transport', sdp('audio 5000 RTP/SAVP 0')],
    ['no stream', 'v=0\r\ns=-\r\n'],
    ['nothing', ''],
    ['noise', 'hello'],
  ])('does not accept %s', (_, answer) => {
    expect(acceptAnswer(offer, answer).ok).toBe(false);
  });

  it('agrees with answerOffer whatever is offered', () => {
    const formats = fc.subarray([...OFFERED_FORMATS], { minLength: 1 });
    const directions = fc.constantFrom<MediaDirection>('sendrecv', 'sendonly', 'recvonly', 'inactive');
    fc.assert(
      fc.property(formats, directions, directions, (offered, callers, callees) => {
        const ours = makeOffer(local, offered, callers);
        const theirs = answerOffer(ours, { ...local, address: '203.0.113.7', port: 30_000 }, callees);
        if (!theirs.ok) throw new Error(theirs.reason);
        const outcome = acceptAnswer(ours, theirs.sdp);
        expect(outcome).toMatchObject({ ok: true, format: theirs.format, remote: { port: 30_000 } });
        const flipped = {
          sendrecv: 'sendrecv',
          sendonly: 'recvonly',
          recvonly: 'sendonly',
          inactive: 'inactive',
        };
        expect(outcome.ok && flipped[outcome.direction]).toBe(theirs.direction);
      }),
    );
  });
});

describe('continueSession', () => {
  it('keeps the version of an unchanged description and counts changes', () => {
    const first = makeOffer(local);
    expect(continueSession(first, makeOffer(local))).toBe(first);
    const held = continueSession(first, makeOffer(local, OFFERED_FORMATS, 'sendonly'));
    expect(held).toContain('o=- 1790412345 2 IN IP4');
    expect(continueSession(held, first)).toContain('o=- 1790412345 3 IN IP4');
  });
});

describe('a lying peer', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(...G711_AND_KEYS.split('\r\n')),
    fc
      .tuple(
        fc.constantFrom(
          'm=',
          'c=',
          'a=rtpmap:',
          'a=fmtp:',
          'a=rtcp:',
          'a=',
          'o=',
          'a=candidate:',
          'a=ssrc:',
          'a=rid:',
        ),
        fc.string(),
      )
      .map(([start, rest]) => start + rest),
    fc.constantFrom(
      'm=audio 1 RTP/AVP __proto__ 0',
      'a=__proto__:x',
      'a=rtpmap:0 8/8000',
      'a=rtpmap: ',
      'c=IN IP4 constructor',
      'a=rtcp:0 IN IP9 x',
      'm=audio 1 RTP/AVP 999999999999999999999 0',
    ),
  );

  it('never makes it throw, and an agreement is always one that can be kept', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), fc.constantFrom('\r\n', '\n', '\r'), (lines, end) => {
        const text = `v=0${end}${lines.join(end)}`;
        const answer = answerOffer(text, local);
        acceptAnswer(makeOffer(local), text);
        if (answer.ok) {
          expect(answer.remote.port).toBeGreaterThan(0);
          expect(answer.remote.port).toBeLessThan(65_536);
          expect(answer.sdp.split('\r\n').filter((l) => l.startsWith('m=audio 20000 RTP/AVP '))).toHaveLength(
            1,
          );
        } else expect(answer.reason).not.toBe('');
      }),
      { numRuns: 2_000 },
    );
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void answerOffer(text, local)));
  });

  it('is read in time proportional to what was sent', () => {
    const time = (n: number) => {
      const texts = [
        'a=rtpmap:0 '.padEnd(n, ' '),
        `a=rtpmap:${'9'.repeat(n)}`,
        `a=candidate:${'x '.repeat(n / 2)}`,
      ];
      return cpuMs(() => {
        for (const text of texts) answerOffer(sdp('audio 4000 RTP/AVP 0', [text]), local);
      });
    };
    expect(time(60_000)).toBeLessThan(1_000); // a quadratic reading takes many seconds
  });
});
