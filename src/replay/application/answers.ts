import type { HttpRequest, HttpResponse } from '../../webhook/port.ts';
import { ScenarioError } from '../scenario.ts';
import { simulatedAudio } from '../simulated-audio.ts';

/** A request of the call, as a handler gets it. */
export interface AppRequest {
  /** As it goes over the wire: a GET has its parameters in the query too. */
  readonly url: string;
  readonly method: 'GET' | 'POST';
  /** Lower-case names; `x-twilio-signature` is among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** What the form or the query holds: `CallSid`, `From`, `Digits` and the others. */
  readonly params: Readonly<Record<string, string>>;
}

/** An answer with everything an HTTP response has; `audio` is a file of that many milliseconds. */
export interface AppReply {
  /** Absent: 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly audio?: number;
}

/** What the TwiML builders of Twilio's libraries make. */
export interface TwimlBuilder {
  readonly response: unknown;
  toString(): string;
}

/** TwiML as text or from a builder, a `Response` of the fetch API, or a reply in parts. */
export type AppAnswer = string | TwimlBuilder | Response | AppReply;

/** An application as a function. */
export type AppHandler = (request: AppRequest) => AppAnswer | Promise<AppAnswer>;

/** An application as answers by URL, or by path; the query of a request does not matter. */
export type Pages = Readonly<Record<string, AppAnswer | AppHandler>>;

const XML = 'text/xml; charset=utf-8';

/** An answer as it comes over HTTP. */
export async function responseOf(answer: AppAnswer): Promise<HttpResponse> {
  if (typeof answer === 'string') return document(answer);
  if (answer instanceof Response) {
    const body = Buffer.from(await answer.arrayBuffer());
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body };
  }
  if (isBuilder(answer)) return document(answer.toString());
  const { status = 200, headers = {}, body = '', audio } = answer;
  const lowered = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const type = audio === undefined ? XML : 'audio/wav';
  return {
    status,
    headers: { 'content-type': type, ...Object.fromEntries(lowered) },
    body: audio === undefined ? Buffer.from(body) : simulatedAudio(audio),
  };
}

function document(twiml: string): HttpResponse {
  return { status: 200, headers: { 'content-type': XML }, body: Buffer.from(twiml) };
}

function isBuilder(answer: TwimlBuilder | AppReply): answer is TwimlBuilder {
  return 'response' in answer;
}

/** A request as a handler gets it. */
export function appRequest({ url, method, headers, body = '' }: HttpRequest): AppRequest {
  return { url, method, headers, params: parametersOf(url, body) };
}

/** The parameters of a request: of its form, else of its query. */
export function parametersOf(url: string, body: string): Record<string, string> {
  return Object.fromEntries(body === '' ? new URL(url).searchParams : new URLSearchParams(body));
}

/** Says what an application function answered that is no answer. */
export function checkedAnswer(answer: unknown, url: string): asserts answer is AppAnswer {
  if (typeof answer === 'string' || (typeof answer === 'object' && answer !== null)) return;
  throw new ScenarioError(
    `the application answered ${url} with ${answer === undefined ? 'nothing' : typeof answer}: expected TwiML as ` +
      'text, a Response, or an object with a body',
  );
}
