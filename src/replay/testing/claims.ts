import { isDeepStrictEqual } from 'node:util';
import type { CallStatus } from '../../call/record.ts';
import { heardPattern } from '../hearing.ts';
import type { Call } from './call.ts';
import type { CallRequest, DialedCall } from './facts.ts';

/** Text that must be the same, or a pattern. */
export type Text = string | RegExp;

/** A claim about a call; `message` says what was found, for the claim and for its opposite. */
export interface Claim {
  readonly pass: boolean;
  message(): string;
}

export interface DialedWith {
  readonly from?: Text;
  readonly status?: CallStatus;
  /** `X-…` headers of the INVITE. */
  readonly headers?: Readonly<Record<string, Text>>;
}

export interface RequestedWith {
  readonly method?: 'GET' | 'POST';
  /** Parameters that were sent among others. */
  readonly params?: Readonly<Record<string, Text>>;
  readonly status?: number;
}

export interface EndedWith {
  readonly status?: CallStatus;
  readonly cause?: Text;
  /** Seconds. */
  readonly duration?: number;
}

/** The caller has heard this: part of it in either case, or a pattern. */
export function heard(call: Call, expected: Text): Claim {
  const pattern = typeof expected === 'string' ? heardPattern(expected) : expected;
  const texts = call.heard.map(({ text }) => text);
  const found = texts.length === 0 ? 'it heard nothing' : `it heard ${list(texts)}`;
  return claim(
    call,
    texts.some((text) => matches(text, pattern)),
    `have heard ${show(expected)}`,
    found,
  );
}

/** The call has dialled this address, by number, SIP URI or application SID. */
export function dialed(call: Call, address: Text, wanted: DialedWith = {}): Claim {
  const pass = call.dialed.some((child) => is(child.to, address) && dialedSo(child, wanted));
  const found =
    call.dialed.length === 0
      ? 'it dialled nobody'
      : `it dialled ${list(call.dialed.map(({ to, from, status }) => `${to} as ${from}: ${status}`))}`;
  return claim(call, pass, `have dialled ${show(address)}${also(wanted)}`, found);
}

/** The application was asked at this URL or path. */
export function requested(call: Call, url: Text, wanted: RequestedWith = {}): Claim {
  const pass = call.requests.some((request) => isUrl(request, url) && requestedSo(request, wanted));
  const found =
    call.requests.length === 0
      ? 'it requested nothing'
      : `it requested ${list(call.requests.map(({ method, url: at }) => `${method} ${at}`))}`;
  return claim(call, pass, `have requested ${show(url)}${also(wanted)}`, found);
}

/** The call is over, in this way. */
export function ended(call: Call, wanted: CallStatus | EndedWith = {}): Claim {
  const { status, cause, duration } = typeof wanted === 'string' ? { status: wanted } : wanted;
  const { outcome } = call;
  const pass =
    outcome !== undefined &&
    (status === undefined || outcome.status === status) &&
    (cause === undefined ||
      matches(outcome.cause, typeof cause === 'string' ? heardPattern(cause) : cause)) &&
    (duration === undefined || outcome.duration === duration);
  const found = outcome
    ? `it ended ${outcome.status} after ${outcome.duration} s: ${outcome.cause}`
    : 'it goes on; await call.ended first';
  return claim(call, pass, `have ended${also({ status, cause, duration })}`, found);
}

/** Something was wrong with the application: with this code, or at all. */
export function reported(call: Call, code?: number): Claim {
  const codes = call.diagnostics.map(
    (diagnostic) => `${diagnostic.level} ${diagnostic.code}: ${diagnostic.message}`,
  );
  const pass = call.diagnostics.some((diagnostic) => code === undefined || diagnostic.code === code);
  const found = codes.length === 0 ? 'nothing was reported' : `it reported ${list(codes)}`;
  return claim(call, pass, `have reported ${code ?? 'a mistake'}`, found);
}

function claim(call: Call, pass: boolean, what: string, found: string): Claim {
  return {
    pass,
    message: () => `expected the call ${pass ? 'not ' : ''}to ${what}; ${found}.\n\n${call.transcript()}`,
  };
}

function dialedSo(child: DialedCall, { from, status, headers = {} }: DialedWith): boolean {
  return (
    (from === undefined || is(child.from, from)) &&
    (status === undefined || child.status === status) &&
    has(child.headers, headers)
  );
}

function requestedSo(request: CallRequest, { method, params = {}, status }: RequestedWith): boolean {
  return (
    (method === undefined || request.method === method) &&
    (status === undefined || request.status === status) &&
    has(request.params, params)
  );
}

function has(found: Readonly<Record<string, string>>, wanted: Readonly<Record<string, Text>>): boolean {
  return Object.entries(wanted).every(([name, text]) => found[name] !== undefined && is(found[name], text));
}

/** The whole URL, or its path; with a query only where the expectation has one. */
function isUrl({ url }: CallRequest, wanted: Text): boolean {
  if (typeof wanted !== 'string') return matches(url, wanted);
  const { origin, pathname, search } = new URL(url);
  return [url, origin + pathname, pathname, pathname + search].includes(wanted);
}

const is = (found: string, wanted: Text) =>
  typeof wanted === 'string' ? found === wanted : matches(found, wanted);

/** A pattern with a memory (`g`, `y`) is asked anew every time. */
const matches = (text: string, pattern: RegExp) =>
  new RegExp(pattern, pattern.flags.replace(/[gy]/g, '')).test(text);

const show = (text: Text) => (typeof text === 'string' ? `"${text}"` : String(text));

const list = (texts: readonly string[]) => texts.map((text) => `\n  ${text}`).join('');

function also(wanted: object): string {
  const entries = Object.entries(wanted).filter(
    ([, value]) => value !== undefined && !isDeepStrictEqual(value, {}),
  );
  return entries.map(([name, value]) => `, ${name} ${showValue(value)}`).join('');
}

function showValue(value: unknown): string {
  if (value instanceof RegExp) return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return Object.entries(value)
    .map(([name, text]) => `${name}=${text}`)
    .join(' ');
}
