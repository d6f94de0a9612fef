import type { Request, Router } from 'express';
import type { AccountRecord, IpAddress } from '../../../config/sip.ts';
import { rfc2822 } from '../../../core/dates.ts';
import { resource } from '../../answer.ts';
import { invalid } from '../../api-error.ts';
import { PAGING } from '../../operation.ts';
import { formOf, type Parameters } from '../../parameters.ts';
import { recordPage } from '../../record-page.ts';
import type { RegionOptions } from '../../region-options.ts';
import { sipPath } from './domain-resource.ts';
import { INVALID_ADDRESS, readAddress } from './ip-address.ts';
import { SIP_LIMITS } from './limits.ts';
import { absent, ownedBy } from './owned.ts';

const LONGEST_NAME = 255; // https://www.twilio.com/docs/voice/sip/api/sip-ipaddress-resource

const PARAMETERS = { FriendlyName: 'string', IpAddress: 'string', CidrPrefixLength: 'integer' } as const;

const PATH = '/SIP/IpAccessControlLists/:ipAccessControlListSid/IpAddresses';

/**
 * The addresses of an IP access control list.
 *
 * @see https://www.twilio.com/docs/voice/sip/api/sip-ipaddress-resource
 */
export function addresses(router: Router, options: RegionOptions): void {
  const { addresses: records, accessLists } = options.config.records;
  const listOf = (req: Request) => ownedBy(options, req, accessLists, 'ipAccessControlListSid');
  resource(
    router,
    `${PATH}{.json}`,
    {
      async get(req, res) {
        const { sid } = await listOf(req);
        res.json(recordPage(req, 'ip_addresses', await records.list(sid), addressResource));
      },
      async post(req, res) {
        const address = await createAddress(options, await listOf(req), formOf(req));
        if (!address) throw absent(options, req);
        res.status(201).json(addressResource(address));
      },
    },
    {
      get: { id: 'ListSipIpAddress', parameters: PAGING },
      post: { id: 'CreateSipIpAddress', parameters: PARAMETERS, required: ['FriendlyName', 'IpAddress'] },
    },
  );
  one(router, options, listOf);
}

function one(router: Router, options: RegionOptions, listOf: (req: Request) => Promise<AccountRecord>): void {
  const { addresses: records } = options.config.records;
  const addressOf = async (req: Request) => {
    const list = await listOf(req);
    const address = await ownedBy(options, req, records, 'sid');
    if (address.listSid !== list.sid) throw absent(options, req);
    return address;
  };
  resource(
    router,
    `${PATH}/:sid{.json}`,
    {
      async get(req, res) {
        res.json(addressResource(await addressOf(req)));
      },
      async post(req, res) {
        const { sid } = await addressOf(req);
        const form = formOf(req);
        const changed = await records.change(sid, (before) => ({
          ...before,
          ...readAddress(form, before),
          friendlyName: friendlyName(form) ?? before.friendlyName,
          updatedAt: options.clock.now(),
        }));
        if (typeof changed !== 'object') throw absent(options, req);
        res.json(addressResource(changed));
      },
      async delete(req, res) {
        await records.remove((await addressOf(req)).sid);
        res.status(204).end();
      },
    },
    {
      get: { id: 'FetchSipIpAddress' },
      post: { id: 'UpdateSipIpAddress', parameters: PARAMETERS },
      delete: { id: 'DeleteSipIpAddress' },
    },
  );
}

/** Undefined when the list was deleted meanwhile: nothing is left of the address then. */
async function createAddress(
  { config, ids, clock }: RegionOptions,
  list: AccountRecord,
  form: Parameters,
): Promise<IpAddress | undefined> {
  const { addresses: records, accessLists } = config.records;
  const name = friendlyName(form);
  if (name === undefined) {
    throw invalid(INVALID_ADDRESS, `FriendlyName is required; give 1 to ${LONGEST_NAME} characters.`);
  }
  const now = clock.now();
  const address: IpAddress = {
    sid: ids.sid('IP'),
    accountSid: list.accountSid,
    listSid: list.sid,
    friendlyName: name,
    ...readAddress(form),
    createdAt: now,
    updatedAt: now,
  };
  if ((await records.create(address, SIP_LIMITS.addresses)) !== 'created') {
    throw invalid(
      21237,
      `${list.sid} has ${SIP_LIMITS.addresses} addresses, the most it may have: map another list beside it.`,
    );
  }
  if (await accessLists.fetch(list.sid)) return address;
  await records.remove(address.sid);
  return undefined;
}

function friendlyName(form: Parameters): string | undefined {
  const name = form.filled('FriendlyName');
  if (name === undefined || name.length <= LONGEST_NAME) return name;
  throw invalid(
    INVALID_ADDRESS,
    `FriendlyName has ${name.length} characters; it may have at most ${LONGEST_NAME}.`,
  );
}

function addressResource(address: IpAddress): object {
  const list = `${sipPath(address.accountSid)}/IpAccessControlLists/${address.listSid}`;
  return {
    sid: address.sid,
    account_sid: address.accountSid,
    friendly_name: address.friendlyName,
    ip_address: address.ipAddress,
    cidr_prefix_length: address.cidrPrefixLength,
    ip_access_control_list_sid: address.listSid,
    date_created: rfc2822(address.createdAt),
    date_updated: rfc2822(address.updatedAt),
    uri: `${list}/IpAddresses/${address.sid}.json`,
  };
}
