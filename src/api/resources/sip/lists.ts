import type { Router } from 'express';
import { type AccountRecord, mappingSid, type SipDomain } from '../../../config/sip.ts';
import { rfc2822 } from '../../../core/dates.ts';
import { accountOf } from '../../account-of.ts';
import { resource } from '../../answer.ts';
import { invalid } from '../../api-error.ts';
import { PAGING } from '../../operation.ts';
import { formOf, type Parameters } from '../../parameters.ts';
import { recordPage } from '../../record-page.ts';
import type { RegionOptions } from '../../region-options.ts';
import { sipPath } from './domain-resource.ts';
import type { ListKind } from './list-kinds.ts';
import { absent, ownedBy } from './owned.ts';

/** The lists of one kind: who may call by address, or by name and password. */
export function lists(router: Router, options: RegionOptions, kind: ListKind): void {
  const records = kind.records(options.config.records);
  const view = (list: AccountRecord) => listResource(kind, list);
  const parameters = { FriendlyName: 'string' } as const;
  resource(
    router,
    `/SIP/${kind.plural}{.json}`,
    {
      async get(req, res) {
        res.json(recordPage(req, kind.key, await records.list(accountOf(req)), view));
      },
      async post(req, res) {
        res.status(201).json(view(await createList(options, kind, accountOf(req), formOf(req))));
      },
    },
    {
      get: { id: `List${kind.id}`, parameters: PAGING },
      post: { id: `Create${kind.id}`, parameters, required: ['FriendlyName'] },
    },
  );
  resource(
    router,
    `/SIP/${kind.plural}/:sid{.json}`,
    {
      async get(req, res) {
        res.json(view(await ownedBy(options, req, records, 'sid')));
      },
      async post(req, res) {
        const { sid } = await ownedBy(options, req, records, 'sid');
        const friendlyName = nameOf(kind, formOf(req));
        const next = (before: AccountRecord) => ({ ...before, friendlyName, updatedAt: options.clock.now() });
        const changed = await records.change(sid, next);
        if (typeof changed !== 'object') throw absent(options, req);
        res.json(view(changed));
      },
      async delete(req, res) {
        await deleteList(options, kind, await ownedBy(options, req, records, 'sid'));
        res.status(204).end();
      },
    },
    {
      get: { id: `Fetch${kind.id}` },
      post: { id: `Update${kind.id}`, parameters, required: ['FriendlyName'] },
      delete: { id: `Delete${kind.id}` },
    },
  );
}

async function createList(
  { config, ids, clock, region }: RegionOptions,
  kind: ListKind,
  accountSid: string,
  form: Parameters,
): Promise<AccountRecord> {
  const now = clock.now();
  const friendlyName = nameOf(kind, form);
  const list = { sid: ids.sid(kind.prefix), accountSid, friendlyName, createdAt: now, updatedAt: now };
  if ((await kind.records(config.records).create(list, kind.limit)) === 'created') return list;
  throw invalid(
    kind.codes.full,
    `The account has ${kind.limit} ${kind.name}s in ${region.id}, the most it may have.`,
  );
}

function nameOf({ codes, longestName }: ListKind, form: Parameters): string {
  const name = form.filled('FriendlyName');
  if (name === undefined)
    throw invalid(codes.invalid, `FriendlyName is required; give 1 to ${longestName} characters.`);
  if (name.length <= longestName) return name;
  throw invalid(
    codes.invalid,
    `FriendlyName has ${name.length} characters; it may have at most ${longestName}.`,
  );
}

/**
 * Deletes a list that no domain maps, with its members. The list itself is removed last, so that whoever tries again
 * after a failure finds it. What is added to it or maps it meanwhile goes with it.
 */
async function deleteList(
  { config, region }: RegionOptions,
  kind: ListKind,
  list: AccountRecord,
): Promise<void> {
  const { records } = config;
  const domains = await records.domains.list(list.accountSid);
  const mapped = await mappingsTo(domains, list);
  const [first] = mapped;
  if (first) {
    const { domainName } = domains.find(({ sid }) => sid === first.domainSid) ?? {
      domainName: first.domainSid,
    };
    throw invalid(
      kind.codes.mapped,
      `The ${kind.name} ${list.sid} is in use by ${domainName} in ${region.id}: delete its ${mapped.length} mappings first.`,
    );
  }
  await removeMembers();
  await kind.records(records).remove(list.sid);
  await removeMembers();
  const late = await mappingsTo(await records.domains.list(list.accountSid), list);
  await Promise.all(late.map(({ sid }) => records.mappings.remove(sid)));

  async function removeMembers(): Promise<void> {
    const members = kind.membersOf(records);
    await Promise.all((await members.list(list.sid)).map(({ sid }) => members.remove(sid)));
  }

  async function mappingsTo(all: readonly SipDomain[], { sid: listSid }: AccountRecord) {
    const uses = ['legacy', 'calls', 'registrations'] as const;
    const sids = all.flatMap(({ sid: domainSid }) =>
      uses.map((use) => mappingSid({ domainSid, use, listSid })),
    );
    const found = await Promise.all(sids.map((sid) => records.mappings.fetch(sid)));
    return found.filter((mapping) => mapping !== undefined);
  }
}

function listResource({ plural, members }: ListKind, list: AccountRecord): object {
  const path = `${sipPath(list.accountSid)}/${plural}/${list.sid}`;
  return {
    account_sid: list.accountSid,
    date_created: rfc2822(list.createdAt),
    date_updated: rfc2822(list.updatedAt),
    friendly_name: list.friendlyName,
    sid: list.sid,
    subresource_uris: { [members.key]: `${path}/${members.plural}.json` },
    uri: `${path}.json`,
  };
}
