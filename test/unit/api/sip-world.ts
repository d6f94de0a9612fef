import type { Account } from '../../../src/config/accounts.ts';
import type { RegionId } from '../../../src/region/region.ts';
import type { RouteRecord } from '../../../src/routing/port.ts';
import { ACCOUNT, CREATED, RegionWorld, sid, World } from './support/region.ts';
import { type Form, type Login, Rest } from './support/rest.ts';

const ROOT = '/2010-04-01/Accounts';

export interface As {
  readonly sid: string;
  readonly login?: Login;
}

/** Three Regions, and what is done to SIP resources there: as the first account unless another is named. */
export class SipWorld {
  readonly world = new World();
  readonly regions = {
    us1: new RegionWorld('us1', this.world),
    ie1: new RegionWorld('ie1', this.world),
    au1: new RegionWorld('au1', this.world),
  };
  readonly rest = {
    us1: new Rest(this.regions.us1),
    ie1: new Rest(this.regions.ie1),
    au1: new Rest(this.regions.au1),
  };

  /** `below` is a path below `/SIP/`, without its suffix. */
  get(region: RegionId, below: string, as: As = FIRST) {
    return this.rest[region].get(this.path(below, as), as.login);
  }

  post(region: RegionId, below: string, form: Form, as: As = FIRST) {
    return this.rest[region].post(this.path(below, as), form, as.login);
  }

  remove(region: RegionId, below: string, as: As = FIRST) {
    return this.rest[region].delete(this.path(below, as), as.login);
  }

  path(below: string, as: As = FIRST): string {
    return `${ROOT}/${as.sid}/SIP/${below}.json`;
  }

  create(region: RegionId, domainName: string, form: Form = {}, as: As = FIRST) {
    return this.post(region, 'Domains', { DomainName: domainName, ...form }, as);
  }

  /** The path of a new domain, below `/SIP/`. */
  async domain(region: RegionId, name: string, as: As = FIRST): Promise<string> {
    const { status, body } = await this.create(region, `${name}.sip.twilio.com`, {}, as);
    if (status !== 201) throw new Error(`${name}: ${body.message}`);
    return `Domains/${body.sid}`;
  }

  /** The SID of a new list. */
  async list(
    region: RegionId,
    kind: 'IpAccessControlLists' | 'CredentialLists',
    as: As = FIRST,
  ): Promise<string> {
    const { status, body } = await this.post(region, kind, { FriendlyName: 'Mine' }, as);
    if (status !== 201) throw new Error(body.message);
    return body.sid;
  }

  route(name: string): Promise<RouteRecord | undefined> {
    return this.world.routes.fetch('sip-domain', name);
  }

  /** A subaccount of the first account, and its credentials in ie1. */
  subaccount(): Promise<As> {
    return this.rest.ie1.subaccount();
  }

  /** An account that has nothing to do with the first one, and its credentials in ie1. */
  async stranger(): Promise<As> {
    const account: Account = {
      sid: sid('AC', 7),
      friendlyName: 'Other',
      ownerAccountSid: sid('AC', 7),
      status: 'active',
      createdAt: CREATED,
      updatedAt: CREATED,
    };
    await this.world.accounts.create(account);
    const { primary } = await this.regions.ie1.config.tokens.tokensOf(account.sid);
    return { sid: account.sid, login: [account.sid, primary] };
  }
}

const FIRST: As = { sid: ACCOUNT };

/** What a refusal says, in short. */
export function codeOf({
  status,
  body,
}: {
  readonly status: number;
  readonly body: { readonly code?: number };
}) {
  return [status, body.code];
}
