import { type Clock, sleep } from '../../core/clock.ts';
import type { Ids } from '../../core/ids.ts';
import { silentLogger } from '../../core/logger.ts';
import { createSipAgent } from '../../sip/agent/agent.ts';
import type { InboundInvite, SipAgent } from '../../sip/agent/port.ts';
import { bracketHost } from '../../sip/message/grammar.ts';
import { codeOf, UnusableArgument } from '../phone/arguments.ts';
import { addressOf } from '../phone/reach.ts';
import { plain, summary, type Terminal } from '../phone/terminal.ts';
import type { AnswerPlan } from './answer-plan.ts';
import { answerCall } from './callee.ts';
import { Doorkeeper, type Shown } from './doorkeeper.ts';

/** Lets the last response out and its ACK in. Our choice: far above a round trip. */
const LINGER_MS = 200;

export interface AnswerOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly terminal: Terminal;
  /** A line of progress, as it happens. */
  readonly report: (text: string) => void;
  /** Aborted when the person wants to stop. */
  readonly interrupt: AbortSignal;
}

/** Listens, and takes calls until there were enough or the person stops it; resolves with the exit code. */
export async function takeCalls(plan: AnswerPlan, options: AnswerOptions): Promise<number> {
  const { clock, ids, terminal } = options;
  const agent = createSipAgent({ clock, ids, logger: silentLogger, userAgent: 'Trunkline answer' });
  try {
    const address = await listen(agent, plan);
    terminal.say(invitation(plan, address));
    const calls = new Calls(plan, options);
    agent.onInvite = (invite) => calls.take(invite);
    await calls.enough;
    agent.drain();
    const saved = await calls.over();
    await sleep(clock, LINGER_MS);
    return saved ? 0 : 1;
  } finally {
    await agent.close();
  }
}

/** Binds every transport at one port; resolves with where that is. */
async function listen(agent: SipAgent, { at, transports }: AnswerPlan): Promise<string> {
  const where = `${bracketHost(at.host)}:${at.port}`;
  for (const transport of transports) {
    try {
      const host = await addressOf(at.host);
      if (host === '0.0.0.0' || host === '::') {
        throw new UnusableArgument(
          `${where} is every address of this machine: callers are told to talk to one, so name that one with --sip`,
        );
      }
      await agent.listen({ transport, host, port: at.port, label: 'callee' });
    } catch (error) {
      if (error instanceof UnusableArgument) throw error;
      throw new UnusableArgument(whyNot(where, transport, codeOf(error)));
    }
  }
  return where;
}

function whyNot(where: string, transport: 'udp' | 'tcp', code: string): string {
  const way = `${where} over ${transport.toUpperCase()}`;
  if (code === 'EADDRINUSE')
    return `${way} is taken by another program (the edges of an installation use 32 ports, 5060 to 5091 by default): choose another port with --sip, for example 5099`;
  if (code === 'EACCES') return `${way} is not for this user: choose a port above 1023 with --sip`;
  if (code === 'EADDRNOTAVAIL') return `${way} is no address of this machine: choose one that is with --sip`;
  return `${way} cannot be listened at (${code}): choose another host and port with --sip`;
}

function invitation({ transports }: AnswerPlan, address: string): string {
  const [transport, other] = transports;
  const uri = `sip:anyone@${address}${transport === 'tcp' && !other ? ';transport=tcp' : ''}`;
  const over = transports.map((one) => one.toUpperCase()).join(' and ');
  return `Waiting for calls at ${address} over ${over}: dial <Sip>${uri}</Sip>. Ctrl-C ends.`;
}

/** Why a caller is asked who it is. */
const UNKNOWN: Readonly<Record<Exclude<Shown, 'right'>, string>> = {
  nothing: 'without credentials',
  wrong: 'with wrong credentials',
  stale: 'with an old nonce',
};

/** The calls of one run of the command. */
class Calls {
  /** Resolves when no further call is wanted. */
  readonly enough: Promise<void>;
  readonly #plan: AnswerPlan;
  readonly #o: AnswerOptions;
  readonly #doorkeeper: Doorkeeper | undefined;
  readonly #running = new Set<Promise<boolean>>();
  #stop: () => void = () => {};
  #count = 0;
  #saved = true;

  constructor(plan: AnswerPlan, options: AnswerOptions) {
    this.#plan = plan;
    this.#o = options;
    this.#doorkeeper = plan.credentials && new Doorkeeper(plan.credentials, options.ids);
    this.enough = new Promise((resolve) => {
      this.#stop = resolve;
    });
    options.interrupt.addEventListener('abort', () => this.#stop(), { once: true });
    if (options.interrupt.aborted) this.#stop();
  }

  take(invite: InboundInvite): void {
    const { request, source } = invite;
    const from = `INVITE from ${bracketHost(source.address)}:${source.port}`;
    if (this.#count >= this.#plan.calls) {
      invite.respond(486);
      return this.#o.report(`${from} is one more than --calls: 486 sent`);
    }
    const shown = this.#doorkeeper?.check(request) ?? 'right';
    if (this.#doorkeeper && shown !== 'right') {
      invite.respond(401, { headers: this.#doorkeeper.challenge(shown) });
      return this.#o.report(`${from} ${UNKNOWN[shown]}: 401 sent`);
    }
    const number = ++this.#count;
    const running = this.#run(invite, number, shown === 'right' && this.#doorkeeper !== undefined);
    this.#running.add(running);
    running
      .then((saved) => {
        this.#saved &&= saved;
        this.#running.delete(running);
        if (number >= this.#plan.calls) this.#stop();
      })
      .catch((error: unknown) => this.#o.terminal.complain(`call ${number} failed: ${codeOf(error)}\n`));
  }

  /** Waits for the calls that are still there; claims that everything heard was saved. */
  async over(): Promise<boolean> {
    await Promise.allSettled(this.#running);
    return this.#saved;
  }

  /** One call from its INVITE to its end; claims that what was heard was saved. */
  async #run(invite: InboundInvite, number: number, known: boolean): Promise<boolean> {
    const { terminal, interrupt } = this.#o;
    const several = this.#plan.calls !== 1;
    const report = (text: string) => this.#o.report(several ? `call ${number}: ${text}` : text);
    for (const line of announcement(invite, known)) report(line);
    const conversation = await answerCall(this.#plan, invite, { ...this.#o, report, interrupt });
    if (!conversation) return true;
    report(summary(conversation));
    const { hear } = this.#plan;
    return hear === undefined || terminal.save(number === 1 ? hear : numbered(hear, number), conversation);
  }
}

/** What an INVITE says about itself. */
function announcement({ request, source }: InboundInvite, known: boolean): string[] {
  const { headers } = request;
  const edge = `${bracketHost(source.address)}:${source.port} over ${source.listener.transport.toUpperCase()}`;
  return [
    `INVITE from ${edge}${known ? ', with the right credentials' : ''}`,
    `From: ${plain(headers.get('From') ?? '')}`,
    `To: ${plain(headers.get('To') ?? '')}, for ${plain(request.uri)}`,
    ...headers.lines
      .filter(({ name }) => /^(x-|user-to-user$|diversion$|referred-by$)/i.test(name))
      .map(({ name, value }) => `${plain(name)}: ${plain(value)}`),
  ];
}

/** `heard.wav` for the second call: `heard-2.wav`. */
function numbered(path: string, number: number): string {
  const [, stem = path, extension = ''] = /^(.*?)(\.[^./]*)?$/s.exec(path) ?? [];
  return `${stem}-${number}${extension}`;
}
