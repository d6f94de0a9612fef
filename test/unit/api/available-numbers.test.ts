import request from 'supertest';
import { beforeEach, describe, expect, it } from 'vitest';
import { regionApp } from '../../../src/api/region-app.ts';
import { ACCOUNT, RegionWorld } from './support/region.ts';

const BASE = `/2010-04-01/Accounts/${ACCOUNT}`;
const PATH = `${BASE}/AvailablePhoneNumbers`;

let region: RegionWorld;

beforeEach(() => {
  region = new RegionWorld('us1');
});

const ask = (path: string) =>
  request(regionApp(region.options())).get(`${PATH}${path}`).auth(ACCOUNT, region.token);
const numbers = async (path: string): Promise<string[]> => {
  const response = await ask(path);
  expect(response.status).toBe(200);
  expect(response.body.next_page_uri).toBeNull();
  return response.body.available_phone_numbers.map((one: { phone_number: string }) => one.phone_number);
};
const create = (form: Record<string, string>) =>
  request(regionApp(region.options()))
    .post(`${BASE}/IncomingPhoneNumbers.json`)
    .auth(ACCOUNT, region.token)
    .type('form')
    .send(form);

describe('the countries', () => {
  it('are those with numbers set aside for fiction', async () => {
    const { countries } = (await ask('.json')).body;
    expect(countries.map((one: { country_code: string }) => one.country_code)).toEqual([
      'AU',
      'CA',
      'GB',
      'US',
    ]);
    expect(countries.at(-1)).toEqual({
      country_code: 'US',
      country: 'United States',
      uri: `${PATH}/US.json`,
      beta: false,
      subresource_uris: { local: `${PATH}/US/Local.json`, toll_free: `${PATH}/US/TollFree.json` },
    });
    expect((await ask('/GB.json')).body.subresource_uris).toHaveProperty('mobile');
    expect((await ask('/DE.json')).body.code).toBe(20404);
  });
});

describe('the numbers on offer', () => {
  it('have every field of the resource', async () => {
    const [first] = (await ask('/US/Local.json?AreaCode=510')).body.available_phone_numbers;
    expect(first).toEqual({
      friendly_name: '(510) 555-0100',
      phone_number: '+15105550100',
      lata: null,
      locality: null,
      rate_center: null,
      latitude: null,
      longitude: null,
      region: null,
      postal_code: null,
      iso_country: 'US',
      address_requirements: 'none',
      beta: false,
      capabilities: { voice: true, sms: false, mms: false, fax: false },
    });
  });

  it('are those that nobody has created', async () => {
    const before = await numbers('/US/Local.json?AreaCode=510');
    expect(before).toHaveLength(50);
    expect((await create({ PhoneNumber: before[0] ?? '' })).status).toBe(201);
    const after = await numbers('/US/Local.json?AreaCode=510');
    expect(after).not.toContain(before[0]);
    expect(after[0]).toBe(before[1]);
  });

  it.each([
    ['/US/Local.json?AreaCode=510', /^\+15105550(1)\d\d$/],
    ['/US/Local.json', /^\+1[2-9]\d\d55501\d\d$/],
    ['/CA/Local.json', /^\+12045550(1)\d\d$/],
    ['/US/TollFree.json', /^\+18005550199$/],
    ['/GB/Local.json', /^\+441134960\d{3}$/],
    ['/GB/Mobile.json', /^\+447700900\d{3}$/],
    ['/GB/TollFree.json', /^\+448081570\d{3}$/],
    ['/AU/Local.json', /^\+6125550\d{4}$/],
    ['/AU/Mobile.json', /^\+61491570(156|157|158|159|110)$/],
    ['/AU/TollFree.json', /^\+611800(160401|9757(07|08|09|10|11))$/],
  ])('%s', async (path, pattern) => {
    const found = await numbers(path);
    expect(found.length).toBeGreaterThan(0);
    for (const number of found) expect(number).toMatch(pattern);
    expect(new Set(found).size).toBe(found.length);
  });

  it.each([
    ['AreaCode=510&Contains=5105550142', ['+15105550142']],
    ['AreaCode=510&Contains=*42$', ['+15105550142']],
    ['AreaCode=510&Contains=%2B1510555014*&PageSize=2', ['+15105550140', '+15105550141']],
    ['Contains=2065550199', ['+12065550199']],
    ['AreaCode=510&Contains=KJK0142', ['+15105550142']],
    ['AreaCode=416', []],
    ['AreaCode=911', []],
    ['AreaCode=942', []], // Toronto
    ['AreaCode=222', []], // nobody's
    ['AreaCode=600', []], // a service
    ['Contains=2005550100', []],
    ['AreaCode=510&SmsEnabled=true', []],
    ['AreaCode=510&VoiceEnabled=false', []],
    ['AreaCode=510&InRegion=CA', []],
  ])('?%s', async (query, expected) => {
    expect(await numbers(`/US/Local.json?${query}`)).toEqual(expected);
  });

  it.each([
    ['AreaCode=51', 21451],
    ['Contains=1', 20001],
    ['Contains=12345678901234567', 20001],
    ['Contains=(510)', 20001],
    ['Contains=5%255', 20001],
    ['VoiceEnabled=maybe', 20001],
    ['PageSize=1001', 20007],
  ])('?%s is %i', async (query, code) => {
    const response = await ask(`/US/Local.json?${query}`);
    expect(response.status).toBe(400);
    expect(response.body.code).toBe(code);
  });

  it.each([
    ['CA', 'AreaCode=942&PageSize=1', ['+19425550100']],
    ['CA', 'PageSize=1', ['+12045550100']],
    ['US', 'PageSize=1', ['+12015550100']],
    ['GB', 'Contains=%2B442896496&PageSize=1', ['+442896496000']],
    ['GB', 'Contains=%2B442920180900', ['+442920180900']],
    ['GB', 'Contains=%2B441632960&PageSize=1', ['+441632960000']],
  ])('%s/Local?%s', async (country, query, expected) => {
    expect(await numbers(`/${country}/Local.json?${query}`)).toEqual(expected);
  });

  it('are few: a search for all of them ends', async () => {
    const found = await numbers('/GB/Local.json?PageSize=1000&Contains=%2B44*');
    expect(found).toHaveLength(1_000);
  });
});
