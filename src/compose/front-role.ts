import { frontApp } from '../api/front/front-app.ts';
import { listenHttp } from './http-listener.ts';
import { mergedMetrics } from './merged-metrics.ts';
import { formatAddress, reachable, regionAddress } from './ports.ts';
import { everyProcessMetrics, type Role, type RoleContext } from './role.ts';

/** The front: routes by host name, holds no credential and no store. */
export async function startFront(context: RoleContext): Promise<Role> {
  const { settings, clock, logger, metrics } = context;
  const regions = settings.regions.map((id) => ({
    id,
    baseUrl: settings.regionUrl[id] ?? `http://${formatAddress(reachable(regionAddress(settings, id)))}`,
  }));
  const front = frontApp({
    regions,
    domain: settings.domain,
    logger,
    // A Region's own health counts its edges and call workers.
    ready: async () => true,
    metrics: mergedMetrics(metrics, everyProcessMetrics(clock)),
  });
  const server = await listenHttp(front.listener, settings.http, 'the front');
  return {
    async stop() {
      front.close();
      await server.close();
    },
  };
}
