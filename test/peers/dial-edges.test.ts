import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EDGE_IDS, edgePort } from '../../src/region/edge.ts';
import { until } from '../support/until.ts';
import { DialWorld } from './support/dial-world.ts';
import { answers, type Heard, RawCallee } from './support/raw-callee.ts';

const connection = z.object({ sid: z.string(), exchange: z.string(), status: z.string() });

let world: DialWorld;
const callees: RawCallee[] = [];

async function callee(): Promise<RawCallee> {
  const one = await RawCallee.open(answers);
  callees.push(one);
  return one;
}

/** The private connections of us1, as its API says it. */
async function connections(path: string, form?: Record<string, string>): Promise<unknown> {
  const { httpPort, accountSid, tokens } = world.trunkline;
  const response = await fetch(`http://127.0.0.1:${httpPort + 1}/trunkline/v1/Connections${path}`, {
    method: form ? 'POST' : 'GET',
    headers: { authorization: `Basic ${Buffer.from(`${accountSid}:${tokens['us1']}`).toString('base64')}` },
    ...(form && { body: new URLSearchParams(form) }),
  });
  expect(response.ok, `${response.status}`).toBe(true);
  return await response.json();
}

const change = async (sid: string, status: 'active' | 'inactive') => {
  const changed = connection.parse(await connections(`/${sid}`, { Status: status }));
  expect(changed).toMatchObject({ sid, status });
};

/** The connection to an exchange that is there from the start, active. */
async function defaultOf(exchange: string): Promise<string> {
  const all = z.object({ connections: z.array(connection) }).parse(await connections(''));
  const found = all.connections.filter((one) => one.exchange === exchange);
  expect(found).toMatchObject([{ status: 'active' }]);
  return found[0]?.sid ?? '';
}

const portOf = (edge: (typeof EDGE_IDS)[number]) => edgePort(edge, world.trunkline.sip.port);

/** Dials a callee with URI parameters; it is called from this edge, in everything that can be seen of it. */
async function leavesFrom(edge: (typeof EDGE_IDS)[number], params: string, codes: readonly number[] = []) {
  const party = await callee();
  const call = world.dial(`<Sip>${party.uri}${params}</Sip>`);
  const ack = await party.waitFor('ACK');
  const invite = await party.waitFor('INVITE');
  await until('audio at the callee', () => party.media.length > 5);
  const port = portOf(edge);
  for (const message of [invite, ack]) expectFrom(message, port);
  expect(invite.header('Contact')).toMatch(new RegExp(`<sip:[^>]*127\\.0\\.0\\.1:${port}[;>]`));
  expect(invite.text.split('\r\n')[0]).toBe(`INVITE ${party.uri} SIP/2.0`); // what is for us stays with us
  expect(/^c=IN IP4 (.*)\r$/m.exec(invite.text)?.[1]).toBe('127.0.0.1');
  const media = Number(/^m=audio (\d+)/m.exec(invite.text)?.[1]);
  expect(new Set(party.media.map((one) => one.port))).toEqual(new Set([media]));
  party.request('BYE', invite); // to its Contact
  expect((await party.waitFor('200')).from.port).toBe(port);

  expect(await world.after(call.from)).toMatchObject({ DialCallStatus: 'completed', DialBridged: 'true' });
  const { parent, children } = await world.ended(call.from);
  expect(parent.diagnostics.map(({ code }) => code)).toEqual(codes);
  expect(parent).toMatchObject({ ingress_edge: 'ashburn' });
  expect(children).toMatchObject([{ egress_edge: edge, region: 'us1', status: 'completed' }]);
}

function expectFrom({ from, header }: Heard, port: number): void {
  expect(from).toMatchObject({ address: '127.0.0.1', port });
  expect(header('Via')).toContain(`127.0.0.1:${port}`);
}

/** Nobody is called, and the customer is told why. */
async function goesNowhere(params: string, code: number) {
  const party = await callee();
  const call = world.dial(`<Sip>${party.uri}${params}</Sip>`);
  expect(await world.after(call.from)).toMatchObject({ DialCallStatus: 'failed', DialBridged: 'false' });
  const { parent, children } = await world.ended(call.from);
  const told = [parent, ...children].flatMap(({ diagnostics }) => diagnostics.map((one) => one.code));
  expect(told).toContain(code);
  expect(party.heard).toEqual([]);
}

beforeAll(async () => {
  world = await DialWorld.start();
});

afterEach(() => {
  for (const one of callees.splice(0)) one.close();
});

afterAll(() => world.stop());

describe('the edge a call leaves from', () => {
  it.each(EDGE_IDS.filter((edge) => !edge.endsWith('-ix')))('edge=%s', (edge) =>
    leavesFrom(edge, `;edge=${edge}`),
  );

  it('none: the home edge of the Region', () => leavesFrom('ashburn', ''));

  it.each([
    ['edge=san-jose', 'umatilla'],
    ['edge=SYDNEY', 'sydney'],
    ['region=us1', 'ashburn'],
    ['region=us2', 'umatilla'],
    ['region=ie1', 'dublin'],
    ['region=de1', 'frankfurt'],
    ['region=sg1', 'singapore'],
    ['region=jp1', 'tokyo'],
    ['region=au1', 'sydney'],
    ['region=br1', 'sao-paulo'],
    ['region=au1;edge=tokyo', 'tokyo'],
  ] as const)('%s: %s', (params, edge) => leavesFrom(edge, `;${params}`));

  it.each(['edge=atlantis', 'region=xx9'])('%s: the home edge, with the warning 32114', (params) =>
    leavesFrom('ashburn', `;${params}`, [32114]),
  );
});

describe('private edges', () => {
  it.each(EDGE_IDS.filter((edge) => edge.endsWith('-ix')))(
    'edge=%s: with an active connection only',
    async (edge) => {
      await leavesFrom(edge, `;edge=${edge}`);
      const sid = await defaultOf(edge);
      await change(sid, 'inactive');
      await goesNowhere(`;edge=${edge}`, 32305);
      await change(sid, 'active');
    },
  );

  it('a private edge that does not exist: nobody is called', () => goesNowhere(';edge=mars-ix', 32305));

  it('tnx: the exchange of its connection; inactive 32304, unknown 32302, malformed 32301', async () => {
    const created = await connections('', { Exchange: 'london-ix', Status: 'active' });
    const { sid } = connection.parse(created);
    await leavesFrom('london-ix', `;tnx=${sid}`);
    await change(sid, 'inactive');
    await goesNowhere(`;tnx=${sid}`, 32304);
    await leavesFrom('london-ix', ';edge=london-ix'); // there is another one
    await goesNowhere(`;tnx=TX${'0'.repeat(32)}`, 32302);
    await goesNowhere(';tnx=TX123', 32301);
  });

  it('tnx twice: the first is called, the second is 32303', async () => {
    const sid = await defaultOf('tokyo-ix');
    const [one, other] = [await callee(), await callee()];
    const call = world.dial(`<Sip>${one.uri};tnx=${sid}</Sip><Sip>${other.uri};tnx=${sid}</Sip>`);
    const invite = await one.waitFor('INVITE');
    await one.waitFor('ACK');
    one.request('BYE', invite);
    expect(await world.after(call.from)).toMatchObject({ DialCallStatus: 'completed' });
    const { parent } = await world.ended(call.from);
    expect(parent.diagnostics.map(({ code }) => code)).toEqual([32303]);
    expect(other.heard).toEqual([]);
  });
});
