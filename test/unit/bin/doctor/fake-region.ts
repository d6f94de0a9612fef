import type { Installation } from '../../../../src/compose/installation.ts';
import { EDGE_IDS, edgePort } from '../../../../src/region/edge.ts';
import { REGION_IDS, type RegionId } from '../../../../src/region/region.ts';
import { type Listening, listen } from '../../../support/listen.ts';

export const ACCOUNT = `AC${'a'.repeat(32)}`;
export const tokenOf = (region: RegionId) => `token-of-${region}`;

/** What one Region of the fake answers to a path, whoever asks; anything else is 404. */
export type Answers = Readonly<Record<string, object>>;

/** Region services in name: they know logins and canned answers. */
export class FakeRegions {
  /** `us1 GET /path` with the login that came with it, in order; `/healthz` left out. */
  readonly asked: { readonly region: RegionId; readonly path: string; readonly login: string }[] = [];
  readonly #services: Listening[] = [];
  readonly #regions: { id: RegionId; url: string }[] = [];

  /**
   * @param answers what each Region that runs has
   * @param extra logins a Region takes beside its own account's token
   */
  static async start(
    answers: Partial<Record<RegionId, Answers>>,
    extra: Partial<Record<RegionId, string>> = {},
  ): Promise<FakeRegions> {
    const fake = new FakeRegions();
    for (const id of REGION_IDS) {
      const own = answers[id];
      if (own) await fake.#serve(id, own, [`${ACCOUNT}:${tokenOf(id)}`, ...(extra[id] ? [extra[id]] : [])]);
    }
    return fake;
  }

  async #serve(id: RegionId, answers: Answers, logins: readonly string[], name: string = id): Promise<void> {
    const service = await listen((req, res) => {
      res.setHeader('X-Home-Region', name);
      res.setHeader('Content-Type', 'application/json');
      const path = decodeURIComponent(req.url ?? '');
      if (path === '/healthz') return res.end('{}');
      const login = Buffer.from((req.headers.authorization ?? '').slice(6), 'base64').toString();
      this.asked.push({ region: id, path, login });
      const known = logins.includes(login);
      const found =
        path === '/trunkline/v1/Connections' ? (answers[path] ?? { connections: [] }) : answers[path];
      res.statusCode = !known ? 401 : found ? 200 : 404;
      const code = known ? 20404 : 20003;
      return res.end(JSON.stringify(known && found ? found : { code, message: `no: ${code}` }));
    });
    this.#services.push(service);
    this.#regions.push({ id, url: service.url });
  }

  /** Something else at the port of a Region. */
  async serveImpostor(id: RegionId): Promise<void> {
    await this.#serve(id, {}, [], 'somebody-else');
  }

  installation(changes: Partial<Installation> = {}): Installation {
    return {
      ...installationOf(this.#regions),
      account: { sid: ACCOUNT, tokens: new Map(REGION_IDS.map((id) => [id, tokenOf(id)])) },
      ...changes,
    };
  }

  async stop(): Promise<void> {
    for (const service of this.#services) await service.close();
  }
}

/** Where everything would be, with nothing running and no account known. */
export function installationOf(
  regions: Installation['regions'] = REGION_IDS.map((id, n) => ({ id, url: `http://127.0.0.1:${n + 1}` })),
): Installation {
  return {
    domain: 'trunkline.localhost',
    front: 'http://127.0.0.1:8080',
    regions,
    edges: new Map(EDGE_IDS.map((edge) => [edge, { host: '127.0.0.1', port: edgePort(edge, 5060) }])),
    rtp: { first: 10_000, last: 60_000 },
    account: undefined,
  };
}
