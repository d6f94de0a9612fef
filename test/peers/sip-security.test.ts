import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALLS, EVERYTHING, nothingHeld } from '../e2e/support/gauges.ts';
import { clientOf } from '../e2e/support/numbers.ts';
import { freePort } from '../support/free-port.ts';
import { notRun, peer } from '../support/peers.ts';
import { type Sipp, startSipp } from './sipp/sipp.ts';
import { SipDomainWorld } from './support/sip-domain-world.ts';
import { attack } from './support/sipvicious.ts';

const ANN = { username: 'ann', password: 'Correct-Horse-7' };
const HOST = 'fortress.sip.twilio.com';
const URI = `sip:bob@${HOST}`;

/** Attacks from the address that legitimate callers share, while they call. */
function tests(sipp: string, tools: Record<'svmap' | 'svwar' | 'svcrack', string>): void {
  let world: SipDomainWorld;
  let target: { readonly host: string; readonly port: number };
  /** Legitimate calls so far: the only ones there may be. */
  let made = 0;

  beforeAll(async () => {
    world = await SipDomainWorld.start();
    target = world.trunkline.sip;
    await world.domain('us1', 'fortress', { users: [ANN], registers: true });
    const document = '<Response><Say>Hello.</Say><Pause length="30"/></Response>';
    world.app.on(world.voicePath('us1', 'fortress'), { body: document });
  });
  afterAll(() => world.stop());

  const send = async (scenario: string, calls: number, rate: number): Promise<Sipp> =>
    startSipp(sipp, {
      scenario,
      transport: 'udp',
      calls,
      rate,
      target: { address: target.host, port: target.port },
      port: await freePort(),
      keys: { uri: URI, ...ANN },
    });

  /** Runs attacks; ten calls begin with them and all have to be answered. Resolves with what the attacks gave. */
  async function under<T>(attacks: () => Promise<T>): Promise<T> {
    made += 10;
    const calls = await send('uac-domain-digest', 10, 2);
    const gave = await attacks();
    expect(await calls.done).toMatchObject({ code: 0, failed: 0, successful: 10 });
    return gave;
  }

  /** Nobody but the legitimate callers had a call, and nobody has one now. */
  async function nothingGotIn(): Promise<void> {
    expect(world.webhooks('us1', 'fortress')).toHaveLength(made);
    expect(world.webhooks('us1', 'fortress').every((form) => form['SipUsername'] === 'ann')).toBe(true);
    for (const region of ['us1', 'ie1'] as const) {
      const calls = await clientOf(world.trunkline, region).calls.list({ pageSize: 1_000 });
      expect(calls).toHaveLength(region === 'us1' ? made : 0);
    }
    await nothingHeld(world.trunkline, CALLS);
  }

  describe('while legitimate callers call, and go on being answered', () => {
    it('a map of all ports finds SIP and starts nothing', async () => {
      const found = await under(() => attack({ tool: tools.svmap, target, options: ['-m', 'OPTIONS'] }));
      expect(found).toContain(String(target.port));
      await under(() => attack({ tool: tools.svmap, target, options: ['-m', 'INVITE'] }));
      await nothingGotIn();
    });

    it.each(['INVITE', 'REGISTER'])('a war dial by %s cannot tell a user from others', async (method) => {
      const options = ['-m', method, '--force', `--domain=${HOST}`];
      const names = Array.from({ length: 100 }, (_, n) => `user${n}`);
      const among = (words: readonly string[]) =>
        under(() => attack({ tool: tools.svwar, target, options, dictionary: words }));
      const resultOf = (printed: string, name: string) =>
        printed
          .split('\n')
          .find((line) => line.includes(` ${name} `))
          ?.replace(name, '')
          .replace(/\s+/g, ' ');
      const printed = await among([...names.slice(0, 50), ANN.username, ...names.slice(50)]);
      expect(resultOf(printed, ANN.username)).toBe(resultOf(printed, 'user7'));
      await nothingGotIn();
    });

    const crack = (method: string, dictionary: readonly string[]) => {
      const uri = method === 'INVITE' ? URI : `sip:${HOST}`;
      const options = ['-m', method, '-u', ANN.username, `--domain=${HOST}`, `--requesturi=${uri}`];
      return under(() => attack({ tool: tools.svcrack, target, options, dictionary }));
    };
    const guesses = Array.from({ length: 30 }, (_, n) => `Wrong-Horse-${n}`); // more than are listened to

    it('a dictionary with the password among its first words finds it: the tool works', async () => {
      expect(await crack('REGISTER', [...guesses.slice(0, 5), ANN.password])).toContain(ANN.password);
    });

    it.each(['INVITE', 'REGISTER'])(
      'a dictionary by %s with the password at its end does not',
      async (method) => {
        expect(await crack(method, [...guesses, ANN.password])).not.toContain(ANN.password);
        await nothingGotIn();
      },
    );

    it('a flood of INVITEs that nobody acknowledges takes no port, and leaves nothing', async () => {
      const flood = await under(async () => (await send('uac-domain-flood', 1_000, 250)).done);
      expect(flood).toMatchObject({ successful: 1_000 });
      await nothingGotIn();
    });

    it('nothing is left of all that', () => nothingHeld(world.trunkline, EVERYTHING));
  });
}

const sipp = peer('sipp');
const [svmap, svwar, svcrack] = ['svmap', 'svwar', 'svcrack'].map(peer);
if (!sipp || !svmap || !svwar || !svcrack) {
  notRun(
    'attacks on SIP domains',
    'sipp and sipvicious (Debian: sip-tester, sipvicious) are not both installed',
  );
} else tests(sipp, { svmap, svwar, svcrack });
