import { parseMessage } from '../../src/sip/message/parse.ts';

/** An INVITE as a carrier sends it, with SDP: 17 headers, 1.1 kB. */
const SDP = [
  'v=0',
  'o=- 1790412345 1790412345 IN IP4 203.0.113.10',
  's=-',
  'c=IN IP4 203.0.113.10',
  't=0 0',
  'm=audio 24680 RTP/AVP 0 8 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-15',
  'a=ptime:20',
  'a=sendrecv',
  '',
].join('\r\n');

const INVITE = Buffer.from(
  [
    'INVITE sip:+353766801234@dublin.trunkline.example:5060;transport=udp SIP/2.0',
    'Via: SIP/2.0/UDP 198.51.100.7:5060;rport;branch=z9hG4bKPj6c9a0f1e2b3d4c5f',
    'Via: SIP/2.0/UDP 203.0.113.10:5060;received=203.0.113.10;branch=z9hG4bK-524287-1---5f3a',
    'Record-Route: <sip:198.51.100.7;lr;ftag=as58f4201b>',
    'Max-Forwards: 69',
    'From: "Alice Example" <sip:+353871234567@carrier.example>;tag=as58f4201b',
    'To: <sip:+353766801234@dublin.trunkline.example>',
    'Contact: <sip:+353871234567@203.0.113.10:5060;transport=udp>',
    'Call-ID: 7a2f1c9e4b5d6a8f0c1e2d3b4a596877@203.0.113.10',
    'CSeq: 102 INVITE',
    'User-Agent: Carrier SBC 9.2',
    'Date: Sat, 01 Aug 2026 10:00:00 GMT',
    'Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, INFO',
    'Supported: replaces, timer',
    'P-Asserted-Identity: <sip:+353871234567@carrier.example>',
    'Content-Type: application/sdp',
    `Content-Length: ${SDP.length}`,
    '',
    SDP,
  ].join('\r\n'),
  'latin1',
);

export interface SipParseResult {
  readonly parsesPerSecond: number;
  /** The least any parser of text has to do: decode the datagram and cut it into lines. */
  readonly splitsPerSecond: number;
  /** Time of a parse over time of a bare split: what holds from machine to machine. */
  readonly ratio: number;
}

/** Full parses of an INVITE with SDP per second beside the floor, alternating in one run of about `ms`. */
export function benchSipParse(ms = 2_000, now: () => number = () => performance.now()): SipParseResult {
  let sink = 0;
  const parse = () => {
    const result = parseMessage(INVITE);
    if (!result.ok || result.message.headers.get('Call-ID') === undefined)
      throw new Error('the INVITE must parse');
    sink += result.message.body.length;
  };
  const split = () => {
    sink += INVITE.toString('latin1').split('\r\n').length;
  };
  const round = ms / 10;
  measure(parse, round, now); // warm-up
  measure(split, round, now);
  const best = { parse: 0, split: 0 };
  for (let i = 0; i < 4; i++) {
    best.parse = Math.max(best.parse, measure(parse, round, now));
    best.split = Math.max(best.split, measure(split, round, now));
  }
  if (sink === 0) throw new Error('nothing was measured');
  return { parsesPerSecond: best.parse, splitsPerSecond: best.split, ratio: best.split / best.parse };
}

/** Calls a second over about `ms`, in portions of 1,000. */
function measure(work: () => void, ms: number, now: () => number): number {
  const start = now();
  let count = 0;
  let elapsed = 0;
  do {
    for (let i = 0; i < 1_000; i++) work();
    count += 1_000;
    elapsed = now() - start;
  } while (elapsed < ms);
  return (count * 1_000) / elapsed;
}
