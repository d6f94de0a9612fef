import type { Diagnostic } from '../../core/diagnostic.ts';
import type { Heard } from '../../leg/simulated/heard.ts';
import { codeFrame } from '../../twiml/document/code-frame.ts';
import type { CallEnd } from '../../twiml/interpreter/world.ts';
import type { SeenExchange } from '../application/tested-application.ts';
import { describeHeard } from '../render.ts';
import type { SimulatedCall } from '../simulated-call.ts';
import { SimulatedChild } from '../simulated-child.ts';
import { type CallRequest, callRequests } from './facts.ts';
import { Sequence } from './sequence.ts';

/** Where a mistake is. */
type Place = { readonly [Name in 'url' | 'line' | 'column']?: Diagnostic[Name] | undefined };

interface Line {
  readonly at: number;
  /** When it was noticed: what was noticed at once happened at once. */
  readonly pass: number;
  /** Among those: what brings about what. */
  readonly rank: number;
  readonly text: string;
}

const RANKS = { action: 0, request: 1, diagnostic: 2, dial: 3, heard: 4, end: 5 } as const;

/** Parameters that every request has and that say nothing about it. */
const USUAL =
  /^(AccountSid|ApiVersion|Called|Caller|CallSid|Direction|From|To|(From|To|Caller|Called)(City|State|Zip|Country))$/;

/** A call as people read it, a line for everything that happened. */
export class Transcript {
  readonly #call: SimulatedCall;
  readonly #seen: readonly SeenExchange[];
  readonly #sequence: Sequence;

  constructor(call: SimulatedCall, seen: readonly SeenExchange[]) {
    this.#call = call;
    this.#seen = seen;
    const { leg, chronicle, dialer } = call;
    this.#sequence = new Sequence(() => [
      seen,
      leg.heard,
      chronicle.timeline,
      dialer.children,
      ...this.#children.map((child) => child.leg.heard),
    ]);
  }

  /** Notices what has happened since the last time. */
  notice(): void {
    this.#sequence.pass();
  }

  /** `now` in virtual milliseconds since the call came in. */
  text(now: number, end: CallEnd | undefined): string {
    const { from, to } = this.#call.world.facts;
    const lines = [...this.#requests(), ...this.#heard(), ...this.#diagnostics(), ...this.#dialed()];
    const inOrder = lines.toSorted((a, b) => a.at - b.at || a.pass - b.pass || a.rank - b.rank);
    const shown = inOrder.map(
      ({ at, text }) => `${seconds(at)}  ${text.replaceAll('\n', `\n${' '.repeat(11)}`)}`,
    );
    const last = end ? `${end.status}: ${end.cause}` : `the call goes on (${this.#call.leg.state})`;
    return [`The call from ${from} to ${to}:`, ...shown, `${seconds(now)}  ${last}`].join('\n');
  }

  get #children(): readonly SimulatedChild[] {
    return this.#call.dialer.children.filter((child) => child instanceof SimulatedChild);
  }

  #requests(): readonly Line[] {
    return callRequests(this.#seen).map((request, index) => ({
      at: request.at,
      pass: this.#sequence.of(this.#seen, index),
      rank: RANKS.request,
      text: describeRequest(request),
    }));
  }

  #heard(): readonly Line[] {
    const { heard } = this.#call.leg;
    return heard.map((event, index) => this.#line(heard, index, 0, describeHeard(event)));
  }

  #dialed(): readonly Line[] {
    const { children } = this.#call.dialer;
    return this.#children.flatMap((child) => {
      const { to, from } = child.record;
      const { begunAt: at } = child;
      const pass = this.#sequence.of(children, children.indexOf(child));
      const { heard } = child.leg;
      return [
        { at, pass, rank: RANKS.dial, text: `dials ${to} as ${from}` },
        ...heard.map((event, index) => this.#line(heard, index, at, `${to} ${describeHeard(event)}`)),
      ];
    });
  }

  #line(heard: readonly Heard[], index: number, begun: number, text: string): Line {
    const event = heard[index];
    const acts = event?.kind === 'pressed' || event?.kind === 'spoke';
    const rank = acts ? RANKS.action : event?.kind === 'ended' ? RANKS.end : RANKS.heard;
    return { at: begun + (event?.at ?? 0), pass: this.#sequence.of(heard, index), rank, text };
  }

  /** The line of a document that a diagnostic is about: of the latest with its URL at that time. */
  #frame({ url, line, column = 1 }: Place, pass: number): string {
    if (url === undefined || line === undefined) return '';
    const fetched = this.#seen.findLast(
      ({ request }, index) => request.url === url && this.#sequence.of(this.#seen, index) <= pass,
    );
    const frame = codeFrame(fetched?.body ?? '', line, column);
    if (!frame) return '';
    const gutter = ' '.repeat(`${line}`.length);
    return `\n  ${line} | ${printable(frame.line)}\n  ${gutter} | ${frame.indent}${frame.carets}`;
  }

  #diagnostics(): readonly Line[] {
    const { timeline } = this.#call.chronicle;
    const begun = Date.parse(timeline[0]?.at ?? '');
    return timeline.flatMap((event, index) => {
      if (event.type !== 'diagnostic') return [];
      const at = Date.parse(event.at) - begun;
      const pass = this.#sequence.of(timeline, index);
      const frame = this.#frame(event, pass);
      return [{ at, pass, rank: RANKS.diagnostic, text: `${describeDiagnostic(event)}${frame}` }];
    });
  }
}

/** What a document brings along must not reach a terminal as control characters. */
const printable = (text: string) => text.replaceAll(/[\x00-\x08\x0a-\x1f\x7f-\x9f]/g, '�');

const seconds = (ms: number) => (ms / 1_000).toFixed(3).padStart(9);

function describeRequest({ method, url, params, status, error, realMs }: CallRequest): string {
  const bare = method === 'GET' ? url.replace(/\?.*$/s, '') : url;
  const told = Object.entries(params)
    .filter(([name]) => !USUAL.test(name))
    .map(([name, value]) => `${name}=${value}`);
  const outcome = status === undefined ? (error ?? 'under way') : `${status} in ${realMs} ms`;
  return `${method} ${bare} → ${outcome}${told.length === 0 ? '' : `\n${told.join(' ')}`}`;
}

/** `warning 13310 at http://localhost:3000/voice:3:5: …` */
export function describeDiagnostic(
  diagnostic: Pick<Diagnostic, 'level' | 'code' | 'message'> & Place,
): string {
  const { level, code, message, url, line, column = 1 } = diagnostic;
  const place = url === undefined ? '' : ` at ${url}${line === undefined ? '' : `:${line}:${column}`}`;
  return `${level} ${code}${place}: ${message}`;
}

/** Why nothing more happens in a call that goes on. */
export function whoWaits({ dialer, chronicle, leg }: SimulatedCall): string {
  const parties = (state: string) =>
    dialer.children.filter((child) => child.leg.state === state).map((child) => child.record.to);
  const running = chronicle.timeline.findLast((event) => event.type === 'verb-started');
  const verb = running ? `<${running.verb}> (line ${running.line}) waits` : 'the call waits';
  const [talking, ringing] = [parties('answered'), parties('ringing')];
  if (talking.length > 0)
    return `${verb}: the caller and ${talking.join(', ')} are connected, and neither of them does anything more`;
  if (ringing.length > 0) return `${verb}: ${ringing.join(', ')} rings, and does not answer`;
  return `${verb}, and nobody does anything that could end that; the caller's leg is ${leg.state}`;
}
