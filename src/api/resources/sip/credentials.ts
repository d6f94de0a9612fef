import type { Request, Router } from 'express';
import type { AccountRecord, SipCredential } from '../../../config/sip.ts';
import { rfc2822 } from '../../../core/dates.ts';
import { resource } from '../../answer.ts';
import { invalid } from '../../api-error.ts';
import { PAGING } from '../../operation.ts';
import { formOf, type Parameters } from '../../parameters.ts';
import { recordPage } from '../../record-page.ts';
import type { RegionOptions } from '../../region-options.ts';
import { sipPath } from './domain-resource.ts';
import { SIP_LIMITS } from './limits.ts';
import { absent, ownedBy } from './owned.ts';
import { INVALID_CREDENTIAL, readPassword, readUsername, secretsOf } from './secrets.ts';

const PATH = '/SIP/CredentialLists/:credentialListSid/Credentials';

/**
 * The credentials of a credential list. A password goes in and never comes out.
 *
 * @see https://www.twilio.com/docs/voice/sip/api/sip-credential-resource
 */
export function credentials(router: Router, options: RegionOptions): void {
  const { credentials: records, credentialLists } = options.config.records;
  const listOf = (req: Request) => ownedBy(options, req, credentialLists, 'credentialListSid');
  resource(
    router,
    `${PATH}{.json}`,
    {
      async get(req, res) {
        const { sid } = await listOf(req);
        res.json(recordPage(req, 'credentials', await records.list(sid), credentialResource));
      },
      async post(req, res) {
        const credential = await createCredential(options, await listOf(req), formOf(req));
        if (!credential) throw absent(options, req);
        res.status(201).json(credentialResource(credential));
      },
    },
    {
      get: { id: 'ListSipCredential', parameters: PAGING },
      post: {
        id: 'CreateSipCredential',
        parameters: { Username: 'string', Password: 'string' },
        required: ['Username', 'Password'],
      },
    },
  );
  one(router, options, listOf);
}

function one(router: Router, options: RegionOptions, listOf: (req: Request) => Promise<AccountRecord>): void {
  const { credentials: records } = options.config.records;
  const credentialOf = async (req: Request) => {
    const list = await listOf(req);
    const credential = await ownedBy(options, req, records, 'sid');
    if (credential.listSid !== list.sid) throw absent(options, req);
    return credential;
  };
  resource(
    router,
    `${PATH}/:sid{.json}`,
    {
      async get(req, res) {
        res.json(credentialResource(await credentialOf(req)));
      },
      async post(req, res) {
        const credential = await credentialOf(req);
        const password = readPassword(formOf(req));
        const changed =
          password === undefined
            ? credential
            : await records.change(credential.sid, (before) => ({
                ...before,
                secrets: secretsOf(before.username, password),
                updatedAt: options.clock.now(),
              }));
        if (typeof changed !== 'object') throw absent(options, req);
        res.json(credentialResource(changed));
      },
      async delete(req, res) {
        await records.remove((await credentialOf(req)).sid);
        res.status(204).end();
      },
    },
    {
      get: { id: 'FetchSipCredential' },
      post: { id: 'UpdateSipCredential', parameters: { Password: 'string' } },
      delete: { id: 'DeleteSipCredential' },
    },
  );
}

/** Undefined when the list was deleted meanwhile: nothing is left of the credential then. */
async function createCredential(
  { config, ids, clock }: RegionOptions,
  list: AccountRecord,
  form: Parameters,
): Promise<SipCredential | undefined> {
  const { credentials: records, credentialLists } = config.records;
  const username = readUsername(form);
  const password = readPassword(form);
  if (password === undefined) throw invalid(INVALID_CREDENTIAL, 'Password is required.');
  const now = clock.now();
  const credential: SipCredential = {
    sid: ids.sid('CR'),
    accountSid: list.accountSid,
    listSid: list.sid,
    username,
    secrets: secretsOf(username, password),
    createdAt: now,
    updatedAt: now,
  };
  const made = await records.create(credential, SIP_LIMITS.credentials);
  if (made === 'taken') {
    throw invalid(
      INVALID_CREDENTIAL,
      `Username ${username} exists in ${list.sid} already: update its password there, or choose another name.`,
    );
  }
  if (made === 'full') {
    throw invalid(
      21242,
      `${list.sid} has ${SIP_LIMITS.credentials} credentials, the most it may have: map another list beside it.`,
    );
  }
  if (await credentialLists.fetch(list.sid)) return credential;
  await records.remove(credential.sid);
  return undefined;
}

function credentialResource(credential: SipCredential): object {
  const list = `${sipPath(credential.accountSid)}/CredentialLists/${credential.listSid}`;
  return {
    sid: credential.sid,
    account_sid: credential.accountSid,
    credential_list_sid: credential.listSid,
    username: credential.username,
    date_created: rfc2822(credential.createdAt),
    date_updated: rfc2822(credential.updatedAt),
    uri: `${list}/Credentials/${credential.sid}.json`,
  };
}
