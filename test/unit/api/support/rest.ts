import request from 'supertest';
import { regionApp } from '../../../../src/api/region-app.ts';
import type { RegionOptions } from '../../../../src/api/region-options.ts';
import { ACCOUNT, type RegionWorld } from './region.ts';

export type Form = Readonly<Record<string, string>>;

/** Credentials: an account or a key, and its secret. */
export type Login = readonly [user: string, password: string];

/** Asks one Region's API, whose state lives as long as this: as the first account unless a login is given. */
export class Rest {
  readonly #app: ReturnType<typeof regionApp>;
  readonly #login: Login;

  constructor(region: RegionWorld, changes: Partial<RegionOptions> = {}) {
    this.#app = regionApp(region.options(changes));
    this.#login = [ACCOUNT, region.token];
  }

  get(path: string, [user, password]: Login = this.#login) {
    return request(this.#app).get(path).auth(user, password);
  }

  post(path: string, form: Form = {}, [user, password]: Login = this.#login) {
    return request(this.#app).post(path).auth(user, password).type('form').send(form);
  }

  delete(path: string, [user, password]: Login = this.#login) {
    return request(this.#app).delete(path).auth(user, password);
  }

  /** A subaccount of the first account, and its credentials here. */
  async subaccount(name = 'Sub'): Promise<{ readonly sid: string; readonly login: Login }> {
    const { body } = await this.post('/2010-04-01/Accounts.json', { FriendlyName: name });
    return { sid: body.sid, login: [body.sid, body.auth_token] };
  }

  /** An API key of an account. */
  async key(accountSid = ACCOUNT, login: Login = this.#login): Promise<Login> {
    const { body } = await this.post(`/2010-04-01/Accounts/${accountSid}/Keys.json`, {}, login);
    return [body.sid, body.secret];
  }
}
