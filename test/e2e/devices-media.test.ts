import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EdgeId } from '../../src/region/edge.ts';
import { noise, share } from '../support/alignment.ts';
import { Baresip } from '../support/baresip.ts';
import { bucketFiles } from '../support/bucket-files.ts';
import { notRun, peer } from '../support/peers.ts';
import { until } from '../support/until.ts';
import { readPcm, wavOf, writePcm } from '../support/wav-compare.ts';
import { WebhookApp } from '../support/webhook-app.ts';
import { storedCall } from './support/numbers.ts';
import { RegionalWorld } from './support/regional-world.ts';
import { RegisteredPhone } from './support/registered-phone.ts';
import { mediaPortOf } from './support/rtp-voice.ts';
import { SipPhone } from './support/sip-phone.ts';
import { edgeOfMedia, TwoEdges } from './support/two-edges.ts';

const PASSWORD = 'Irish-Ash-0022';
const USER = 'ann';
const uriOf = (name: string, user: string, edge?: string) =>
  `sip:${user}@${name}.sip.${edge === undefined ? '' : `${edge}.`}twilio.com`;

describe('Given a telephone at tokyo and one at dublin, each edge a process of its own', () => {
  const NAME = 'far';
  let edges: TwoEdges;
  let app: WebhookApp;
  let caller: SipPhone;
  const phones: RegisteredPhone[] = [];

  beforeAll(async () => {
    app = await WebhookApp.start();
    caller = await SipPhone.open();
    edges = await TwoEdges.start();
  });
  afterAll(async () => {
    await Promise.all(phones.map((phone) => phone.close()));
    await caller.close();
    await edges.stop();
    await app.stop();
  });

  /** The domain in ie1, whose calls dial a user of it. */
  async function domainThatDials(user: string): Promise<void> {
    const { sip, routes } = edges.client;
    const document = `<Response><Dial><Sip>${uriOf(NAME, user)}</Sip></Dial></Response>`;
    const domain = await sip.domains.create({
      domainName: `${NAME}.sip.twilio.com`,
      sipRegistration: true,
      voiceUrl: app.on('/far', { body: document }),
    });
    const list = await sip.credentialLists.create({ friendlyName: 'Users' });
    await sip.credentialLists(list.sid).credentials.create({ username: user, password: PASSWORD });
    const { auth } = sip.domains(domain.sid);
    const mapping = { credentialListSid: list.sid };
    await auth.registrations.credentialListMappings.create(mapping);
    await auth.calls.credentialListMappings.create(mapping);
    await routes.v2.sipDomains(`${NAME}.sip.twilio.com`).update({ voiceRegion: 'ie1' });
  }

  it('[E12] when one calls the other, then the media of each go through the edge it is at', async () => {
    const user = USER;
    await domainThatDials(user);
    const there = await RegisteredPhone.open('udp', edges.portOf('tokyo'), 'answers');
    phones.push(there);
    const host = `${NAME}.sip.twilio.com`;
    const login = { user, password: PASSWORD };
    await there.register({ ...login, host, uri: `sip:${NAME}.sip.tokyo.twilio.com` });
    const here = await caller.call({
      uri: uriOf(NAME, 'desk', 'dublin'),
      port: edges.portOf('dublin'),
      username: user,
      password: PASSWORD,
    });
    expect(edgeOfMedia(mediaPortOf(await here.answered()))).toBe('dublin');
    const invite = await there.waitFor('INVITE');
    expect(edgeOfMedia(mediaPortOf(invite.body.toString()))).toBe('tokyo');
    await there.waitFor('ACK');
    await Promise.all([here.speak(), there.speak()]);
    await until('audio both ways', () => here.heard.length > 20 && there.media.length > 20);
    await here.hangUp();
    await there.waitFor('BYE');
    const through = (packets: readonly { port: number }[]) =>
      new Set(packets.map(({ port }) => edgeOfMedia(port)));
    expect(through(here.heard)).toEqual(new Set(['dublin']));
    expect(through(there.media)).toEqual(new Set(['tokyo']));
    const calls = await until('both calls to be over', async () => {
      const all = await edges.client.calls.list({ status: 'completed' });
      return all.length === 2 && all;
    });
    expect(calls.map(({ direction }) => direction).sort()).toEqual(['inbound', 'outbound-dial']);
  });
});

const baresip = peer('baresip');
if (!baresip) notRun('baresip is called regionally', 'baresip (Debian: baresip-core) is not installed');
else withBaresip(baresip);

function withBaresip(path: string): void {
  describe('Given two baresips of one user in ie1, at sydney over UDP and at umatilla over TCP', () => {
    const NAME = 'phones';
    const TUNE = noise(3, 5);
    const VOICE = noise(30, 2);
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-voice-'));
    const microphone = join(folder, 'voice.wav');
    let telephones: readonly [Baresip, Baresip];
    const user = USER;
    let world: RegionalWorld;

    beforeAll(async () => {
      writePcm(microphone, VOICE);
      world = await RegionalWorld.start();
      const users = { [user]: PASSWORD };
      await world.domain('ie1', NAME, { devices: users, callers: users });
      await world.domain('us1', NAME, { addresses: ['127.0.0.0/8'] });
      await world.route(NAME, 'ie1');
      const start = (edge: EdgeId, transport: 'udp' | 'tcp') =>
        Baresip.start(path, {
          microphone,
          codec: 'PCMU',
          caller: user,
          registers: {
            aor: `${user}@${NAME}.sip.twilio.com`,
            password: PASSWORD,
            proxy: `sip:127.0.0.1:${world.portOf(edge)};transport=${transport}`,
          },
        });
      telephones = [await start('sydney', 'udp'), await start('umatilla', 'tcp')];
      for (const one of telephones) await one.registered();
    });
    afterAll(async () => {
      await Promise.all((telephones ?? []).map((one) => one.stop()));
      await world.stop();
      rmSync(folder, { recursive: true });
    });

    it('when ie1’s API calls them, then both ring, the first to answer is talked to, both hear', async () => {
      const headers = { 'content-type': 'audio/wav' };
      const tune = world.app.on('/tune.wav', { body: wavOf(TUNE), headers });
      const action = world.app.on('/recorded', { body: '<Response><Hangup/></Response>' });
      const record = `<Record playBeep="false" maxLength="5" timeout="60" trim="do-not-trim" action="${action}"/>`;
      const to = world.uri(NAME, user);
      const twiml = `<Response><Play>${tune}</Play>${record}</Response>`;
      const { sid } = await world.client('ie1').calls.create({ to, from: 'desk', twiml });
      const [udp, tcp] = telephones;
      for (const one of telephones) await one.event('CALL_INCOMING');
      tcp.answer();
      await tcp.event('CALL_ESTABLISHED');
      await udp.event('CALL_CLOSED');
      expect(udp.events.map(({ type }) => type)).not.toContain('CALL_ESTABLISHED');
      await tcp.event('CALL_CLOSED');

      expect((await world.endedCall('ie1', sid)).status).toBe('completed');
      const stored = await storedCall(world.trunkline, 'ie1', sid);
      expect(stored).toMatchObject({ egress_edge: 'umatilla', region: 'ie1' });
      expect(share(TUNE, tcp.heard())).toBeGreaterThan(0.8);
      const wav = await until('the recording in the bucket of ie1', async () => {
        const [recording] = await world.client('ie1').calls(sid).recordings.list();
        const isMeant = (name: string) => recording && name.endsWith(`${recording.sid}.wav`);
        return bucketFiles(world.trunkline.home, 'ie1').find(isMeant);
      });
      expect(share(VOICE, readPcm(wav))).toBeGreaterThan(0.1);
      expect(bucketFiles(world.trunkline.home, 'us1').filter((name) => /RE\w+/.test(name))).toEqual([]);
    });

    it('[D13] when one calls the domain, then ie1 has the call, which entered at its edge', async () => {
      const [udp] = telephones;
      world.app.on(`/ie1/${NAME}`, { body: '<Response><Say>Hello.</Say></Response>' });
      udp.dial(world.uri(NAME, 'anybody'));
      const form = await until(
        'the webhook of the call',
        () =>
          world.webhooks('ie1', NAME).find(({ form: sent }) => sent['To'] === world.uri(NAME, 'anybody'))
            ?.form,
      );
      expect(form).toMatchObject({
        From: world.uri(NAME, user),
        SipDomain: `${NAME}.sip.twilio.com`,
        SipUsername: user,
      });
      await udp.event('CALL_CLOSED');
      const { sid, status } = await world.endedCall('ie1', form['CallSid'] ?? '');
      expect(status).toBe('completed');
      const stored = await storedCall(world.trunkline, 'ie1', sid);
      expect(stored).toMatchObject({ ingress_edge: 'sydney', direction: 'inbound' });
    });
  });
}
