import { z } from 'zod';
import type { Installation } from '../../compose/installation.ts';
import type { RegionId } from '../../region/region.ts';

/** A user and a password for HTTP Basic. */
export interface Login {
  readonly user: string;
  readonly password: string;
}

/** What one Region's service said, or why it said nothing. */
export type Reply =
  | { readonly region: RegionId; readonly status: number; readonly body: unknown }
  | { readonly region: RegionId; readonly silent: string };

/** Longer than a loaded machine takes, and short enough for a person. */
const PATIENCE_MS = 20_000; // our choice

const errorBody = z.looseObject({ code: z.number().optional(), message: z.string().optional() });

/** The services of this installation's Regions, asked one by one at their own ports. */
export class RegionServices {
  readonly installation: Installation;
  /** The same Region is looked for once. */
  readonly #silent = new Map<RegionId, Promise<string | undefined>>();

  constructor(installation: Installation) {
    this.installation = installation;
  }

  /** Asks every Region the same, each with the login that `loginOf` gives for it; none: the Region is not asked. */
  async askAll(path: string, loginOf: (region: RegionId) => Login | undefined): Promise<Reply[]> {
    return Promise.all(
      this.installation.regions.map(async ({ id, url }): Promise<Reply> => {
        this.#silent.set(id, this.#silent.get(id) ?? silence(id, url));
        const silent = await this.#silent.get(id);
        if (silent !== undefined) return { region: id, silent };
        const login = loginOf(id);
        if (!login) return { region: id, silent: `no credentials of ${id} are known here` };
        return ask(id, new URL(path, url), login);
      }),
    );
  }

  /** The path below this installation's own account, asked with its own tokens; undefined: no account is known. */
  async askOwn(path: (accountSid: string) => string): Promise<Reply[] | undefined> {
    const { account } = this.installation;
    if (!account) return undefined;
    return this.askAll(path(account.sid), (region) => {
      const password = account.tokens.get(region);
      return password === undefined ? undefined : { user: account.sid, password };
    });
  }
}

/** Why a Region cannot be asked. What answers there must be that Region before it is told any secret. */
async function silence(region: RegionId, url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(new URL('/healthz', url), { signal: AbortSignal.timeout(PATIENCE_MS) });
    await answer.body?.cancel();
    if (answer.headers.get('X-Home-Region') === region) return undefined;
    return `what answers at ${url} is not ${region}`;
  } catch (error) {
    return `nothing answers at ${url} (${reason(error)})`;
  }
}

async function ask(region: RegionId, url: URL, { user, password }: Login): Promise<Reply> {
  const basic = Buffer.from(`${user}:${password}`, 'utf8').toString('base64');
  try {
    const answer = await fetch(url, {
      headers: { Authorization: `Basic ${basic}`, Accept: 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return { region, status: answer.status, body: parsed(await answer.text()) };
  } catch (error) {
    return { region, silent: `it did not answer (${reason(error)})` };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The system's code where there is one: fetch hides it in the cause. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause : error;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}

/** `401, 20003: Authenticate…`: an answer that is an error, in words. */
export function errorOf({ status, body }: { readonly status: number; readonly body: unknown }): string {
  const { code, message } = errorBody.catch({}).parse(body);
  return `${[status, code].filter(Boolean).join(', ')}${message === undefined ? '' : `: ${message}`}`;
}
