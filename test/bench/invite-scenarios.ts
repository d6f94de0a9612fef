/*
 * sipp's scenarios of calls to a SIP domain that ring and are given up, and of a callee that takes the same calls. The
 * callee asks for digests and verifies them where the domain does.
 */

export const USER = { username: 'ann', password: 'Correct-Horse-7' } as const;
export type Admission = 'acl' | 'digest';

const scenario = (name: string, ...steps: readonly string[]) =>
  `<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="${name}">\n${steps.join('\n')}\n</scenario>\n`;

/** A step that sends; its lines end with those of a body, or with none. */
const send = (lines: readonly string[], { again = false, body = '' } = {}) =>
  `<send${again ? ' retrans="500"' : ''}><![CDATA[\n${lines.join('\n')}\nContent-Length: [len]\n\n${body}]]></send>`;

const receive = (what: string) => `<recv ${what}/>`;

const OFFER = `v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
`;

const uri = (domain: Admission) => `sip:bob@${domain}.sip.twilio.com`;

/** A request of the caller; `branch` and `to` as sipp writes them. */
const request = (domain: Admission, method: string, cseq: number, branch = '[branch]', to = '') => [
  `${method} ${uri(domain)} SIP/2.0`,
  `Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=${branch}`,
  'From: <sip:bench@[local_ip]:[local_port]>;tag=[pid]b[call_number]',
  to || `To: <${uri(domain)}>`,
  'Call-ID: [call_id]',
  `CSeq: ${cseq} ${method}`,
  'Max-Forwards: 70',
];

const invite = (domain: Admission, cseq: number, ...headers: readonly string[]) =>
  send(
    [
      ...request(domain, 'INVITE', cseq),
      'Contact: <sip:bench@[local_ip]:[local_port]>',
      ...headers,
      'Content-Type: application/sdp',
    ],
    { again: true, body: `\n${OFFER}`.trimStart() },
  );

/** INVITE, with a digest when it is asked for one; CANCEL when it rings; 487. */
export function caller(domain: Admission): string {
  const trying = receive('response="100" optional="true"');
  const digest = domain === 'digest';
  const cseq = digest ? 2 : 1;
  const challenged = [
    invite(domain, 1),
    trying,
    receive('response="407" auth="true"'),
    send(request(domain, 'ACK', 1, '[branch-3]', '[last_To:]')),
    invite(domain, 2, `[authentication username=${USER.username} password=${USER.password}]`),
  ];
  return scenario(
    `rings and is given up: ${domain}`,
    ...(digest ? challenged : [invite(domain, 1)]),
    trying,
    receive('response="180"'),
    send(request(domain, 'CANCEL', cseq, '[branch-3]'), { again: true }),
    receive('response="200"'),
    receive('response="487"'),
    send(request(domain, 'ACK', cseq, '[branch-6]', '[last_To:]')),
  );
}

/** Headers of a response to what was last received. */
const response = (line: string, cseq = '[last_CSeq:]') => [
  `SIP/2.0 ${line}`,
  '[last_Via:]',
  '[last_From:]',
  '[last_To:];tag=[pid]a[call_number]',
  '[last_Call-ID:]',
  cseq,
];

/** sipp's own side of the comparison. */
export function callee(domain: Admission): string {
  const digest = domain === 'digest';
  const nonce = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';
  const challenge = `Proxy-Authenticate: Digest realm="sip.twilio.com",nonce="${nonce}",algorithm=MD5`;
  const verify = `<recv request="INVITE"><action><verifyauth assign_to="right" username="${USER.username}" password="${USER.password}"/></action></recv>`;
  const asks = [
    receive('request="INVITE"'),
    send([...response('407 Proxy Authentication Required'), challenge], { again: true }),
    receive('request="ACK"'),
    verify,
  ];
  return scenario(
    `is given up: ${domain}`,
    ...(digest ? asks : [receive('request="INVITE"')]),
    send([...response('180 Ringing'), 'Contact: <sip:[local_ip]:[local_port]>']),
    receive('request="CANCEL"'),
    send(response('200 OK')),
    send(response('487 Request Terminated', `CSeq: ${digest ? 2 : 1} INVITE`), { again: true }),
    receive('request="ACK"'),
    ...(digest ? ['<Reference variables="right"/>'] : []),
  );
}
