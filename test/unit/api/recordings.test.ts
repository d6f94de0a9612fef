import { XMLParser } from 'fast-xml-parser';
import request from 'supertest';
import { beforeEach, describe, expect, it } from 'vitest';
import { regionApp } from '../../../src/api/region-app.ts';
import { recordingKey } from '../../../src/call/keys.ts';
import type { RecordingRecord } from '../../../src/call/record.ts';
import { ACCOUNT, RegionWorld, sid } from './support/region.ts';

const ACCOUNT_PATH = `/2010-04-01/Accounts/${ACCOUNT}`;
const WAV = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 256));

/** What is left of the first recording once it is deleted. */
const DELETED = `accounts/${ACCOUNT}/recordings/deleted/${sid('RE', 1)}.json`;

let region: RegionWorld;
let first: RecordingRecord;

beforeEach(async () => {
  region = new RegionWorld('au1');
  await region.addCall(1);
  first = await region.addRecording(1, WAV);
});

/** The fields of an error in XML, as the JSON form names them. */
function restException(xml: string): object {
  const {
    Code: code,
    Message: message,
    Status: status,
  } = new XMLParser().parse(xml).TwilioResponse.RestException;
  return { code, message, status };
}

const ask = (method: 'get' | 'delete' | 'head' | 'put', path: string) =>
  request(regionApp(region.options()))
    [method](`${ACCOUNT_PATH}${path}`)
    .auth(ACCOUNT, region.token)
    .buffer(true)
    .parse((response, done) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const body = Buffer.concat(chunks);
        const type = response.headers['content-type'] ?? '';
        const json = /json/.test(type);
        // A path that does not end in .json: what went wrong is told in XML.
        if (/xml/.test(type)) return done(null, restException(body.toString()));
        done(null, json ? JSON.parse(body.toString()) : body);
      });
    });

const RECORDING = `/Recordings/${sid('RE', 1)}`;

describe('a recording', () => {
  it('is a record with .json', async () => {
    const response = await ask('get', `${RECORDING}.json`);
    expect(response.body).toEqual(first);
  });

  it('is also a record of its call, and of no other', async () => {
    const uri = `/Calls/${sid('CA', 1)}${RECORDING}.json`;
    expect((await ask('get', uri)).body).toEqual({ ...first, uri: ACCOUNT_PATH + uri });
    expect((await ask('get', `/Calls/${sid('CA', 2)}${RECORDING}.json`)).body.code).toBe(20404);
  });

  it.each(['', '.wav'])('is audio with the suffix "%s"', async (suffix) => {
    const response = await ask('get', RECORDING + suffix);
    expect(response.status).toBe(200);
    expect(response.headers).toMatchObject({
      'content-type': 'audio/wav',
      'content-length': '1000',
      'accept-ranges': 'bytes',
    });
    expect(Buffer.compare(response.body, WAV)).toBe(0);
  });

  it('tells its size to HEAD', async () => {
    const response = await ask('head', `${RECORDING}.wav`);
    expect(response.status).toBe(200);
    expect(response.headers['content-length']).toBe('1000');
  });

  it.each([
    ['bytes=0-9', 206, 'bytes 0-9/1000', [0, 10]],
    ['bytes=990-', 206, 'bytes 990-999/1000', [990, 1000]],
    ['bytes=-5', 206, 'bytes 995-999/1000', [995, 1000]],
    ['bytes=500-5000', 206, 'bytes 500-999/1000', [500, 1000]],
    ['bytes=0-1,5-6', 200, undefined, [0, 1000]],
    ['seconds=0-1', 200, undefined, [0, 1000]],
  ])('is sent in part: %s', async (range, status, contentRange, [from, to]) => {
    const response = await ask('get', `${RECORDING}.wav`).set('Range', range);
    expect(response.status).toBe(status);
    expect(response.headers['content-range']).toBe(contentRange);
    const part = WAV.subarray(from, to);
    expect(response.headers['content-length']).toBe(String(part.length));
    expect(Buffer.compare(response.body, part)).toBe(0);
  });

  it('refuses a range outside it', async () => {
    const response = await ask('get', `${RECORDING}.wav`).set('Range', 'bytes=1000-');
    expect(response.status).toBe(416);
    expect(response.headers['content-range']).toBe('bytes */1000');
  });

  it.each([
    ['?RequestedChannels=2', 400, 16113],
    ['?RequestedChannels=3', 400, 20001],
  ])('%s', async (query, status, code) => {
    const response = await ask('get', `${RECORDING}.wav${query}`);
    expect(response.status).toBe(status);
    expect(response.body.code).toBe(code);
  });

  it('of two channels is sent as it is', async () => {
    await region.addRecording(2, WAV, { channels: 2 });
    const path = `/Recordings/${sid('RE', 2)}.wav`;
    expect((await ask('get', `${path}?RequestedChannels=2`)).status).toBe(200);
    expect((await ask('get', `${path}?RequestedChannels=1`)).status).toBe(400);
  });

  it.each([`${RECORDING}.mp3`, '/Recordings/RE1.wav', `/Recordings/${sid('RE', 9)}`])(
    '%s is 20404',
    async (path) => {
      const response = await ask('get', path);
      expect(response.status).toBe(404);
      expect(response.body.code).toBe(20404);
    },
  );

  it('without media says so', async () => {
    await region.addRecording(3, null, { status: 'processing' });
    const response = await ask('get', `/Recordings/${sid('RE', 3)}.wav`);
    expect(response.body).toMatchObject({ code: 20404, message: expect.stringContaining('processing') });
  });
});

describe('deleting', () => {
  it('removes record and media', async () => {
    await region.bucket.put(recordingKey(ACCOUNT, first.sid, 'json'), '{}', 'application/json');
    expect(await region.objects()).toHaveLength(2);
    expect((await ask('delete', `${RECORDING}.json`)).status).toBe(204);
    expect(await region.objects()).toEqual([DELETED]);
    expect((await ask('get', `${RECORDING}.json`)).status).toBe(404);
    expect((await ask('delete', `${RECORDING}.json`)).status).toBe(404);
  });

  it.each(['in-progress', 'processing'] as const)('waits for a recording that is %s', async (status) => {
    await region.addRecording(2, WAV, { status });
    const response = await ask('delete', `/Recordings/${sid('RE', 2)}.json`);
    expect(response.status).toBe(409);
    expect(response.body.code).toBe(20009);
    expect(await region.objects()).toHaveLength(2);
  });

  it('is possible through the call too', async () => {
    expect((await ask('delete', `/Calls/${sid('CA', 1)}${RECORDING}.json`)).status).toBe(204);
    expect(await region.objects()).toEqual([DELETED]);
  });

  it('leaves a record for 40 days, for those who ask for it', async () => {
    await region.addRecording(2, WAV);
    await ask('delete', `${RECORDING}.json`);
    const statuses = async (query: string) =>
      (await ask('get', `/Recordings.json?${query}`)).body.recordings.map(
        (one: RecordingRecord) => `${one.sid === first.sid ? 'first' : 'second'} ${one.status}`,
      );
    expect(await statuses('')).toEqual(['second completed']);
    const all = ['second completed', 'first deleted'];
    expect(await statuses('IncludeSoftDeleted=true')).toEqual(all);
    expect(await statuses('IncludeSoftDeleted=true&PageSize=1&Page=1')).toEqual(['first deleted']);
    expect(await statuses(`IncludeSoftDeleted=true&CallSid=${sid('CA', 1)}`)).toEqual(['first deleted']);
    expect(await statuses('IncludeSoftDeleted=true&DateCreated%3E=2026-01-16')).toEqual([]);
    const found = await ask('get', `${RECORDING}.json?IncludeSoftDeleted=true`);
    expect(found.body).toMatchObject({ sid: first.sid, status: 'deleted', call_sid: first.call_sid });
    expect((await ask('get', `${RECORDING}.wav?IncludeSoftDeleted=true`)).status).toBe(404);

    await region.world.clock.advance(41 * 86_400_000);
    expect(await statuses('IncludeSoftDeleted=true')).toEqual(['second completed']);
    expect(await region.objects()).not.toContain(DELETED);
  });
});

describe('the lists', () => {
  beforeEach(async () => {
    await region.addRecording(2, WAV);
    await region.addRecording(24 * 60, WAV, { call_sid: sid('CA', 1) });
  });

  const sids = async (path: string) =>
    (await ask('get', path)).body.recordings.map((one: { sid: string }) =>
      Number.parseInt(one.sid.slice(2), 16),
    );

  it.each([
    ['/Recordings.json', [1440, 2, 1]],
    [`/Recordings.json?CallSid=${sid('CA', 1)}`, [1440, 1]],
    [`/Recordings.json?ConferenceSid=${sid('CF', 1)}`, []],
    ['/Recordings.json?DateCreated=2026-01-15', [2, 1]],
    ['/Recordings.json?DateCreated%3E=2026-01-16', [1440]],
    ['/Recordings.json?DateCreated%3C=2026-01-16', [2, 1]],
    [`/Calls/${sid('CA', 1)}/Recordings.json`, [1440, 1]],
  ])('%s', async (path, expected) => {
    expect(await sids(path)).toEqual(expected);
  });

  it('of an unknown call is 20404', async () => {
    expect((await ask('get', `/Calls/${sid('CA', 7)}/Recordings.json`)).body.code).toBe(20404);
  });

  it('takes no other method', async () => {
    const response = await ask('put', `${RECORDING}.json`);
    expect(response.status).toBe(405);
    expect(response.headers['allow']).toBe('GET, DELETE');
  });
});
