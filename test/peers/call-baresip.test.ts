import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientOf, eventsOf, storedCallFrom, timelineOf } from '../e2e/support/numbers.ts';
import { align, noise, share } from '../support/alignment.ts';
import { Baresip } from '../support/baresip.ts';
import { bucketFiles } from '../support/bucket-files.ts';
import { notRun, peer } from '../support/peers.ts';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { until } from '../support/until.ts';
import { RATE, readPcm, wavOf, writePcm } from '../support/wav-compare.ts';
import { WebhookApp } from '../support/webhook-app.ts';

const path = peer('baresip');
if (!path) notRun('calls by baresip', 'baresip (Debian: baresip-core) is not installed');
else tests(path);

function tests(baresipPath: string): void {
  /** What it hears, and what it says: two different sounds. */
  const tune = noise(4, 1);
  const voice = noise(20, 2);
  let trunkline: RunningTrunkline;
  let app: WebhookApp;
  let folder: string;
  let microphone: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-voice-'));
    microphone = join(folder, 'voice.wav');
    writePcm(microphone, voice);
    app = await WebhookApp.start();
    trunkline = await startTrunkline({ env: { TRUNKLINE_DEMO: 'false', TRUNKLINE_REGIONS: 'us1,ie1' } });
    app.on('/tune.wav', { body: wavOf(tune), headers: { 'content-type': 'audio/wav' } });
  });

  afterAll(async () => {
    await trunkline.stop();
    await app.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  describe.each([
    ['PCMU', '+12025550181', '+15550130001'],
    ['PCMA', '+12025550182', '+15550130002'],
  ] as const)('baresip with %s', (codec, number, caller) => {
    it('hears what is played, presses keys and is recorded', async () => {
      const answers = {
        voice: `<Play>${app.url('/tune.wav')}</Play><Redirect>/${codec}/keys</Redirect>`,
        keys: `<Gather numDigits="3" timeout="10" action="/${codec}/pressed"/>`,
        pressed: `<Record maxLength="3" timeout="5" playBeep="false" action="/${codec}/recorded"/>`,
        recorded: '<Hangup/>',
      };
      for (const [name, body] of Object.entries(answers))
        app.on(`/${codec}/${name}`, { body: `<Response>${body}</Response>` });
      const asked = (name: string) => app.seen.find((request) => request.path === `/${codec}/${name}`);
      await clientOf(trunkline, 'ie1').incomingPhoneNumbers.create({
        phoneNumber: number,
        voiceUrl: app.url(`/${codec}/voice`),
      });
      const phone = await Baresip.start(baresipPath, { microphone, codec, caller });
      try {
        phone.dial(`sip:${number}@127.0.0.1:${trunkline.sip.port}`);
        await phone.event('CALL_ESTABLISHED');
        await until('the end of the tune', () => asked('keys'));
        for (const key of '402') phone.press(key);
        await until('the keys', () => asked('pressed'));
        await phone.event('CALL_CLOSED');
        const heard = phone.heard();
        expect(share(tune, heard)).toBeGreaterThan(0.9);
      } finally {
        await phone.stop();
      }
      expect(asked('pressed')?.form).toMatchObject({ Digits: '402', From: caller, To: number });

      const record = await storedCallFrom(trunkline, 'ie1', caller);
      expect(record).toMatchObject({ status: 'completed', to: number, diagnostics: [] });
      const timeline = timelineOf(trunkline, 'ie1', record.sid);
      expect(eventsOf(timeline, 'dtmf').map(({ digit }) => digit)).toEqual(['4', '0', '2']);
      const [recording] = eventsOf(timeline, 'recording-started');
      const wav = await until('the recording', () =>
        bucketFiles(trunkline.home, 'ie1').find((name) => name.endsWith(`${recording?.recording}.wav`)),
      );
      const recorded = readPcm(wav);
      expect(recorded.length).toBeGreaterThan(2 * RATE);
      const { found, missing, foreign } = align(voice, recorded);
      expect(found).toBeGreaterThan(1_500);
      expect(missing + foreign).toBeLessThan(found / 10);
      // And neither is the other.
      expect(share(tune, recorded)).toBe(0);
    });
  });
}
