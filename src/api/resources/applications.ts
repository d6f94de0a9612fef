import { type Request, Router } from 'express';
import type { Application } from '../../config/applications.ts';
import { isSid } from '../../core/ids.ts';
import { accountOf } from '../account-of.ts';
import { resource } from '../answer.ts';
import { missing } from '../api-error.ts';
import { PAGING } from '../operation.ts';
import { formOf, queryOf } from '../parameters.ts';
import { recordPage } from '../record-page.ts';
import type { RegionOptions } from '../region-options.ts';
import {
  APPLICATION_PARAMETERS,
  applicationResource,
  blankApplication,
  withForm,
} from './application-resource.ts';

/**
 * TwiML applications of this Region: a set of URLs that numbers, calls and `<Dial><Application>` name by SID. A SID of
 * another Region is unknown here.
 *
 * @see https://www.twilio.com/docs/usage/api/applications
 */
export function applications(options: RegionOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const { applications: records } = options.config.records;
  resource(
    router,
    '/Applications{.json}',
    {
      async get(req, res) {
        const name = queryOf(req).filled('FriendlyName');
        const found = await records.list(accountOf(req));
        const named = found.filter(({ friendlyName }) => name === undefined || friendlyName === name);
        res.json(recordPage(req, 'applications', named, applicationResource));
      },
      async post(req, res) {
        const { ids, clock } = options;
        const now = clock.now();
        const blank = blankApplication(ids.sid('AP'), accountOf(req), now);
        const application = withForm(formOf(req), blank, now);
        await records.create(application);
        res.status(201).json(applicationResource(application));
      },
    },
    {
      element: 'Application',
      get: { id: 'ListApplication', parameters: { FriendlyName: 'string', ...PAGING } },
      post: { id: 'CreateApplication', parameters: APPLICATION_PARAMETERS },
    },
  );
  resource(
    router,
    '/Applications/:sid{.json}',
    {
      async get(req, res) {
        res.json(applicationResource(await owned(options, req)));
      },
      async post(req, res) {
        const { sid } = await owned(options, req);
        const form = formOf(req);
        const now = options.clock.now();
        const changed = await records.change(sid, (before) => withForm(form, before, now));
        if (changed === undefined || changed === 'taken') throw gone(options, req);
        res.json(applicationResource(changed));
      },
      async delete(req, res) {
        const application = await owned(options, req);
        await letGo(options, application);
        await records.remove(application.sid);
        res.status(204).end();
      },
    },
    {
      element: 'Application',
      get: { id: 'FetchApplication' },
      post: { id: 'UpdateApplication', parameters: APPLICATION_PARAMETERS },
      delete: { id: 'DeleteApplication' },
    },
  );
  return router;
}

async function owned(options: RegionOptions, req: Request): Promise<Application> {
  const application = await applicationOf(options, accountOf(req), String(req.params['sid']));
  if (application) return application;
  throw gone(options, req);
}

function gone({ region }: RegionOptions, req: Request): Error {
  return missing(req.originalUrl.split('?')[0] ?? '', region.id);
}

/** The account's application in this Region, if there is one with this SID. */
export async function applicationOf(
  { config }: RegionOptions,
  accountSid: string,
  sid: string,
): Promise<Application | undefined> {
  const application = isSid(sid, 'AP') ? await config.records.applications.fetch(sid) : undefined;
  return application?.accountSid === accountSid ? application : undefined;
}

/**
 * Numbers that an application answered are answered by their own URLs again.
 *
 * @see https://www.twilio.com/docs/usage/api/applications#delete-an-application-resource
 */
async function letGo({ ownership, config, clock }: RegionOptions, application: Application): Promise<void> {
  for (const { sid } of await ownership.list(application.accountSid)) {
    const number = await config.number(sid);
    if (number?.voiceApplicationSid !== application.sid) continue;
    await config.saveNumber({ ...number, voiceApplicationSid: null, updatedAt: clock.now() });
  }
}
