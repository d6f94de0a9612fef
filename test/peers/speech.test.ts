import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFliteSpeech } from '../../src/speech/flite.ts';
import { asked, expectSigned } from '../e2e/support/callbacks.ts';
import { clientOf, eventsOf, storedCall, timelineOf } from '../e2e/support/numbers.ts';
import { Telephones } from '../e2e/support/telephones.ts';
import { notRun, peer } from '../support/peers.ts';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { until } from '../support/until.ts';
import { WebhookApp } from '../support/webhook-app.ts';

if (peer('pocketsphinx_continuous')) tests();
else
  notRun(
    'speech recognised by pocketsphinx',
    'pocketsphinx (Debian: pocketsphinx pocketsphinx-en-us) is not installed',
  );

function tests(): void {
  const flite = createFliteSpeech({ script: new URL('../../dist/workers/speech.js', import.meta.url) });
  let trunkline: RunningTrunkline;
  let app: WebhookApp;
  let telephones: Telephones;

  beforeAll(async () => {
    app = await WebhookApp.start();
    telephones = await Telephones.start();
    const env = { TRUNKLINE_DEMO: 'false', TRUNKLINE_REGIONS: 'us1', TRUNKLINE_SPEECH: 'pocketsphinx' };
    trunkline = await startTrunkline({ env });
  });

  afterAll(async () => {
    await trunkline.stop();
    await telephones.close();
    await app.stop();
    await flite.close();
  });

  const spoken = async (text: string) => {
    const voice = { voice: 'man', language: 'en-US' };
    return (await flite.speak(text, voice, new AbortController().signal)).pcm;
  };

  const call = async (user: string, path: string) => {
    const phone = telephones.of(user);
    const created = await clientOf(trunkline, 'us1').calls.create({
      to: phone.uri,
      from: 'lighthouse',
      url: app.url(path),
    });
    const incoming = await phone.called();
    await incoming.answer();
    return { sid: created.sid, incoming };
  };

  describe('a called party who speaks', () => {
    it('interrupts the prompt of a <Gather>, which hands over what was said', async () => {
      const pcm = await spoken('no thanks');
      app.on('/ask', {
        body: `<Response><Gather input="dtmf speech" hints="yes please, no thanks, later" speechTimeout="1" action="/said" partialResultCallback="/partial">
            <Say loop="20">Would you like to hear about our offers of the week?</Say></Gather></Response>`,
      });
      app.on('/partial', { body: '' });
      app.on('/said', { body: '<Response><Hangup/></Response>' });
      const { sid, incoming } = await call('ann', '/ask');
      await incoming.hears();
      incoming.say(pcm);
      const [said] = await until('what was said', () => {
        const requests = asked(app, '/said', sid);
        return requests.length > 0 ? requests : undefined;
      });
      expect(said?.form).toMatchObject({ SpeechResult: 'no thanks' });
      expect(said?.form).not.toHaveProperty('Digits');
      await incoming.over();
      await storedCall(trunkline, 'us1', sid);
      const timeline = timelineOf(trunkline, 'us1', sid);
      expect(eventsOf(timeline, 'speech').map(({ text }) => text)).toEqual(['no thanks']);
      expect(eventsOf(timeline, 'verb-ended').map(({ verb, outcome }) => `${verb} ${outcome}`)).toEqual([
        'Say interrupted',
        `Gather redirect POST ${app.url('/said')}`,
        'Hangup hangup',
      ]);
      const partial = asked(app, '/partial', sid).map(({ form }) => form);
      for (const form of partial)
        expect(form).toMatchObject({ CallStatus: 'in-progress', SequenceNumber: '0' });
    });

    it('leaves a message, whose text is told to transcribeCallback and found through the API', async () => {
      const pcm = await spoken('I would like to book a table for two people please');
      app.on('/message', {
        body: '<Response><Record timeout="2" playBeep="false" transcribeCallback="/transcribed" action="/recorded"/></Response>',
      });
      app.on('/recorded', { body: '<Response><Hangup/></Response>' });
      app.on('/transcribed', { body: '' });
      const { sid, incoming } = await call('cleo', '/message');
      incoming.say(pcm);
      await incoming.over();
      const [told] = await until('the text', () => {
        const requests = asked(app, '/transcribed', sid);
        return requests.length > 0 ? requests : undefined;
      });
      const form = told?.form ?? {};
      expect(form).toMatchObject({ TranscriptionStatus: 'completed', CallSid: sid, CallStatus: 'completed' });
      expect(form['TranscriptionText']).toContain('table');
      expectSigned(trunkline, 'us1', asked(app, '/transcribed', sid));
      const client = clientOf(trunkline, 'us1');
      const transcription = client.transcriptions(form['TranscriptionSid'] ?? '');
      expect(await transcription.fetch()).toMatchObject({
        status: 'completed',
        transcriptionText: form['TranscriptionText'],
        recordingSid: form['RecordingSid'],
      });
      const ofRecording = await client.recordings(form['RecordingSid'] ?? '').transcriptions.list();
      expect(ofRecording.map((one) => one.sid)).toEqual([form['TranscriptionSid']]);
      expect(await transcription.remove()).toBe(true);
      expect(await client.transcriptions.list()).toEqual([]);
    });

    it('is not heard where nobody listens for speech', async () => {
      const pcm = await spoken('no thanks');
      app.on('/keys', { body: '<Response><Gather timeout="3" action="/said"/><Hangup/></Response>' });
      const { sid, incoming } = await call('bob', '/keys');
      incoming.say(pcm);
      await incoming.over();
      expect(asked(app, '/said', sid)).toEqual([]);
    });
  });
}
