import express, { type Express, type RequestHandler, type Router } from 'express';
import { accountOf, assignAccount } from './account-of.ts';
import { answerError, unknownPath } from './answer.ts';
import { missing } from './api-error.ts';
import { authenticate } from './authentication.ts';
import { dashboard } from './dashboard/dashboard.ts';
import type { RegionOptions } from './region-options.ts';
import { calls } from './resources/calls.ts';
import { connections } from './resources/connections.ts';
import { incomingPhoneNumbers } from './resources/incoming-phone-numbers.ts';
import { recordings } from './resources/recordings.ts';
import { routes } from './resources/routes.ts';

type Resource = (options: RegionOptions) => Router;

/** What is served where: a resource is one import and one line here. The comment is where it is found. */
const OF_AN_ACCOUNT: readonly Resource[] = [
  incomingPhoneNumbers, // /IncomingPhoneNumbers
  calls, // /Calls
  recordings, // /Recordings, /Calls/{CallSid}/Recordings
];
const V2: readonly Resource[] = [
  routes, // /PhoneNumbers
];
const TRUNKLINE_V1: readonly Resource[] = [
  connections, // /Connections
];

const LARGEST_FORM = '256kb'; // our choice: the largest parameter, Twiml, has 4,000 characters

/**
 * The HTTP side of one Region: REST under Twilio's paths, `/healthz`, `/metrics` and the pages. Whatever the
 * `Host` says, a request that arrives here is for this Region; the path tells the product.
 *
 * JSON is answered with the `.json` suffix and without one; XML, CSV and HTML are not offered.
 */
export function regionApp(options: RegionOptions): Express {
  // An empty token would be matched by an empty password.
  if (!options.authToken) throw new Error(`Region ${options.region.id} has no auth token`);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag'); // no client of these resources revalidates
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.set('query parser', false); // queries are read by `queryOf`
  app.use(identify(options));
  app.get('/healthz', async (_req, res) => {
    const { ready, checks } = await options.health();
    const status = ready ? 'ready' : 'not ready';
    res.status(ready ? 200 : 503).json({ status, region: options.region.id, checks });
  });
  app.get('/metrics', async (_req, res) => {
    res.set('Content-Type', options.metrics.contentType).send(await options.metrics.metrics());
  });
  app.use('/dashboard', dashboard(options));
  app.use(authenticate({ ...options, region: options.region.id }));
  app.use(express.text({ type: 'application/x-www-form-urlencoded', limit: LARGEST_FORM }));
  app.use('/2010-04-01/Accounts/:accountSid', ofAccount(options));
  for (const resource of OF_AN_ACCOUNT) app.use('/2010-04-01/Accounts/:accountSid', resource(options));
  for (const resource of V2) app.use('/v2', resource(options));
  for (const resource of TRUNKLINE_V1) app.use('/trunkline/v1', resource(options));
  app.use(unknownPath(options.region.id));
  app.use(answerError(options.logger.child({ region: options.region.id })));
  return app;
}

/** A path of another account holds nothing for this one, unless that is its subaccount. */
function ofAccount({ accounts, region }: RegionOptions): RequestHandler {
  return async (req, _res, next) => {
    const asked = String(req.params['accountSid']);
    const asking = accountOf(req);
    if (asked !== asking && (await accounts.fetch(asked))?.ownerAccountSid !== asking) {
      throw missing(req.originalUrl.split('?')[0] ?? '', region.id);
    }
    assignAccount(req, asked);
    next();
  };
}

/** Says which Region answered and names the request, as Twilio's own headers do. */
function identify({ region, ids, clock, logger }: RegionOptions): RequestHandler {
  return (req, res, next) => {
    const requestId = `RQ${ids.token(16)}`;
    const since = clock.monotonic();
    res.set({ 'Twilio-Request-Id': requestId, 'X-Home-Region': region.id });
    res.once('finish', () => {
      const { method, originalUrl } = req;
      const ms = Math.round(clock.monotonic() - since);
      logger.debug({ region: region.id, requestId, method, url: originalUrl, status: res.statusCode, ms });
    });
    next();
  };
}
