import request from 'supertest';
import { beforeEach, describe, expect, it } from 'vitest';
import { regionApp } from '../../../src/api/region-app.ts';
import { callRecordKey, recordingKey, timelineKey } from '../../../src/call/keys.ts';
import { rfc2822 } from '../../../src/core/dates.ts';
import { ACCOUNT, CREATED, RegionWorld, sid } from './support/region.ts';

const PATH = `/2010-04-01/Accounts/${ACCOUNT}/Calls`;

let region: RegionWorld;

beforeEach(() => {
  region = new RegionWorld('ie1');
});

const ask = (uri: string) => request(regionApp(region.options())).get(uri).auth(ACCOUNT, region.token);
const list = async (query: Record<string, string>) => {
  const response = await ask(`${PATH}.json?${new URLSearchParams(query)}`);
  expect(response.status).toBe(200);
  return response.body.calls.map((call: { sid: string }) => Number.parseInt(call.sid.slice(2), 16));
};

describe('a call', () => {
  it('has the fields of the Call resource first, in order, then ours', async () => {
    const call = await region.addCall(1);
    const response = await ask(`${PATH}/${call.sid}.json`);
    expect(response.status).toBe(200);
    expect(response.body).toEqual(call);
    const fields = Object.keys(response.body);
    expect(fields.indexOf('region')).toBeGreaterThan(fields.indexOf('subresource_uris'));
  });

  it.each([
    ['unknown', `CA${'0'.repeat(32)}`],
    ['malformed', 'CA1'],
    ['a number', sid('PN', 1)],
  ])('that is %s is 20404', async (_what, unknown) => {
    await region.addCall(1);
    const response = await ask(`${PATH}/${unknown}.json`);
    expect(response.status).toBe(404);
    expect(response.body.code).toBe(20404);
  });

  it('of another account is 20404', async () => {
    const call = await region.addCall(1, { account_sid: `AC${'c'.repeat(32)}` });
    expect((await ask(`${PATH}/${call.sid}.json`)).status).toBe(404);
  });
});

describe('the list', () => {
  beforeEach(async () => {
    await region.addCall(1);
    await region.addCall(2, { to: '+442079460000', status: 'busy' });
    await region.addCall(3, { from: 'sip:alice@example.com', parent_call_sid: sid('CA', 1) });
    await region.addCall(4, { status: 'in-progress', end_time: null });
    await region.addCall(24 * 60, { end_time: rfc2822(CREATED + 3 * 86_400_000) });
  });

  it('is newest first', async () => {
    expect(await list({})).toEqual([1440, 4, 3, 2, 1]);
  });

  it.each([
    [{ To: '+442079460000' }, [2]],
    [{ From: 'sip:alice@example.com' }, [3]],
    [{ Status: 'in-progress' }, [4]],
    [{ ParentCallSid: sid('CA', 1) }, [3]],
    [{ To: '' }, [1440, 4, 3, 2, 1]],
    [{ StartTime: '2026-01-15' }, [4, 3, 2, 1]],
    [{ 'StartTime<': '2026-01-16' }, [4, 3, 2, 1]],
    [{ 'StartTime>': '2026-01-16' }, [1440]],
    [{ 'StartTime>': '2026-01-15T12:03:00Z' }, [1440, 4, 3]],
    [{ 'StartTime<': '2026-01-15T12:02:00Z' }, [2, 1]],
    [{ 'StartTime>': '2026-01-15T12:02:00Z', 'StartTime<': '2026-01-15T12:03:00Z' }, [3, 2]],
    [{ EndTime: '2026-01-15' }, [3, 2, 1]],
    [{ 'EndTime>': '2026-01-18' }, [1440]],
    [{ 'EndTime<': '2026-01-15T12:01:10Z' }, [1]],
  ])('%o', async (query, expected) => {
    expect(await list(query)).toEqual(expected);
  });

  it.each([
    ['PageSize=1001', 20007],
    ['PageSize=0', 20001],
    ['PageSize=many', 20001],
    ['Page=-1', 20001],
    ['PageToken=abc', 20001],
    ['Status=ended', 20001],
    ['StartTime=yesterday', 20001],
    ['EndTime%3E=2026-13-40', 20001],
  ])('%s is %i', async (query, code) => {
    const response = await ask(`${PATH}.json?${query}`);
    expect(response.status).toBe(400);
    expect(response.body.code).toBe(code);
  });

  it('tells the largest page', async () => {
    expect((await ask(`${PATH}.json?PageSize=1000`)).status).toBe(200);
    expect((await ask(`${PATH}.json?PageSize=1001`)).body.message).toContain('1000');
  });

  it('pages keep the filter and do not shift when calls arrive in between', async () => {
    const first = (await ask(`${PATH}.json?PageSize=2&StartTime%3E=2026-01-15`)).body;
    expect(first).toMatchObject({
      page: 0,
      page_size: 2,
      start: 0,
      end: 1,
      previous_page_uri: null,
      uri: `${PATH}.json?StartTime%3E=2026-01-15&PageSize=2&Page=0`,
      first_page_uri: `${PATH}.json?StartTime%3E=2026-01-15&PageSize=2&Page=0`,
    });
    await region.addCall(24 * 60 + 1);
    const second = (await ask(first.next_page_uri)).body;
    expect(second.calls.map((call: { sid: string }) => call.sid)).toEqual([sid('CA', 3), sid('CA', 2)]);
    expect(second.previous_page_uri).toBe(first.uri);
    const third = (await ask(second.next_page_uri)).body;
    expect(third.calls.map((call: { sid: string }) => call.sid)).toEqual([sid('CA', 1)]);
    expect(third.next_page_uri).toBeNull();
  });

  it('pages through calls that a stored index cannot filter', async () => {
    for (let n = 100; n < 550; n++) await region.addCall(n, n % 2 ? { end_time: null } : {});
    const query = new URLSearchParams({ 'EndTime>': '2026-01-15T13:00:00Z', PageSize: '100' });
    const seen: string[] = [];
    for (let uri: string | null = `${PATH}.json?${query}`; uri; ) {
      const { body } = await ask(uri);
      seen.push(...body.calls.map((call: { sid: string }) => call.sid));
      uri = body.next_page_uri;
    }
    expect(seen).toHaveLength(226);
    expect(new Set(seen).size).toBe(226);
  });
});

describe('deleting a call', () => {
  const remove = (uri: string) =>
    request(regionApp(region.options())).delete(uri).auth(ACCOUNT, region.token);

  it('takes its objects and its place in the lists; its recordings stay', async () => {
    const call = await region.addCall(1);
    await region.addCall(2);
    await region.addRecording(1, Buffer.from('audio'));
    await region.bucket.put(callRecordKey(call), '{}', 'application/json');
    await region.bucket.put(timelineKey(call), '', 'application/x-ndjson');
    await region.store.archived(call);
    expect((await remove(`${PATH}/${call.sid}.json`)).status).toBe(204);
    expect((await ask(`${PATH}/${call.sid}.json`)).status).toBe(404);
    expect((await remove(`${PATH}/${call.sid}.json`)).status).toBe(404);
    expect(await list({})).toEqual([2]);
    expect(await region.objects()).toEqual([recordingKey(ACCOUNT, sid('RE', 1), 'wav')]);
    expect(await region.store.fetchRecording(sid('RE', 1))).toBeDefined();
  });

  it.each(['queued', 'ringing', 'in-progress', 'completed'] as const)(
    'waits for one that is %s and not yet stored: 20009',
    async (status) => {
      const call = await region.addCall(1, { status });
      const response = await remove(`${PATH}/${call.sid}.json`);
      expect(response.status).toBe(409);
      expect(response.body.code).toBe(20009);
      expect((await ask(`${PATH}/${call.sid}.json`)).status).toBe(200);
    },
  );
});
