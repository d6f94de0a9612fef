import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { answerChallenge } from '../../src/sip/digest/digest.ts';

const URI = 'sip:acme.sip.twilio.com';
/** Our choice: what was not answered by then was lost, and goes out again (RFC 3261 §17.1.2.2 begins with 500 ms). */
const AGAIN_MS = 1_000;

/** Telephones of users of acme behind one socket, all with one password. */
export class Telephones {
  readonly #socket: Socket;
  readonly #port: number;
  readonly #password: string;
  /** By CSeq, which no two requests share. */
  readonly #waiting = new Map<string, (response: string) => void>();
  /** By user. */
  readonly #challenges = new Map<string, string>();
  #cseq = 0;

  private constructor(socket: Socket, port: number, password: string) {
    this.#socket = socket;
    this.#port = port;
    this.#password = password;
    socket.on('message', (bytes) => {
      const text = bytes.toString('latin1');
      const cseq = /^CSeq: (\d+)/m.exec(text)?.[1] ?? '';
      this.#waiting.get(cseq)?.(text);
      this.#waiting.delete(cseq);
    });
  }

  /** @param port of the edge, on 127.0.0.1 */
  static async open(port: number, password: string): Promise<Telephones> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new Telephones(socket, port, password);
  }

  close(): void {
    this.#socket.close();
  }

  async options(user: string): Promise<void> {
    expectStatus(await this.#ask('OPTIONS', user, ''), 200);
  }

  /** For 600 s: is challenged, and answers. */
  async register(user: string): Promise<void> {
    const challenged = await this.#ask('REGISTER', user, '');
    expectStatus(challenged, 401);
    this.#challenges.set(user, /^WWW-Authenticate: (.*)\r$/m.exec(challenged)?.[1] ?? '');
    await this.#answer(user, 1);
  }

  /** Once after `register`, with its nonce. */
  async refresh(user: string): Promise<void> {
    await this.#answer(user, 2);
  }

  async #answer(username: string, use: number): Promise<void> {
    const credentials = { username, password: this.#password };
    const challenge = this.#challenges.get(username) ?? '';
    const answer = answerChallenge([challenge], credentials, { method: 'REGISTER', uri: URI }, 'c0ffee', use);
    expectStatus(await this.#ask('REGISTER', username, `Authorization: ${answer}\r\n`), 200);
  }

  async #ask(method: string, user: string, header: string): Promise<string> {
    const cseq = String(++this.#cseq);
    const branch = `z9hG4bK${this.#socket.address().port}x${cseq}`; // no two telephones' may be the same
    const text =
      `${method} ${URI} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=${branch};rport\r\n` +
      `Max-Forwards: 70\r\nFrom: <sip:${user}@acme.sip.twilio.com>;tag=t\r\n` +
      `To: <sip:${user}@acme.sip.twilio.com>\r\nCall-ID: ${user}\r\nCSeq: ${cseq} ${method}\r\n` +
      `Contact: <sip:${user}@192.168.1.20:5062>\r\nExpires: 600\r\n${header}Content-Length: 0\r\n\r\n`;
    const send = () => this.#socket.send(text, this.#port, '127.0.0.1');
    const answered = new Promise<string>((resolve) => this.#waiting.set(cseq, resolve));
    send();
    const again = setInterval(send, AGAIN_MS);
    return answered.finally(() => clearInterval(again));
  }
}

function expectStatus(response: string, status: number): void {
  if (!response.startsWith(`SIP/2.0 ${status} `)) throw new Error(`expected ${status}, got ${response}`);
}
