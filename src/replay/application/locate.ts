import { once } from 'node:events';
import { Server } from 'node:http';
import { ScenarioError } from '../scenario.ts';
import type { App, Listening, ScenarioOptions } from '../testing/options.ts';
import type { AppHandler, Pages } from './answers.ts';

/** Where an application in this process is said to be. */
const HERE = 'http://app.test';

/** Our choice of where a call begins when nobody says. */
const STANDARD_PATH = '/voice';

export interface LocatedApp {
  readonly origin: string;
  /** Where the call begins. */
  readonly url: string;
  readonly handler?: AppHandler;
  readonly pages?: Pages;
}

/** Finds out what an application is and where it is asked; one that only listens gets a port of its own. */
export async function locateApp({ app, path }: Pick<ScenarioOptions, 'app' | 'path'>): Promise<LocatedApp> {
  if (typeof app === 'string' || app instanceof URL) return atUrl(String(app), path);
  if (isListening(app)) return begin(await serve(app), path);
  if (typeof app === 'function') return { ...begin(HERE, path), handler: app };
  const pages = resolvePages(app, HERE);
  const [first] = Object.keys(pages);
  if (first === undefined)
    throw new ScenarioError('app: found no answers: expected at least one URL and its answer');
  const url = path === undefined ? first : new URL(path, first).href;
  return { origin: new URL(url).origin, url, pages };
}

/** Answers by absolute URL. */
export function resolvePages(pages: Pages, origin: string): Pages {
  return Object.fromEntries(Object.entries(pages).map(([url, page]) => [absolute(url, origin), page]));
}

function atUrl(text: string, path: string | undefined): LocatedApp {
  const url = absolute(text);
  if (!/^https?:/.test(url)) throw new ScenarioError(`app: found "${text}": expected an http or https URL`);
  return { origin: new URL(url).origin, url: path === undefined ? url : absolute(path, url) };
}

function begin(origin: string, path = STANDARD_PATH): LocatedApp {
  return { origin, url: absolute(path, origin) };
}

function absolute(url: string, base?: string): string {
  try {
    return new URL(url, base).href;
  } catch (error) {
    throw new ScenarioError(`"${url}" is no URL: expected one such as http://localhost:3000/voice`, {
      cause: error,
    });
  }
}

function isListening(app: Exclude<App, string | URL>): app is Listening {
  return 'listen' in app && typeof app.listen === 'function';
}

/** An application listens once, for as long as the process lives, and does not keep it alive. */
const servers = new WeakMap<Listening, Promise<string>>();

function serve(app: Listening): Promise<string> {
  if (app instanceof Server && app.listening) return Promise.resolve(originOf(app));
  const running = servers.get(app) ?? listen(app);
  servers.set(app, running);
  return running;
}

async function listen(app: Listening): Promise<string> {
  const server = app.listen(0, '127.0.0.1');
  if (!(server instanceof Server))
    throw new ScenarioError('app: found something whose listen() gives no server of node:http');
  server.on('connection', (socket) => socket.unref());
  if (!server.listening) await once(server, 'listening');
  server.unref();
  return originOf(server);
}

function originOf(server: Server): string {
  const address = server.address();
  if (typeof address !== 'object' || address === null)
    throw new ScenarioError('app: found a server that listens on no port');
  return `http://127.0.0.1:${address.port}`;
}
