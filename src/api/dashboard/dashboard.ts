import { type Express, Router } from 'express';
import { notFound } from '../api-error.ts';
import type { AuthenticationOptions } from '../authentication.ts';
import type { RegionOptions } from '../region-options.ts';
import { pageAccess } from './access.ts';
import { overview } from './overview.ts';
import { dashboardPage } from './page.ts';
import { queuePage } from './queues.ts';

const CONTENT_SECURITY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'";

/** `/dashboard` of a Region: live and latest calls, numbers and their Regions; `/dashboard/queues`: bull-board. */
export function dashboard(options: RegionOptions, authentication: AuthenticationOptions): Router {
  const router = Router({ caseSensitive: true });
  router.use(pageAccess(options, authentication));
  router.get('/', (_req, res) => {
    res.set('Content-Security-Policy', CONTENT_SECURITY).type('html').send(dashboardPage(options));
  });
  router.get('/overview.json', async (req, res) => {
    res.json(await overview(options, req));
  });
  let page: Promise<Express> | undefined;
  router.use('/queues', async (req, res, next) => {
    const { queues = [], region } = options;
    if (queues.length === 0) throw notFound(`The queues of ${region.id} are not shown by this process.`);
    page ??= queuePage(queues, '/dashboard/queues', `Trunkline ${region.id}`);
    const app = await page;
    app(req, res, next);
  });
  return router;
}
