import { answerChallenge } from '../../../src/sip/digest/digest.ts';
import { offerOf, RawSip } from '../../e2e/support/raw-sip.ts';
import { until } from '../../support/until.ts';
import type { User } from './sip-domain-world.ts';

/** How an INVITE went: 180 when it was let in, else the final status, and the response itself. */
export interface Attempt {
  readonly status: number;
  readonly response: string;
  /** Its Call-ID. */
  readonly callId: string;
}

export interface InviteParts {
  readonly uri: string;
  /** Another From than the usual one. */
  readonly from?: string;
  readonly headers?: readonly string[];
  /** What to wait for before a call that rings is given up. */
  readonly rings?: () => Promise<unknown>;
}

/** A caller that says SIP as text over one UDP socket, so that it can say what no telephone would. */
export class DomainCaller {
  readonly #sip: RawSip;
  #calls = 0;

  private constructor(sip: RawSip) {
    this.#sip = sip;
  }

  static async open(to: { readonly host: string; readonly port: number }): Promise<DomainCaller> {
    return new DomainCaller(await RawSip.open(to));
  }

  get port(): number {
    return this.#sip.port;
  }

  /** Everything heard of one call. */
  heard(callId: string): string[] {
    return this.#sip.received.filter((message) => message.includes(`\r\nCall-ID: ${callId}\r\n`));
  }

  /** Sends an INVITE, waits until it rings or is refused, acknowledges a refusal; a call that rings is given up. */
  async invite(parts: InviteParts): Promise<Attempt> {
    const callId = `domain-${++this.#calls}-${this.port}`;
    const branch = `z9hG4bK-${callId}`;
    const invite = this.#request('INVITE', callId, branch, parts);
    this.#sip.send(invite);
    const response = await until(`an answer to the INVITE to ${parts.uri}`, () => this.#answer(callId));
    const status = statusOf(response);
    if (status >= 200) this.#sip.send(this.#sip.ack(invite, response));
    else {
      await parts.rings?.();
      await this.#giveUp(callId, branch, parts, invite);
    }
    return { status, response, callId };
  }

  /** As telephones do it: an INVITE, and another with the answer to its challenge. */
  async inviteAs(user: User, parts: InviteParts, change = (answer: string) => answer): Promise<Attempt> {
    const asked = await this.invite(parts);
    if (asked.status !== 407) return asked;
    return this.invite({
      ...parts,
      headers: [...(parts.headers ?? []), change(answerTo(asked, user, parts.uri))],
    });
  }

  close(): void {
    this.#sip.close();
  }

  #answer(callId: string): string | undefined {
    return this.heard(callId).find((message) => statusOf(message) >= 180);
  }

  async #giveUp(callId: string, branch: string, parts: InviteParts, invite: string): Promise<void> {
    this.#sip.send(this.#request('CANCEL', callId, branch, { ...parts, headers: [] }));
    const isFinal = (message: string) =>
      statusOf(message) >= 200 && message.includes('\r\nCSeq: 1 INVITE\r\n');
    const final = await until(`the end of the call to ${parts.uri}`, () => this.heard(callId).find(isFinal));
    if (statusOf(final) >= 300) this.#sip.send(this.#sip.ack(invite, final));
    else this.#hangUp(final);
  }

  /** The call was answered while it was being given up: RFC 3261 §9.1, §13.2.2.4. */
  #hangUp(answer: string): void {
    const header = (name: string) => new RegExp(`^${name}: (.*?)\r?$`, 'm').exec(answer)?.[1] ?? '';
    const target = /<(.*)>/.exec(header('Contact'))?.[1] ?? '';
    for (const [method, number] of [['ACK', 1] as const, ['BYE', 2] as const]) {
      const lines = [
        `${method} ${target} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${this.port};branch=z9hG4bK-${method}-${header('Call-ID')};rport`,
        ...['From', 'To', 'Call-ID'].map((name) => `${name}: ${header(name)}`),
        `CSeq: ${number} ${method}`,
        'Max-Forwards: 70',
        'Content-Length: 0',
      ];
      this.#sip.send(`${lines.join('\r\n')}\r\n\r\n`);
    }
  }

  #request(method: string, callId: string, branch: string, { uri, from, headers = [] }: InviteParts): string {
    const body = method === 'INVITE' ? offerOf(40_000, '0', 'a=rtpmap:0 PCMU/8000') : '';
    return [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${this.port};branch=${branch};rport`,
      `From: ${from ?? '<sip:caller@127.0.0.1>'};tag=${callId}`,
      `To: <${uri}>`,
      `Call-ID: ${callId}`,
      `CSeq: 1 ${method}`,
      `Contact: <sip:caller@127.0.0.1:${this.port}>`,
      'Max-Forwards: 70',
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
  }
}

/** The header that answers a challenge. */
export function answerTo({ response }: Attempt, user: User, uri: string, use = 1): string {
  const challenges = response
    .split('\r\n')
    .filter((line) => line.startsWith('Proxy-Authenticate: '))
    .map((line) => line.slice('Proxy-Authenticate: '.length));
  const answer = answerChallenge(challenges, user, { method: 'INVITE', uri }, 'c0ffee', use);
  if (answer === undefined) throw new Error(`no challenge that can be answered in\n${response}`);
  return `Proxy-Authorization: ${answer}`;
}

/** 0 for a request. */
const statusOf = (message: string) => Number(/^SIP\/2\.0 (\d{3}) /.exec(message)?.[1] ?? 0);
