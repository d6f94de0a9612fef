import type { LookupFunction } from 'node:net';
import axios, { type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { Agent } from 'undici';
import type { Clock } from '../core/clock.ts';
import { createConnector } from './connector.ts';
import { exchange } from './http-exchange.ts';
import type { HttpClient, HttpResponse } from './port.ts';

export interface HttpClientOptions {
  readonly clock: Clock;
  /** `TRUNKLINE_ALLOW_PRIVATE`: false refuses private addresses, given or resolved, with `forbidden-address`. */
  readonly allowPrivate: boolean;
  /** Trusted in place of the public certificate authorities (PEM). */
  readonly ca?: string;
  /** Resolves host names; absent: the system does. */
  readonly lookup?: LookupFunction;
}

/** The longest `ct` there is: a connection nobody waits for any more is given up after it. */
const LONGEST_CONNECT_MS = 10_000;

/** Shorter than the 5 s after which common servers (Node's among them) close an idle connection. */
const IDLE_CONNECTION_MS = 4_000;

/**
 * axios over undici's pools. axios' own Node adapter has one timeout for everything, which a dripping body never
 * triggers, and costs several times the CPU; undici keeps connections, and connect, read and total deadlines
 * stay apart.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const agents = { sni: createAgent(options, true), noSni: createAgent(options, false) };
  const http = axios.create({ transformRequest: [], transformResponse: [], validateStatus: null });

  return {
    async request(request, signal) {
      const agent = request.sni ? agents.sni : agents.noSni;
      const response = await http.request<HttpResponse>({
        url: request.url,
        method: request.method,
        headers: request.headers,
        data: request.body,
        adapter: async (config) => answer(config, await exchange(agent, options.clock, request, signal)),
      });
      return response.data;
    },
    async close() {
      await Promise.all([agents.sni.destroy(), agents.noSni.destroy()]);
    },
  };
}

function createAgent(options: HttpClientOptions, sni: boolean): Agent {
  const { clock, allowPrivate, ca, lookup } = options;
  return new Agent({
    connect: createConnector({
      clock,
      allowPrivate,
      sni,
      connectMs: LONGEST_CONNECT_MS,
      ...(ca !== undefined && { ca }),
      ...(lookup && { lookup }),
    }),
    keepAliveTimeout: IDLE_CONNECTION_MS,
    headersTimeout: 0, // the exchange keeps the deadlines
    bodyTimeout: 0,
  });
}

/** The response travels whole, as axios' data: its headers need no second representation. */
function answer(config: InternalAxiosRequestConfig, data: HttpResponse): AxiosResponse<HttpResponse> {
  return { config, status: data.status, statusText: '', headers: {}, data };
}
