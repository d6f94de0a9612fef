import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Logger } from '../../core/logger.ts';
import { restTarget } from '../../region/host-names.ts';
import { isRegionId, type RegionId } from '../../region/region.ts';
import type { MetricsPage } from '../region-options.ts';
import { answerJson, sendErrorBody } from './answer-json.ts';
import { RegionProxy } from './region-proxy.ts';
import { readRequestTarget } from './request-target.ts';

export interface FrontOptions {
  /** Every Region that runs, and where the front reaches its service: `http://host:port`. */
  readonly regions: readonly { readonly id: RegionId; readonly baseUrl: string }[];
  /** `TRUNKLINE_DOMAIN`; `twilio.com` is understood in its place. */
  readonly domain: string;
  /** Whether everything but the Regions' services (edges, call workers) can take calls. */
  readonly ready: () => Promise<boolean>;
  readonly metrics: MetricsPage;
  readonly logger: Logger;
}

export interface Front {
  readonly listener: RequestListener;
  /** Closes the idle connections to the Regions. */
  close(): void;
}

/**
 * The front: one address for all Regions, which selects a Region by the host a request is for and passes it on
 * whole. It knows no credentials and reads nothing; a host that names no Region properly is refused rather than
 * answered by us1 (see `restTarget`).
 *
 * Its own are `/healthz` (200 when everything is ready for calls, else 503) and `/metrics`. `/dashboard` is the
 * one of the Region that the host selects, or of `?region=`, which a cookie keeps for what the page loads.
 */
export function frontApp(options: FrontOptions): Front {
  const logger = options.logger;
  const proxies = new Map(
    options.regions.map(({ id, baseUrl }) => [id, new RegionProxy(id, baseUrl, logger)]),
  );
  const listener = (req: IncomingMessage, res: ServerResponse) => {
    const asked = readRequestTarget(req);
    if ('problem' in asked) return sendErrorBody(res, 400, 20001, asked.problem);
    const [path = '', query = ''] = asked.path.split('?', 2);
    if (path === '/healthz') return handle(health(options, proxies, res), res, logger);
    if (path === '/metrics') return handle(metrics(options.metrics, res), res, logger);
    const page = path === '/dashboard' || path.startsWith('/dashboard/');
    const chosen = page ? chosenRegion(req, res, query) : undefined;
    const target = chosen ? { region: chosen } : restTarget(asked.host, options.domain);
    if ('refused' in target) {
      logger.info({ host: asked.host, path }, `refused a ${target.refused} host name`);
      return sendErrorBody(res, 404, 20404, target.message);
    }
    const proxy = proxies.get(target.region);
    if (proxy) return proxy.forward(req, res, asked);
    const running = [...proxies.keys()].join(', ');
    sendErrorBody(res, 404, 20404, `Region ${target.region} does not run here; these do: ${running}.`);
  };
  return {
    listener,
    close: () => {
      for (const proxy of proxies.values()) proxy.close();
    },
  };
}

function handle(work: Promise<void>, res: ServerResponse, logger: Logger): void {
  work.catch((error: unknown) => {
    logger.error({ err: error }, 'the front failed to answer');
    if (!res.headersSent) sendErrorBody(res, 500, 20500, 'The front failed to answer; its log says more.');
  });
}

async function health(
  options: FrontOptions,
  proxies: ReadonlyMap<RegionId, RegionProxy>,
  res: ServerResponse,
): Promise<void> {
  const regions = [...proxies.values()];
  const [calls, ...ready] = await Promise.all([options.ready(), ...regions.map((proxy) => proxy.ready())]);
  const word = (is: boolean | undefined) => (is ? 'ready' : 'not ready');
  const checks = Object.fromEntries(regions.map((proxy, n) => [proxy.id, word(ready[n])]));
  const all = calls && ready.every(Boolean);
  answerJson(res, all ? 200 : 503, { status: word(all), checks: { calls: word(calls), ...checks } });
}

async function metrics(page: MetricsPage, res: ServerResponse): Promise<void> {
  const text = await page.metrics();
  res.writeHead(200, { 'Content-Type': page.contentType });
  res.end(text);
}

const COOKIE = 'trunkline_region';

/** The Region whose dashboard is wanted: as asked now, or as asked before by the same browser. */
function chosenRegion(req: IncomingMessage, res: ServerResponse, query: string): RegionId | undefined {
  const asked = new URLSearchParams(query).get('region') ?? '';
  if (isRegionId(asked)) {
    res.setHeader('Set-Cookie', `${COOKIE}=${asked}; Path=/dashboard; SameSite=Strict; HttpOnly`);
    return asked;
  }
  const cookies = (req.headers.cookie ?? '').split(/;\s*/).map((cookie) => cookie.split('=', 2));
  const kept = cookies.find(([name]) => name === COOKIE)?.[1] ?? '';
  return isRegionId(kept) ? kept : undefined;
}
