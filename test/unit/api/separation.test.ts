import { beforeEach, describe, expect, it } from 'vitest';
import { type ServedOperation, servedOperations } from './support/operations.ts';
import { ACCOUNT, RegionWorld, sid } from './support/region.ts';
import { type Form, type Login, Rest } from './support/rest.ts';

/** Two accounts of one Region: one that has something of everything, and one that asks for it. */
let region: RegionWorld;
let rest: Rest;
let rich: { readonly sid: string; readonly login: Login };
let poor: { readonly sid: string; readonly login: Login };
/** What the rich one has: SIDs, numbers, names. */
let belongings: readonly string[];

/** How one of each is made, as far as the API makes it; `{}` is the account. */
const MADE: readonly (readonly [path: string, form: Form])[] = [
  ['/2010-04-01/Accounts/{}/IncomingPhoneNumbers.json', { PhoneNumber: '+15105550123' }],
  ['/2010-04-01/Accounts/{}/Applications.json', { FriendlyName: 'rich-application' }],
  ['/2010-04-01/Accounts/{}/Keys.json', { FriendlyName: 'rich-key' }],
  [
    '/2010-04-01/Accounts/{}/SIP/Domains.json',
    { DomainName: 'rich.sip.twilio.com', FriendlyName: 'rich-domain' },
  ],
  ['/2010-04-01/Accounts/{}/SIP/CredentialLists.json', { FriendlyName: 'rich-list' }],
  ['/2010-04-01/Accounts/{}/SIP/IpAccessControlLists.json', { FriendlyName: 'rich-list' }],
];

beforeEach(async () => {
  region = new RegionWorld('ie1');
  rest = new Rest(region);
  [rich, poor] = [await rest.subaccount('rich'), await rest.subaccount('poor')];
  const call = await region.addCall(1, {
    account_sid: rich.sid,
    diagnostics: [{ code: 11200, message: 'x', level: 'error' }] as never,
  });
  const recording = await region.addRecording(1, Buffer.from('RIFF'), { account_sid: rich.sid });
  const made = [];
  for (const [path, form] of MADE) {
    const { status, body } = await rest.post(path.replace('{}', rich.sid), form, rich.login);
    if (status === 201) made.push(body.sid);
    else expect(status, path).toBe(404); // not served
  }
  expect(made.length).toBeGreaterThanOrEqual(3);
  belongings = [rich.sid, call.sid, recording.sid, '+15105550123', 'rich', ...made];
});

/** A path for an account, whose other names are something of the rich one's that may fit. */
function paths({ path }: ServedOperation, accountSid: string): readonly string[] {
  const of = path.replace('{AccountSid}', accountSid);
  const hole = /\{(\w+)\}/;
  if (!hole.test(of)) return [of];
  return belongings.map((belonging) => of.replace(/\{\w+\}/g, encodeURIComponent(belonging)));
}

const send = (operation: ServedOperation, path: string, login: Login) =>
  operation.method === 'post'
    ? rest.post(path, { FriendlyName: 'taken over', VoiceRegion: 'us1', Status: 'completed' }, login)
    : rest[operation.method](path, login);

/** What a body says apart from what was asked for, which errors and pages repeat. */
function told(body: unknown, asked: string): string {
  return JSON.stringify(body ?? '')
    .replaceAll(decodeURIComponent(asked), '')
    .replaceAll(asked, '');
}

describe('another account of the same Region', () => {
  it('is shown nothing, under its own path, the other’s, and without one', async () => {
    for (const operation of (await servedOperations()).filter(({ method }) => method === 'get')) {
      for (const account of [poor.sid, rich.sid]) {
        for (const path of paths(operation, account)) {
          const { status, body } = await send(operation, path, poor.login);
          const shown = told(body, path);
          for (const belonging of belongings.filter((one) => !path.includes(one))) {
            expect(shown, `${operation.id} ${path}`).not.toContain(belonging);
          }
          if (account === rich.sid && path.includes(rich.sid)) expect(status, path).toBe(404);
        }
      }
    }
  });

  it('finds nothing by its name', async () => {
    const byName = (await servedOperations()).filter(
      ({ method, path }) => method === 'get' && /\{(?!AccountSid|CountryCode)\w+\}/.test(path),
    );
    for (const operation of byName) {
      for (const path of paths(operation, poor.sid)) {
        const { status } = await send(operation, path, poor.login);
        expect(status, `${operation.id} ${path}`).toBe(404);
      }
    }
  });

  it('changes and deletes nothing', async () => {
    const state = async () =>
      JSON.stringify(
        await Promise.all(
          MADE.map(async ([path]) => {
            const { body } = await rest.get(path.replace('{}', rich.sid), rich.login);
            return body;
          }),
        ),
      );
    const before = await state();
    const writing = (await servedOperations()).filter(
      ({ method, path }) => method !== 'get' && /\{(?!AccountSid)\w+\}/.test(path),
    );
    for (const operation of writing) {
      for (const path of [...paths(operation, poor.sid), ...paths(operation, rich.sid)]) {
        const { status } = await send(operation, path, poor.login);
        expect(status, `${operation.method} ${path}`).toBeGreaterThanOrEqual(400);
      }
    }
    expect(await state()).toBe(before);
    expect((await region.store.fetch(sid('CA', 1)))?.status).toBe('completed');
    expect(await region.store.fetchRecording(sid('RE', 1))).toBeDefined();
  });
});

it('the parent sees a subaccount’s things under its path, and none among its own', async () => {
  const lists = (await servedOperations()).filter(
    ({ method, path }) =>
      method === 'get' && !/\{(?!AccountSid)\w+\}/.test(path) && path.includes('{AccountSid}'),
  );
  expect(lists.length).toBeGreaterThan(5);
  for (const operation of lists) {
    const own = await rest.get(operation.path.replace('{AccountSid}', ACCOUNT));
    for (const belonging of belongings) expect(told(own.body, ''), operation.id).not.toContain(belonging);
  }
  const numbers = await rest.get(`/2010-04-01/Accounts/${rich.sid}/IncomingPhoneNumbers.json`);
  expect(told(numbers.body, '')).toContain('+15105550123');
});

it('the connections of the Region, which all accounts use, are changed by the first one alone', async () => {
  const { body } = await rest.get('/trunkline/v1/Connections', poor.login);
  const path = `/trunkline/v1/Connections/${body.connections[0].sid}`;
  for (const refused of [
    rest.post(path, { Status: 'inactive' }, poor.login),
    rest.post('/trunkline/v1/Connections', { Exchange: 'london-ix' }, poor.login),
  ]) {
    const { status, body: told } = await refused;
    expect([status, told.code]).toEqual([403, 20006]);
  }
  expect((await rest.post(path, { Status: 'inactive' })).body.status).toBe('inactive');
});
