import { beforeEach, describe, expect, it } from 'vitest';
import { transcriptionKey } from '../../../src/call/keys.ts';
import type { Transcription } from '../../../src/call/transcription.ts';
import { ACCOUNT, CREATED, RegionWorld, sid } from './support/region.ts';
import { Rest } from './support/rest.ts';

const BASE = `/2010-04-01/Accounts/${ACCOUNT}`;

let region: RegionWorld;
let rest: Rest;

beforeEach(() => {
  region = new RegionWorld('ie1');
  rest = new Rest(region);
});

/** The text of recording `n`, made `n` seconds after the first. */
async function add(n: number, changes: Partial<Transcription> = {}): Promise<Transcription> {
  const transcription: Transcription = {
    sid: sid('TR', n),
    accountSid: ACCOUNT,
    callSid: sid('CA', n),
    recordingSid: sid('RE', n),
    recordingUrl: 'http://api.test/recording',
    createdAt: CREATED + n * 1_000,
    updatedAt: CREATED + n * 1_000,
    status: 'completed',
    duration: 7,
    text: `what was said in ${n}`,
    ...changes,
  };
  await region.store.saveTranscription(transcription);
  await region.bucket.put(
    transcriptionKey(transcription.accountSid, transcription.sid),
    '{}',
    'application/json',
  );
  return transcription;
}

describe('transcriptions', () => {
  it('are shown at the account and at their recording, with what Twilio shows', async () => {
    await add(1);
    const shown = {
      account_sid: ACCOUNT,
      api_version: '2010-04-01',
      date_created: 'Thu, 15 Jan 2026 12:00:01 +0000',
      date_updated: 'Thu, 15 Jan 2026 12:00:01 +0000',
      duration: '7',
      price: null,
      price_unit: 'USD',
      recording_sid: sid('RE', 1),
      sid: sid('TR', 1),
      status: 'completed',
      transcription_text: 'what was said in 1',
      type: 'fast',
      uri: `${BASE}/Transcriptions/${sid('TR', 1)}.json`,
      region: 'ie1',
    };
    for (const parent of ['', `/Recordings/${sid('RE', 1)}`]) {
      expect((await rest.get(`${BASE}${parent}/Transcriptions/${sid('TR', 1)}.json`)).body).toEqual(shown);
      expect((await rest.get(`${BASE}${parent}/Transcriptions.json`)).body.transcriptions).toEqual([shown]);
    }
    expect((await rest.get(`${BASE}/Transcriptions/${sid('TR', 1)}`)).text).toContain(
      '<TranscriptionText>what was said in 1</TranscriptionText>',
    );
  });

  it('are listed newest first, page by page', async () => {
    for (const n of [1, 2, 3]) await add(n);
    const { body } = await rest.get(`${BASE}/Transcriptions.json?PageSize=2`);
    expect(body.transcriptions.map((one: { sid: string }) => one.sid)).toEqual([sid('TR', 3), sid('TR', 2)]);
    const next = await rest.get(body.next_page_uri);
    expect(next.body.transcriptions.map((one: { sid: string }) => one.sid)).toEqual([sid('TR', 1)]);
  });

  it('of one recording are listed page by page, and after it was deleted', async () => {
    for (const n of [1, 2, 3]) await add(n, { recordingSid: sid('RE', 9) });
    await add(4);
    const { body } = await rest.get(`${BASE}/Recordings/${sid('RE', 9)}/Transcriptions.json?PageSize=2`);
    expect(body.transcriptions.map((one: { sid: string }) => one.sid)).toEqual([sid('TR', 3), sid('TR', 2)]);
    await add(5, { recordingSid: sid('RE', 9) }); // pushes none to the next page
    const next = await rest.get(body.next_page_uri);
    expect(next.body.transcriptions.map((one: { sid: string }) => one.sid)).toEqual([sid('TR', 1)]);
    const beyond = await rest.get(`${BASE}/Recordings/${sid('RE', 9)}/Transcriptions.json?Page=7`);
    expect([beyond.status, beyond.body.transcriptions]).toEqual([200, []]);
  });

  it('are deleted with their object, but not while they are being made', async () => {
    await add(1);
    await add(2, { status: 'in-progress', text: '' });
    const one = (n: number) => `${BASE}/Transcriptions/${sid('TR', n)}.json`;
    expect((await rest.delete(one(1))).status).toBe(204);
    expect(await region.bucket.get(transcriptionKey(ACCOUNT, sid('TR', 1)))).toBeUndefined();
    expect((await rest.get(one(1))).body.code).toBe(20404);
    const refused = await rest.delete(one(2));
    expect([refused.status, refused.body.code]).toEqual([409, 20009]);
  });

  it('belong to their account and their recording', async () => {
    await add(1, { accountSid: `AC${'b'.repeat(32)}` });
    await add(2);
    await region.addRecording(3, Buffer.from('RIFF'));
    for (const path of [
      `/Transcriptions/${sid('TR', 1)}.json`,
      `/Transcriptions/${sid('TR', 9)}.json`,
      '/Transcriptions/nonsense.json',
      `/Recordings/${sid('RE', 3)}/Transcriptions/${sid('TR', 2)}.json`,
      `/Recordings/${sid('RE', 9)}/Transcriptions.json`,
    ])
      expect((await rest.get(BASE + path)).body.code, path).toBe(20404);
    const none = await rest.get(`${BASE}/Recordings/${sid('RE', 3)}/Transcriptions.json`);
    expect(none.body.transcriptions).toEqual([]);
  });
});
