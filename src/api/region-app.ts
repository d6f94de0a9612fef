import express, { type Express, type RequestHandler, Router } from 'express';
import { createAccountDirectory } from './account-directory.ts';
import { answerError, unknownPath } from './answer.ts';
import { type AuthenticationOptions, authenticate, forAccountOfPath } from './authentication.ts';
import { createCredentialCheck } from './credentials.ts';
import { dashboard } from './dashboard/dashboard.ts';
import { type MountedRouter, openApi } from './open-api.ts';
import type { RegionOptions } from './region-options.ts';
import { accounts } from './resources/accounts.ts';
import { applications } from './resources/applications.ts';
import { authTokens } from './resources/auth-tokens.ts';
import { availableNumbers } from './resources/available-numbers.ts';
import { calls } from './resources/calls.ts';
import { connections } from './resources/connections.ts';
import { events } from './resources/events.ts';
import { incomingPhoneNumbers } from './resources/incoming-phone-numbers.ts';
import { keys } from './resources/keys.ts';
import { notifications } from './resources/notifications.ts';
import { outgoingCallerIds } from './resources/outgoing-caller-ids.ts';
import { recordings } from './resources/recordings.ts';
import { routes } from './resources/routes.ts';
import { routesInspection } from './resources/routes-inspection.ts';
import { registrations } from './resources/sip/registrations.ts';
import { sip } from './resources/sip/sip.ts';
import { timelines } from './resources/timelines.ts';
import { transcriptions } from './resources/transcriptions.ts';
import { answerXml } from './xml-form.ts';

type Resource = (options: RegionOptions, authentication: AuthenticationOptions) => Router;

/** What is served where: a resource is one import and one line here. The comment is where it is found. */
const VERSION_2010: readonly Resource[] = [
  accounts, // /Accounts
];
const OF_AN_ACCOUNT: readonly Resource[] = [
  applications, // /Applications
  availableNumbers, // /AvailablePhoneNumbers
  incomingPhoneNumbers, // /IncomingPhoneNumbers, and its /Local, /Mobile, /TollFree
  calls, // /Calls
  events, // /Calls/{CallSid}/Events
  notifications, // /Notifications, /Calls/{CallSid}/Notifications
  outgoingCallerIds, // /OutgoingCallerIds
  recordings, // /Recordings, /Calls/{CallSid}/Recordings
  transcriptions, // /Transcriptions, /Recordings/{RecordingSid}/Transcriptions
  keys, // /Keys, /SigningKeys
  sip, // /SIP/Domains, /SIP/IpAccessControlLists, /SIP/CredentialLists, and all below them
];
const V1: readonly Resource[] = [
  authTokens, // /AuthTokens
];
const V2: readonly Resource[] = [
  routes, // /PhoneNumbers, /SipDomains, /Trunks
];
const TRUNKLINE_V1: readonly Resource[] = [
  connections, // /Connections
  registrations, // /Registrations
  routesInspection, // /Routes
  timelines, // /Calls/{CallSid}/Timeline
];

const ROOT_2010 = '/2010-04-01';
const ACCOUNT_PATH = `${ROOT_2010}/Accounts/:accountSid`;

const LARGEST_FORM = '256kb'; // our choice: the largest parameter, Twiml, has 4,000 characters

/**
 * The HTTP side of one Region: REST under Twilio's paths, `/healthz`, `/metrics` and the pages. Whatever the
 * `Host` says, a request that arrives here is for this Region; the path tells the product.
 *
 * The 2010-04-01 API is JSON with the `.json` suffix and XML without one or with `.xml`; the others are JSON.
 */
export function regionApp(options: RegionOptions): Express {
  const authentication = authenticationOf(options);
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
  const mounted = mount(options, authentication);
  app.get('/openapi.json', (_req, res) => {
    res.json(openApi(options, mounted));
  });
  app.use('/dashboard', dashboard(options, authentication));
  app.use(answerXml());
  app.use(authenticate(authentication));
  app.use(express.text({ type: 'application/x-www-form-urlencoded', limit: LARGEST_FORM }));
  for (const { path, router } of mounted) app.use(path, router);
  app.use(unknownPath(options.region.id));
  app.use(answerError(options.logger.child({ region: options.region.id })));
  return app;
}

function authenticationOf(options: RegionOptions): AuthenticationOptions {
  return {
    region: options.region.id,
    check: createCredentialCheck(options),
    directory: createAccountDirectory(options),
    logger: options.logger,
  };
}

/** Every resource, in the order in which they are asked. */
function mount(options: RegionOptions, authentication: AuthenticationOptions): readonly MountedRouter[] {
  const ofAccount = Router({ caseSensitive: true, strict: true });
  ofAccount.use(ACCOUNT_PATH.slice(ROOT_2010.length), forAccountOfPath(authentication));
  const at = (path: string, resources: readonly Resource[]) =>
    resources.map((resource) => ({ path, router: resource(options, authentication) }));
  return [
    ...at(ROOT_2010, VERSION_2010),
    { path: ROOT_2010, router: ofAccount },
    ...at(ACCOUNT_PATH, OF_AN_ACCOUNT),
    ...at('/v1', V1),
    ...at('/v2', V2),
    ...at('/trunkline/v1', TRUNKLINE_V1),
  ];
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
